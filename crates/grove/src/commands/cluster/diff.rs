//! `grove cluster diff`.

use std::{collections::BTreeMap, path::Path};

use clap_complete::ArgValueCandidates;
use grove_release::{Objects, diff};
use serde_json::Value;

use super::deploy::Change;
use crate::{
    cli::Global,
    commands::{bundle, candidates, rollback::find_cluster},
    error::{CommandError, Exit, Result},
    output::Output,
    releasing::Remotes,
    report,
    sharing::{self, Released},
    workspace::{Workspace, is_json},
};

/// The most that Helm may print for one chart.
const OUTPUT: usize = 64 << 20;

/// Show what `grove cluster deploy` would change.
///
/// Compares the fleet as it is here with the running release of what the cluster's instances share.
///
/// Where `helm` is on PATH, charts that travel with the deploy tree are rendered as they run and as
/// they would, and their objects are compared, too. Secrets that a chart makes anew at each rendering
/// are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster diff prod\n\
    \x20 grove cluster diff prod --exit-code")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// Exit with 1 where there is a difference, for scripts.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    lock: bundle::Lock,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let cluster = find_cluster(&fleet, &arguments.name)?;
    let mut tree = sharing::render(&workspace, &fleet, cluster, &arguments.lock.bundle()?)?;
    output.progress(&format!("fetching the deploy branch of {}", cluster.name));
    let branch = arguments.remotes.open(&workspace, &fleet, &cluster.name)?;
    let before = match branch.view()?.shared_latest()? {
        Some(record) => {
            let before = Released::read(&branch, &record)?;
            sharing::keep(&mut tree, &record, &before, &[]);
            before
        }
        None => Released::default(),
    };
    let after = Released::of(&tree);
    let changes = Change::between(&before, &after);
    let mut charts = BTreeMap::new();
    if !changes.is_empty() {
        if grove_exec::find("helm").is_some() {
            for part in tree.parts.keys() {
                output.progress(&format!("rendering {part}"));
                let (old, new) = (objects(&before, part)?, objects(&after, part)?);
                charts.insert(part.clone(), diff(&old, &new));
            }
        } else {
            output.progress_done();
            output.note("`helm` is not on PATH: what the charts make of this is not shown");
        }
    }
    output.progress_done();
    let exit = if arguments.exit_code && !changes.is_empty() {
        Exit::No
    } else {
        Exit::Done
    };
    if is_json(output) {
        output.json(&serde_json::json!({
            "version": 1, "cluster": cluster.name, "diff": changes, "charts": charts,
        }))?;
        return Ok(exit);
    }
    if changes.is_empty() {
        output.note(&format!("{}: no difference", cluster.name));
        return Ok(exit);
    }
    output.print(&format!("{}: {}\n", cluster.name, changes.summary()))?;
    output.print(&report::text(&changes.objects, output.colour()))?;
    for (path, change) in &changes.charts {
        output.print(&format!("{change} charts/{path}\n"))?;
    }
    for (part, diff) in charts.iter().filter(|(_, diff)| !diff.is_empty()) {
        output.print(&format!(
            "\n{part} makes of it: {}\n",
            report::summary(diff)
        ))?;
        output.print(&report::text(diff, output.colour()))?;
    }
    Ok(exit)
}

/// The objects that Argo CD would make of a part, as far as its files are in the tree.
fn objects(released: &Released, part: &str) -> Result<Objects> {
    let file = format!("application-grove-{part}.yaml");
    let Some(application) = released.cluster.get(&file) else {
        return Ok(Objects::new());
    };
    let prefix = format!("{part}/");
    let files: BTreeMap<&str, &Vec<u8>> = released
        .charts
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes)))
        .collect();
    if files.is_empty() {
        return Ok(Objects::new());
    }
    let Some(helm) = application.pointer("/spec/source/helm") else {
        let all = files.iter().map(|(path, bytes)| (*path, bytes.as_slice()));
        return read(all);
    };
    let directory = tempfile::tempdir()?;
    for (path, bytes) in &files {
        let to = directory.path().join(path);
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::write(to, bytes)?;
    }
    let text = |pointer| application.pointer(pointer).and_then(Value::as_str);
    let manifests = template(
        directory.path(),
        part,
        text("/spec/destination/namespace").unwrap_or(part),
        helm.get("valuesObject").unwrap_or(&Value::Null),
    )?;
    let mut objects = read([(part, manifests.as_slice())])?;
    // What Argo CD leaves as it is in the cluster is no difference.
    let ignored = application
        .pointer("/spec/ignoreDifferences")
        .and_then(Value::as_array);
    for ignored in ignored.into_iter().flatten() {
        for object in objects.values_mut() {
            if object.get("kind") == ignored.get("kind")
                && object.pointer("/metadata/name") == ignored.get("name")
                && let Some(object) = object.as_object_mut()
            {
                object.remove("data");
            }
        }
    }
    Ok(objects)
}

/// What Helm makes of a chart. It is given no cluster, no network and no settings of the user's.
fn template(chart: &Path, release: &str, namespace: &str, values: &Value) -> Result<Vec<u8>> {
    let home = tempfile::tempdir()?;
    let helm = grove_exec::Invocation::new("helm")
        .args(["template", release])
        .arg(chart)
        .args(["--namespace", namespace, "--include-crds", "--values", "-"])
        .stdin(values.to_string())
        .env("HOME", home.path())
        .output_limit(OUTPUT);
    Ok(helm.run()?.stdout)
}

/// Objects of YAML files, by kind and name.
fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Objects> {
    let mut objects = Objects::new();
    for (file, bytes) in files {
        let documents = grove_yaml::parse_all(bytes).map_err(|error| {
            CommandError::from_error(Exit::No, &error).context(format!("cannot read {file}"))
        })?;
        for object in documents {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
            let (Some(kind), Some(name)) = (text("/kind"), text("/metadata/name")) else {
                continue;
            };
            objects.insert(format!("{kind}-{name}"), object);
        }
    }
    Ok(objects)
}
