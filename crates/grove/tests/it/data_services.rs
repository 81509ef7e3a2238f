//! Databases, users and buckets on real servers: `MariaDB`, `FerretDB`, Redis, and one that speaks S3.
//!
//! What the Job of `grove data` would run in a cluster runs here as a process, with the same two files.

mod bucket;
mod mongodb;
mod mysql;
mod redis;
mod search;
mod worker;

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, process::Command};

use grove_fleet::{Address, Snapshot, model::Fleet};
use grove_render::{DataJob, data_job, data_secrets, data_services};
use grove_test::World;
use serde_json::Value;

use crate::{
    GROVE, edit, example,
    servers::{Server, free_port},
};

const CLUSTER: &str = "clusters/prod/cluster.yaml";
const UNI: &str = "clusters/prod/instances/uni/instance.yaml";
const ADDRESS: &str = "prod/uni";

/// A production site whose data is on servers of this machine.
struct Site {
    world: World,
}

/// How a Job ended, and what it wrote.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    lines: Vec<String>,
}

impl Ran {
    #[track_caller]
    fn done(self) -> Vec<String> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.lines
    }
}

impl Site {
    /// A site with these servers and this `data`; its users and passwords are made.
    fn new(servers: &str, data: &str) -> Self {
        let site = Self::before(servers, data);
        site.make_secrets();
        site
    }

    /// The same, before users and passwords are made.
    fn before(servers: &str, data: &str) -> Self {
        let world = World::with_shared_cache(GROVE);
        world.copy(&example("production"), "fleet");
        let site = Self { world };
        site.state(servers, data);
        for name in ["DB_ADMIN", "FILES_ADMIN"] {
            let set = format!("secret set prod {name} --cluster-only");
            let _ = site
                .world
                .command(words(&set))
                .stdin("adminpw")
                .run()
                .success();
        }
        for name in ["OPENEDX_AWS_ACCESS_KEY", "OPENEDX_AWS_SECRET_ACCESS_KEY"] {
            let set = format!("secret set {ADDRESS} {name}");
            let _ = site
                .world
                .command(words(&set))
                .stdin("adminpw")
                .run()
                .success();
        }
        // The example's user has the name that its identity gives it; here `data` states another.
        let user = format!("secret remove {ADDRESS} OPENEDX_MYSQL_USERNAME");
        let _ = site.grove(&user).success();
        site
    }

    fn make_secrets(&self) {
        let _ = self.grove("secret generate prod/uni").success();
    }

    fn state(&self, servers: &str, data: &str) {
        let cluster = self.world.read(format!("fleet/{CLUSTER}"));
        let cluster = format!("{}\nservers: {servers}\n", without(&cluster, "servers:"));
        self.world.write(format!("fleet/{CLUSTER}"), &cluster);
        let uni = self.world.read(format!("fleet/{UNI}"));
        let uni = format!("{}\ndata: {data}\n", without(&uni, "data:"));
        self.world.write(format!("fleet/{UNI}"), &uni);
    }

    fn grove(&self, line: &str) -> grove_test::Output {
        self.world.grove(words(line))
    }

    fn fleet(&self) -> Fleet {
        let mut snapshot = Snapshot::default();
        let root = self.world.path("fleet");
        let mut open = vec![root.clone()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                if path.is_dir() {
                    if name != ".git" {
                        open.push(path);
                    }
                } else {
                    snapshot = snapshot.with(&name, &std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        grove_fleet::load::fleet(&grove_fleet::load::documents(&snapshot))
    }

    fn secret(&self, name: &str) -> String {
        let shown = self
            .grove(&format!("secret show {ADDRESS} {name}"))
            .success();
        shown.stdout.trim_end().to_owned()
    }

    /// An object of the instance, rendered.
    fn rendered(&self, file: &str) -> Value {
        let out = ["render", "--out", "../rendered"];
        let _ = self.world.grove(out).success();
        let text = self
            .world
            .read(format!("rendered/prod/instances/uni/{file}"));
        grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default())
            .root
            .unwrap()
            .to_json()
    }

    /// What the Job is told, and how it would be started.
    fn job(&self, action: &str) -> Command {
        let fleet = self.fleet();
        let instance = &fleet.instances[&Address::new("prod", "uni")];
        let secrets: BTreeMap<String, String> = data_secrets(instance)
            .into_iter()
            .map(|name| (name.clone(), self.secret(&name)))
            .collect();
        let admins = fleet.clusters["prod"]
            .servers
            .iter()
            .filter_map(|(name, server)| {
                let admin = server.admin.as_ref()?;
                Some((name.clone(), (admin.user.clone(), "adminpw".to_owned())))
            });
        let value = |name: &str| secrets.get(name).cloned();
        let mut services = data_services(instance, &admins.collect(), &value).unwrap();
        for service in services
            .iter_mut()
            .filter(|service| service["engine"] == "mongodb")
        {
            // It knows users and no roles.
            service["roles"] = false.into();
        }
        let objects = data_job(&DataJob {
            name: "data",
            image: "x",
            action,
            services: &services,
        });
        for (name, text) in objects[1]["stringData"].as_object().unwrap() {
            self.world
                .write(format!("job/{name}"), text.as_str().unwrap());
        }
        let words = objects[0]
            .pointer("/spec/template/spec/containers/0/command")
            .unwrap();
        let words = words.as_array().unwrap().iter().filter_map(Value::as_str);
        let mut words = words
            .map(|word| word.replace("/grove/data", &self.world.path("job").display().to_string()));
        assert_eq!(words.next().unwrap(), "python");
        let mut command = python();
        command.args(words);
        command
    }

    fn run(&self, action: &str) -> Ran {
        ran(&mut self.job(action))
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!text.contains("adminpw"), "{text}");
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        let what = text("did").unwrap_or_else(|| format!("failed: {}", text("failed").unwrap()));
        format!("{}: {what}", text("service").unwrap())
    });
    Ran {
        code: output.status.code(),
        lines: lines.collect(),
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A file without one key and what is below it.
fn without(text: &str, key: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside = if line.starts_with(key) {
            true
        } else {
            inside && line.starts_with([' ', '#'])
        };
        if !inside {
            let _ = writeln!(kept, "{line}");
        }
    }
    kept
}

/// Python with the drivers that Open edX has.
fn python() -> Command {
    Command::new(PathBuf::from(
        std::env::var_os("GROVE_TEST_DATA_PYTHON").unwrap(),
    ))
}

/// Runs Python with arguments; what it printed, or the last line of its error.
fn script(text: &str, arguments: &[&str]) -> Result<String, String> {
    let output = python()
        .arg("-c")
        .arg(text)
        .args(arguments)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(error.lines().last().unwrap_or_default().to_owned())
}

fn directory() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("grove-data-")
        .tempdir()
        .unwrap()
}

#[test]
#[ignore = "data-services: needs Redis"]
fn one_service_that_fails_stops_no_other_and_tells_no_password() {
    let directory = directory();
    let server = Server::redis(directory.path());
    let nobody = free_port();
    let servers = format!(
        "{{main: {{engine: mysql, host: 127.0.0.1, port: {nobody}, admin: {{user: admin, password: {{secret: DB_ADMIN}}}}}}, \
         cache: {{engine: redis, host: 127.0.0.1, port: {}, admin: {{user: admin, password: {{secret: DB_ADMIN}}}}}}}}",
        server.port
    );
    let site = Site::new(
        &servers,
        "{mysql: {server: main}, redis: {server: cache, databases: {celery: 4, cache: 5}}}",
    );
    let ran = site.run("apply");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.lines
            .iter()
            .any(|line| line.contains("failed") && line.contains("connect")),
        "{ran:?}"
    );
    assert!(
        ran.lines
            .iter()
            .any(|line| line.ends_with("gets in") && line.starts_with("redis")),
        "{ran:?}"
    );
}
