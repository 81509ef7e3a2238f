//! How long it takes from a push to the deploy branch until objects change in the cluster.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Run, cluster::Field, fleet, median};
use crate::{context::Context, control_plane, process};

const CLUSTER: &str = "alpha";
/// How long Argo CD may take by itself: its poll is every three minutes.
const PATIENCE: Duration = Duration::from_mins(6);
/// The pause between two rounds.
const QUIET: Duration = Duration::from_secs(8);

pub(super) fn run(context: &Context, run: &Run) -> Result<String> {
    let mut sites = Vec::new();
    let field = Field::new(context, &run.grove, &[CLUSTER], |root| {
        sites = fleet::write_to(context, root, &[CLUSTER], run.instances)?;
        let file = root.join("grove.yaml");
        let text = fs_err::read_to_string(&file)?;
        let remote = format!(
            "file://{}/deploy-{{cluster}}.git",
            root.parent().unwrap_or(root).display()
        );
        let text = text.replace("../../target/example-deploy/{cluster}.git", &remote);
        Ok(fs_err::write(&file, text)?)
    })?;
    let site = sites.first().context("no instance")?;
    let address = format!("{CLUSTER}/{}", site.name);
    let bundle = field.root.with_file_name("bundle");
    let programs = grove_control_plane::Programs::new(&control_plane::programs(context));
    grove_control_plane::fill_bundle(&programs, &bundle)?;
    let mut pull = field.grove(&["bundle", "pull", "--from"]);
    process::read(pull.arg(&bundle))?;
    // What is rendered for the first time installs Tutor.
    process::read(
        field
            .grove(&["render", &address, "--out"])
            .arg(field.root.with_file_name("out")),
    )?;

    let begun = Instant::now();
    process::read(&mut field.grove(&["cluster", "bootstrap", CLUSTER]))?;
    let bootstrapped = begun.elapsed().as_secs_f64();
    field.commit("Which cluster it is")?;
    let deploy = [
        "deploy",
        &address,
        "--wait",
        "--timeout",
        "300",
        "--format",
        "json",
    ];
    process::read(field.grove(&deploy).arg("--create-remote"))?;
    let first = begun.elapsed().as_secs_f64();
    println!("bootstrap {bootstrapped:.1} s, first healthy instance after {first:.1} s");

    let told = Told::listen(&field, &site.name)?;
    let (mut objects, mut workloads, mut healthy) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=run.rounds {
        let push = told.round(&field, &site.name, round, &deploy)?;
        println!(
            "round {round}: first object {:.1} s, LMS {:.1} s, healthy {:.1} s",
            push.object, push.workload, push.ended
        );
        objects.push(push.object);
        workloads.push(push.workload);
        healthy.push(push.ended);
    }
    // By itself Argo CD is slow; a few times are enough to see it.
    let mut alone = Vec::new();
    for round in 1..=run.rounds.div_ceil(4) {
        let words = ["deploy", &address, "--format", "json"];
        let push = told.round(&field, &site.name, 1000 + round, &words)?;
        println!(
            "Argo CD alone, round {round}: first object {:.1} s",
            push.object
        );
        alone.push(push.object);
    }
    Ok(format!(
        "An instance with Tutor's plugins {}, {} times by `grove deploy --wait` and {} times by Argo CD's own poll; \
         medians:\n\n\
         | from the push until | `grove deploy --wait`, s | Argo CD alone, s |\n| --- | --- | --- |\n\
         | the first object has changed | {:.1} | {:.1} |\n\
         | the LMS's Deployment has changed | {:.1} | |\n\
         | the instance is healthy | {:.1} | |\n\n\
         From an empty API server: bootstrapped after {bootstrapped:.1} s, the first instance healthy after {first:.1} s \
         (pods are simulated).\n",
        fleet::PLUGINS.join(", "),
        run.rounds,
        alone.len(),
        median(objects),
        median(alone),
        median(workloads),
        median(healthy),
    ))
}

/// What is told by watches of the API server, each line with its time.
struct Told {
    lines: Receiver<(Instant, String)>,
    children: Vec<Child>,
}

/// Seconds since the push.
struct Push {
    object: f64,
    workload: f64,
    ended: f64,
}

impl Told {
    fn listen(field: &Field, namespace: &str) -> Result<Self> {
        let (tell, lines) = mpsc::channel();
        let mut children = Vec::new();
        for kind in ["sealedsecrets.bitnami.com", "deployments.apps"] {
            let words = ["get", kind, "-n", namespace, "--watch-only", "-o"];
            let mut command = field.kubectl(0, &words);
            command.arg("jsonpath={.kind} {.metadata.name}{\"\\n\"}");
            let mut child = command.stdout(Stdio::piped()).spawn()?;
            let stream = child.stdout.take().context("no output")?;
            children.push(child);
            let tell: Sender<(Instant, String)> = tell.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    tell.send((Instant::now(), line)).ok();
                }
            });
        }
        thread::sleep(Duration::from_secs(2));
        Ok(Self { lines, children })
    }

    /// Changes the instance, deploys it, and waits until its objects have changed.
    fn round(&self, field: &Field, site: &str, number: u32, deploy: &[&str]) -> Result<Push> {
        let home = field
            .root
            .join("clusters")
            .join(CLUSTER)
            .join("instances")
            .join(site);
        let file = home.join("instance.yaml");
        let text = fs_err::read_to_string(&file)?;
        let lines = text.lines().map(|line| {
            if line.contains("PLATFORM_NAME:") {
                format!("  PLATFORM_NAME: Round {number}\n")
            } else {
                format!("{line}\n")
            }
        });
        fs_err::write(&file, lines.collect::<String>())?;
        field.commit("Another name")?;
        let tip = field
            .deploy_repository(CLUSTER)
            .join("refs/heads/deploy")
            .join(CLUSTER);
        let before = read(&tip);
        // What the round before has left behind comes to its end.
        thread::sleep(QUIET);
        while self.lines.try_recv().is_ok() {}
        let mut child = field
            .grove(deploy)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        while read(&tip) == before {
            thread::sleep(Duration::from_millis(2));
        }
        let pushed = Instant::now();
        let (mut object, mut workload) = (None, None);
        while workload.is_none() {
            let (time, line) = self
                .lines
                .recv_timeout(PATIENCE.saturating_sub(pushed.elapsed()))
                .context("nothing changed in the cluster")?;
            let after = time.saturating_duration_since(pushed).as_secs_f64();
            object.get_or_insert(after);
            if line == "Deployment lms" {
                workload = Some(after);
            }
        }
        let mut answer = String::new();
        if let Some(mut stream) = child.stdout.take() {
            std::io::Read::read_to_string(&mut stream, &mut answer)?;
        }
        let ended = pushed.elapsed().as_secs_f64();
        if !child.wait()?.success() {
            bail!("the deploy failed: {answer}");
        }
        let answer: Value = serde_json::from_str(&answer)?;
        let released = &answer["instances"][0]["action"];
        anyhow::ensure!(released == "released", "it was {released}");
        Ok(Push {
            object: object.unwrap_or(f64::NAN),
            workload: workload.unwrap_or(f64::NAN),
            ended,
        })
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn read(file: &Path) -> String {
    fs_err::read_to_string(file).unwrap_or_default()
}
