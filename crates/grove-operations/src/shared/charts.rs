//! What Argo CD would make of the charts that travel with a deploy tree.

use std::{collections::BTreeMap, path::Path};

use grove_release::Objects;
use serde_json::Value;

use super::render::Released;
use crate::{Error, Kind, Result};

/// The most that Helm may print for one chart.
const OUTPUT: usize = 64 << 20;

/// The objects that Argo CD would make of a part, as far as its files are in the tree.
pub(super) fn objects(released: &Released, part: &str) -> Result<Objects> {
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
        return parsed(all);
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
    let mut objects = parsed([(part, manifests.as_slice())])?;
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
fn parsed<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Objects> {
    let mut objects = Objects::new();
    for (file, bytes) in files {
        let documents = grove_yaml::parse_all(bytes).map_err(|error| {
            Error::from_error(Kind::No, &error).context(format!("cannot read {file}"))
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
