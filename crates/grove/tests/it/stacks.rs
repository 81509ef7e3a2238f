//! Infrastructure: the real OpenTofu, and Terraform where it is installed, a provider whose objects are
//! files, and real back ends.

mod backends;
mod faults;
#[path = "provider.rs"]
mod provider;
mod wrapper;

use std::path::{Path, PathBuf};

use grove_test::{Output, World};
use serde_json::Value;

use crate::{GROVE, example};

/// The programs to try: OpenTofu, which the suite brings, and Terraform where it is installed.
fn programs() -> Vec<PathBuf> {
    let mut programs = vec![tofu()];
    programs.extend(grove_exec::find("terraform"));
    programs
}

fn tofu() -> PathBuf {
    PathBuf::from(std::env::var_os("GROVE_TEST_TOFU").unwrap())
}

/// A cluster whose provider makes files in `cloud/`.
const CLUSTER: &str = "provider: simulated
domain: alpha.example.org
state: {backend: local, path: ../states}
environment: [SIMULATED_*, AWS_*]
credentials: {SIMULATED_TOKEN: CLOUD_TOKEN}
stacks:
  network: {}
  cluster: {inputs: {network_id: {output: network.network_id}}}
  data: {inputs: {network_id: {output: network.network_id}}}
";

/// The credential of the provider, which must never be seen.
const TOKEN: &str = "token-7f3a9c51e2d8";

/// A fleet with a simulated cluster.
struct Site {
    world: World,
}

impl Site {
    fn new(program: &Path) -> Self {
        Self::with(program, CLUSTER)
    }

    fn with(program: &Path, cluster: &str) -> Self {
        let world = World::new(GROVE);
        world.copy(&example("fleet"), "fleet");
        world.write("fleet/clusters/alpha/cluster.yaml", cluster);
        let file = "fleet/clusters/alpha/instances/uni/instance.yaml";
        let instance = world.read(file);
        let stack = "stacks: {instance: {inputs: {mysql_id: {output: data.mysql_id}}}}\n";
        world.write(file, format!("{instance}{stack}"));
        world.write(
            "cloud/kubeconfigs/alpha",
            "server: https://127.0.0.1:6443\n",
        );
        provider::install(&world);
        world.set("GROVE_TOFU", program);
        let _ = world
            .command(["secret", "set", "alpha", "CLOUD_TOKEN", "--cluster-only"])
            .stdin(TOKEN)
            .run()
            .success();
        Self { world }
    }

    fn grove(&self, words: &str) -> Output {
        self.world.grove(words.split(' '))
    }

    /// What a command that succeeds prints as JSON.
    #[track_caller]
    fn json(&self, words: &str) -> Value {
        let output = self.grove(&format!("{words} --format json")).success();
        serde_json::from_str(&output.stdout).unwrap()
    }

    /// `stack state` of each row.
    #[track_caller]
    fn states(&self, words: &str) -> String {
        let value = self.json(words);
        let rows = value["stacks"].as_array().unwrap().iter();
        let rows: Vec<String> = rows
            .map(|row| {
                format!(
                    "{} {}",
                    row["stack"].as_str().unwrap(),
                    row["state"].as_str().unwrap()
                )
            })
            .collect();
        rows.join("\n")
    }

    /// What the provider was asked, a line each, but for reading.
    fn asked(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.world.path("cloud/log")).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with("read "));
        lines.map(str::to_owned).collect()
    }

    /// Makes an operation of the provider go wrong: `create network/alpha`.
    fn fault(&self, what: &str, how: &str) {
        let fault = serde_json::json!({what: {"how": how, "seconds": 6}});
        self.world.write("cloud/faults.json", fault.to_string());
    }

    fn no_fault(&self) {
        std::fs::remove_file(self.world.path("cloud/faults.json")).unwrap();
    }

    /// Adds a stack of the operator's own.
    fn own(&self, name: &str, text: &str, entry: &str) {
        self.world
            .write(format!("fleet/clusters/alpha/stacks/{name}/main.tf"), text);
        let file = "fleet/clusters/alpha/cluster.yaml";
        let cluster = self.world.read(file);
        self.world
            .write(file, format!("{cluster}  {name}: {entry}\n"));
    }

    /// Where the provider of each prepared stack is.
    fn providers(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.world.cache().join("stacks-v1")];
        while let Some(path) = open.pop() {
            if path.is_symlink()
                && path
                    .components()
                    .any(|part| part.as_os_str() == "providers")
            {
                found.push(std::fs::read_link(path).unwrap());
            } else if path.is_dir() {
                let entries = std::fs::read_dir(path).unwrap();
                open.extend(entries.map(|entry| entry.unwrap().path()));
            }
        }
        found
    }

    /// Every file below a directory of the world that holds a text.
    fn holding(&self, directory: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.world.path(directory)];
        while let Some(path) = open.pop() {
            if path.is_dir() && !path.is_symlink() {
                open.extend(
                    std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else if std::fs::read(&path).is_ok_and(|bytes| {
                bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
            }) {
                found.push(path.display().to_string());
            }
        }
        found
    }
}

/// `docs/infrastructure.md`, command by command.
#[test]
#[ignore = "stacks: needs OpenTofu"]
fn the_page_is_true() {
    let page = include_str!("../../../../docs/infrastructure.md");
    let block = page.split("```sh\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    for program in programs() {
        let world = World::new(GROVE);
        world.copy(&example("infrastructure"), "fleet/examples/infrastructure");
        world.set("GROVE_TOFU", program);
        std::fs::create_dir(world.path("fleet/target")).unwrap();
        let mut commands = 0;
        for line in block.lines().filter(|line| line.starts_with("grove ")) {
            let words = line.split(' ').skip(1);
            let command = world
                .command(words)
                .in_directory("fleet/examples/infrastructure");
            let output = command.run().success();
            if line == "grove stack plan prod" && commands > 3 {
                assert!(output.stdout.contains("prod:dns: unchanged"), "{output}");
            }
            commands += 1;
        }
        assert_eq!(commands, 9);
    }
}
