//! What a cluster's own stack gives: where its API server is, and how it is reached.

use std::{io::Write as _, path::Path};

use grove_fleet::{Fleet, layout};
use grove_seal::Secret;
use grove_stack::{
    root::{Resolved, resolve},
    stack::{Address, Reference},
};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::{Error, Kind, Result, files, stacks::all::Stacks};

/// The stack whose outputs say how a cluster is reached, and their names.
pub(super) const CLUSTER: &str = "cluster";
const SERVER: &str = "server";
const KUBECONFIG: &str = "kubeconfig";

fn reference(output: &str) -> Reference {
    Reference {
        stack: CLUSTER.to_owned(),
        output: output.to_owned(),
    }
}

/// The address of a cluster's API server, where its stack gave another one than `cluster.yaml` states.
pub(super) fn server(fleet: &Fleet, name: &str) -> Option<String> {
    let server = match resolve(&reference(SERVER), name, None, &fleet.stacks) {
        Ok(Resolved::Plain(Value::String(server))) if !server.is_empty() => server,
        _ => return None,
    };
    let cluster = fleet.clusters.get(name);
    let stated = cluster.and_then(|cluster| cluster.server.as_ref());
    (stated != Some(server)).then(|| server.clone())
}

/// Writes the address of the API server into `cluster.yaml`.
pub(super) fn record(root: &Path, name: &str, server: &str) -> Result<()> {
    edit(root, name, |text| {
        grove_yaml::set(text, &["kubernetes", "server"], &server.into())
    })
}

/// Takes out of `cluster.yaml` which cluster it is.
pub(super) fn forget(root: &Path, name: &str) -> Result<()> {
    edit(root, name, |text| grove_yaml::remove(text, &["kubernetes"]))
}

fn edit(
    root: &Path,
    name: &str,
    edit: impl FnOnce(&str) -> std::result::Result<String, grove_yaml::EditError>,
) -> Result<()> {
    let file = layout::cluster(name);
    let path = root.join(&file);
    let text = fs_err::read_to_string(&path)?;
    let text = edit(&text).map_err(|error| {
        Error::from_error(Kind::No, &error).context(format!("`{file}` cannot be edited"))
    })?;
    files::write_atomically(&path, &text)
}

/// The kubeconfig that the cluster's stack gave; none where whoever asks has one of their own.
pub(super) fn kubeconfig(stacks: &Stacks<'_>, name: &str) -> Result<Option<Secret>> {
    let address = Address::of_cluster(name, CLUSTER);
    match resolve(&reference(KUBECONFIG), name, None, &stacks.fleet.stacks) {
        Ok(Resolved::Sensitive { .. }) => {
            let kept = stacks.sensitive(&address, KUBECONFIG)?;
            let text = serde_json::from_str(kept.expose()).map_err(|error| {
                Error::from_error(Kind::No, &error)
                    .context(format!("`{KUBECONFIG}` of `{address}` is no text"))
            })?;
            Ok(Some(Secret::new(text)))
        }
        _ => Ok(None),
    }
}

/// A file with a kubeconfig that only this process uses.
pub(super) fn file(kubeconfig: &Secret) -> Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("grove-kubeconfig-")
        .tempfile()?;
    file.write_all(kubeconfig.expose().as_bytes())?;
    Ok(file)
}
