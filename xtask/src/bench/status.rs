//! What `grove status` and `grove watch` cost where a fleet has many Applications on several API
//! servers.
//!
//! The API servers are real. The Applications are those of real releases; Argo CD does not run, which
//! would deploy a thousand instances on the machine that measures: their status is written in the shape
//! and size that it has after a sync.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Run, cluster::Field, fleet, measure, median};
use crate::{context::Context, process};

const CLUSTERS: [&str; 4] = ["alpha", "gamma", "delta", "epsilon"];

/// How long `grove watch` is left alone before it is looked at, and how long it is looked at.
const SETTLE: Duration = Duration::from_secs(15);
const WATCHED: Duration = Duration::from_secs(40);

pub(super) fn run(context: &Context, run: &Run) -> Result<String> {
    let field = Field::new(context, &run.grove, &CLUSTERS, |root| {
        fleet::write_to(context, root, &CLUSTERS, run.instances).map(drop)
    })?;
    let count = run.instances.to_string();
    let remote = field.deploy_remote();
    println!("releasing {count} instances, once");
    let deploy = [
        "deploy",
        "--all",
        "--expect",
        &count,
        "--create-remote",
        "-m",
        "First",
    ];
    let mut deploy = field.grove(&deploy);
    process::read(deploy.args(["--deploy-remote", &remote]))?;
    for (index, cluster) in CLUSTERS.iter().enumerate() {
        println!("{cluster}: writing its Applications");
        applications(context, &field, index, cluster)?;
    }

    let status = || {
        let mut command = field.grove(&["status", "--format", "json"]);
        command.args(["--deploy-remote", &remote]);
        command
    };
    let answer: Value = serde_json::from_str(&process::read(&mut status())?)?;
    let rows = answer["instances"].as_array().context("no instances")?;
    let running = rows.iter().filter(|row| row["state"] == "running").count();
    ensure!(running == run.instances, "{running} of {count} run");
    let mut peer = Command::new("sh");
    peer.args(["-c", PEER, "peer"]);
    peer.args(
        field
            .planes
            .iter()
            .map(grove_control_plane::ControlPlane::kubeconfig),
    );

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=run.rounds {
        let our = measure::measure(&status())?;
        let their = measure::measure(&peer)?;
        println!(
            "round {round}: {:.2} s against {:.2} s",
            our.wall, their.wall
        );
        ours.push(our);
        theirs.push(their);
    }
    let mut text = format!(
        "{count} Applications on {} API servers:\n\n\
         | | wall s | CPU s | largest process, MB |\n| --- | --- | --- | --- |\n",
        CLUSTERS.len()
    );
    for (name, side) in [
        ("`grove status`", &ours),
        (
            "`kubectl get applications`, one cluster after the other",
            &theirs,
        ),
    ] {
        let middle = |figure: fn(&measure::Usage) -> f64| median(side.iter().map(figure).collect());
        let _written = writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {:.0} |",
            middle(|usage| usage.wall),
            middle(|usage| usage.cpu),
            middle(|usage| usage.largest) / 1e6
        );
    }
    let mut watch = field.grove(&["watch", "--format", "json", "--deploy-remote", &remote]);
    let watch = Ended(watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    thread::sleep(SETTLE);
    let quiet = share(&watch.0, || thread::sleep(WATCHED))?;
    let busy = share(&watch.0, || {
        for index in 0..CLUSTERS.len() {
            touch(&field, index)?;
            thread::sleep(WATCHED / 4);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let _written = writeln!(
        text,
        "\n`grove watch`, and what it starts, of one core: {quiet:.1} % while nothing changes, {busy:.1} % \
         while each Application is written once in {} s.",
        WATCHED.as_secs()
    );
    Ok(text)
}

/// What an operator has without a tool: everything of each cluster in turn.
const PEER: &str = r#"for file in "$@"; do
    kubectl --kubeconfig "$file" get applications.argoproj.io -A -o json
done > /dev/null"#;

/// A process that ends with its scope.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The share of one core that a process and its ended children use while `act` runs, in percent.
fn share<T>(child: &Child, act: impl FnOnce() -> T) -> Result<f64> {
    let (before, begun) = (used(child)?, std::time::Instant::now());
    act();
    Ok((used(child)? - before) / begun.elapsed().as_secs_f64() * 100.0)
}

/// Processor seconds of a process and of its children that have ended: fields 14 to 17 of
/// `/proc/PID/stat`, in ticks of a hundredth of a second.
fn used(child: &Child) -> Result<f64> {
    let stat = fs_err::read_to_string(format!("/proc/{}/stat", child.id()))?;
    let (_, fields) = stat.rsplit_once(')').context("no process")?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(ticks / 100.0)
}

/// Writes every Application of a cluster once, as Argo CD does when it has looked at it anew.
fn touch(field: &Field, cluster: usize) -> Result<()> {
    let words = [
        "annotate",
        "applications.argoproj.io",
        "-n",
        "argocd",
        "--all",
        "--overwrite",
    ];
    let mut command = field.kubectl(cluster, &words);
    process::read(command.arg("looked-at=now")).map(drop)
}

/// Writes the Applications of a cluster's deploy branch to its API server, with a status.
fn applications(context: &Context, field: &Field, index: usize, cluster: &str) -> Result<()> {
    let programs = grove_control_plane::Programs::new(&crate::control_plane::programs(context));
    let argo = programs.directory(grove_control_plane::ARGO_CD_MODULE)?;
    let definition = argo.join("manifests/crds/application-crd.yaml");
    let apply = ["apply", "--server-side", "-f"];
    process::read(field.kubectl(index, &apply).arg(definition))?;
    process::read(&mut field.kubectl(index, &["create", "namespace", "argocd"]))?;
    let wait = [
        "wait",
        "--for=condition=Established",
        "crd/applications.argoproj.io",
    ];
    process::read(&mut field.kubectl(index, &wait))?;

    let clone = field.root.with_file_name(format!("clone-{cluster}"));
    let mut git = Command::new("git");
    git.args(["clone", "-q", "-b", &format!("deploy/{cluster}")]);
    process::read(git.arg(field.deploy_repository(cluster)).arg(&clone))?;
    let mut git = Command::new("git");
    git.arg("-C").arg(&clone).args(["rev-parse", "HEAD"]);
    let commit = process::read(&mut git)?.trim().to_owned();
    let files = fs_err::read_dir(clone.join("apps"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    let mut read = field.kubectl(index, &["create", "--dry-run=client", "-o", "json"]);
    for file in files {
        if file.to_string_lossy().ends_with("-application.yaml") {
            read.arg("-f").arg(file);
        }
    }
    // It prints one document after the other.
    let printed = process::read(&mut read)?;
    let documents = serde_json::Deserializer::from_str(&printed).into_iter();
    let mut items = documents.collect::<Result<Vec<Value>, _>>()?;
    for application in &mut items {
        let path = application["spec"]["source"]["path"]
            .as_str()
            .unwrap_or_default();
        let objects = objects(&clone.join(path))?;
        application["status"] = status(application, &commit, &objects);
    }
    let file = clone.join("applications.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    fs_err::write(&file, serde_json::to_vec(&list)?)?;
    process::read(field.kubectl(index, &["create", "-f"]).arg(file)).map(drop)
}

/// Kind and name of each object of an instance.
fn objects(directory: &Path) -> Result<Vec<(String, String)>> {
    let mut objects = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let text = fs_err::read_to_string(entry?.path())?;
        let of = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        objects.push((
            of("kind: ").unwrap_or_default().to_owned(),
            of("  name: ").unwrap_or_default().to_owned(),
        ));
    }
    Ok(objects)
}

/// The status of an Application that was synced ten times, the last time successfully.
fn status(application: &Value, commit: &str, objects: &[(String, String)]) -> Value {
    let (time, spec) = ("2026-11-27T12:00:00Z", &application["spec"]);
    let (source, namespace) = (&spec["source"], &spec["destination"]["namespace"]);
    let resource = |(kind, name): &(String, String)| {
        json!({"group": "apps", "version": "v1", "kind": kind, "namespace": namespace, "name": name,
            "status": "Synced", "syncWave": 1})
    };
    let result = |(kind, name): &(String, String)| {
        json!({"group": "apps", "version": "v1", "kind": kind, "namespace": namespace, "name": name,
            "status": "Synced", "syncPhase": "Sync", "hookPhase": "Running",
            "message": format!("{kind}/{name} serverside-applied")})
    };
    let history = |id: u32| {
        json!({"id": id, "revision": commit, "deployedAt": time, "deployStartedAt": time,
            "source": source, "initiatedBy": {"automated": true}})
    };
    json!({
        "reconciledAt": time,
        "controllerNamespace": "argocd",
        "sourceType": "Directory",
        "health": {"status": "Healthy", "lastTransitionTime": time},
        "history": (1..=10).map(history).collect::<Vec<_>>(),
        "resources": objects.iter().map(resource).collect::<Vec<_>>(),
        "summary": {"images": objects.iter().map(|(_, name)| name).collect::<Vec<_>>()},
        "sync": {"status": "Synced", "revision": commit,
            "comparedTo": {"destination": spec["destination"], "source": source}},
        "operationState": {"phase": "Succeeded", "message": "successfully synced (all tasks run)",
            "startedAt": time, "finishedAt": time,
            "operation": {"sync": {"revision": commit}, "initiatedBy": {"automated": true}},
            "syncResult": {"revision": commit, "source": source,
                "resources": objects.iter().map(result).collect::<Vec<_>>()}},
    })
}
