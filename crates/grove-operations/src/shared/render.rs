//! What a cluster's instances share: rendering it, and what of it an instance needs.

use std::collections::{BTreeMap, BTreeSet};

use grove_cluster::bundle::Bundle;
use grove_fleet::{
    Fleet, addons,
    model::{Cluster, Instance},
};
use grove_release::{DeployBranch, Objects, SharedRecord, View};
use grove_render::{SharedInput, SharedTree, definitions, shared};
use serde_json::Value;

use super::bundle;
use crate::{Error, Kind, Result, fleet::workspace::Workspace, render::pipeline};

/// Renders the shared part of a cluster.
pub(crate) fn render(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &Cluster,
    bundle: &Bundle,
) -> Result<SharedTree> {
    let store = bundle::store(workspace.around)?;
    let mut engines = BTreeMap::new();
    pipeline::must_have_all(&cluster.waits)?;
    for (engine, stated) in definitions(cluster) {
        let version = bundle.version(engine, stated);
        engines.insert(
            engine.to_owned(),
            (version.to_owned(), store.objects(bundle, engine, version)?),
        );
    }
    let harmony = cluster
        .harmony
        .as_ref()
        .map(|harmony| addons::chart(&workspace.snapshot, &harmony.chart))
        .unwrap_or_default();
    let addons = cluster
        .addons
        .keys()
        .map(|name| (name.clone(), addons::addon(&workspace.snapshot, name)))
        .collect();
    let tree = shared(SharedInput {
        cluster,
        deploy_remote: &fleet.deploy_remote,
        definitions: &engines,
        harmony: &harmony,
        addons: &addons,
    });
    refuse_secrets(cluster, &tree)?;
    Ok(tree)
}

/// Everything of the shared part ends in Git in plain text.
fn refuse_secrets(cluster: &Cluster, tree: &SharedTree) -> Result<()> {
    let report = grove_seal::scan::scan(&tree.cluster, &BTreeMap::new())
        .map_err(|error| Error::from_error(Kind::Bug, &error))?;
    if report.hits.is_empty() {
        return Ok(());
    }
    let mut error = Error::new(
        Kind::No,
        format!(
            "a secret would stand in plain text in what the instances of {} share",
            cluster.name
        ),
    );
    error
        .messages
        .extend(report.hits.iter().map(ToString::to_string));
    Err(error.hint(
        "nothing was written; seal it with `kubeseal --cert`, and let the chart name its Secret",
    ))
}

/// What a release of the shared part brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Released {
    /// The objects of `cluster/`, by file name.
    pub cluster: Objects,
    /// The files of `charts/`, by path.
    pub charts: BTreeMap<String, Vec<u8>>,
}

impl Released {
    /// Reads the files of a record.
    pub fn read(branch: &DeployBranch, record: &SharedRecord) -> Result<Self> {
        Ok(Self {
            cluster: branch.objects_of(record.tree)?,
            charts: branch.files_of(record.charts)?,
        })
    }

    /// What a rendered tree brings.
    pub fn of(tree: &SharedTree) -> Self {
        Self {
            cluster: tree.cluster.clone(),
            charts: tree.charts.clone(),
        }
    }
}

/// Keeps the parts that run and are no longer in the fleet, but for those that are to be `removed`:
/// absence never means deletion. Gives the names of those that were kept.
pub(crate) fn keep(
    tree: &mut SharedTree,
    record: &SharedRecord,
    running: &Released,
    removed: &[String],
) -> Vec<String> {
    let gone: Vec<String> = record
        .parts
        .keys()
        .filter(|part| !tree.parts.contains_key(*part) && !removed.contains(part))
        .cloned()
        .collect();
    for part in &gone {
        let file = format!("application-grove-{part}.yaml");
        if let Some(object) = running.cluster.get(&file) {
            tree.cluster.insert(file, object.clone());
        }
        let prefix = format!("{part}/");
        let files = running
            .charts
            .iter()
            .filter(|(path, _)| path.starts_with(&prefix))
            .map(|(path, bytes)| (path.clone(), bytes.clone()));
        tree.charts.extend(files);
        for (all, before) in [
            (&mut tree.parts, &record.parts),
            (&mut tree.forward_only, &record.forward_only),
        ] {
            if let Some(version) = before.get(part) {
                all.insert(part.clone(), version.clone());
            }
        }
    }
    // The project is what lets the parts that are kept be synced.
    let project = "project-grove-shared.yaml";
    if !gone.is_empty()
        && let Some(object) = running.cluster.get(project)
    {
        match tree.cluster.get_mut(project) {
            Some(new) => join_sources(new, object),
            None => {
                tree.cluster.insert(project.to_owned(), object.clone());
            }
        }
    }
    gone
}

/// Adds the sources of an older project to a newer one.
fn join_sources(new: &mut Value, old: &Value) {
    let pointer = "/spec/sourceRepos";
    let old = old.pointer(pointer).and_then(Value::as_array);
    if let (Some(new), Some(old)) = (new.pointer_mut(pointer).and_then(Value::as_array_mut), old) {
        for source in old {
            if !new.contains(source) {
                new.push(source.clone());
            }
        }
    }
}

/// Refuses an instance that needs a part which was never released: its pods would come up and nobody
/// would reach them.
pub(crate) fn refuse_missing(
    view: &View<'_>,
    instance: &Instance,
    needs: &BTreeSet<String>,
) -> Result<()> {
    if needs.is_empty() {
        return Ok(());
    }
    let released = view
        .shared_latest()?
        .map(|record| record.parts)
        .unwrap_or_default();
    let missing: Vec<&str> = needs
        .iter()
        .filter(|part| !released.contains_key(*part))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let cluster = &instance.address.cluster;
    Err(Error::refused(format!(
        "{} needs what is not released on {cluster} yet: {}",
        instance.address,
        missing.join(", ")
    ))
    .hint(format!("`grove cluster deploy {cluster}` releases it")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(parts: &[&str]) -> SharedRecord {
        SharedRecord {
            version: 1,
            release: 1,
            time: jiff::Timestamp::UNIX_EPOCH,
            author: String::new(),
            message: None,
            source: grove_release::Origin::default(),
            tree: grove_release::Id::empty_tree(),
            charts: grove_release::Id::empty_tree(),
            parts: parts
                .iter()
                .map(|part| ((*part).to_owned(), "1".to_owned()))
                .collect(),
            forward_only: BTreeMap::new(),
            rollback_of: None,
            request: None,
            grove: String::new(),
        }
    }

    #[test]
    fn a_part_that_is_gone_from_the_fleet_stays_until_it_is_removed_by_name() {
        let running = Released {
            cluster: [
                ("application-grove-notes.yaml", json!({"a": 1})),
                (
                    "project-grove-shared.yaml",
                    json!({"spec": {"sourceRepos": ["deploy", "charts"]}}),
                ),
            ]
            .map(|(file, object)| (file.to_owned(), object))
            .into(),
            charts: [
                ("notes/a.yaml".to_owned(), b"a".to_vec()),
                ("notes-2/b.yaml".to_owned(), b"b".to_vec()),
            ]
            .into(),
        };
        let mut tree = SharedTree::default();
        tree.parts.insert("other".to_owned(), "1".to_owned());
        tree.cluster.insert(
            "project-grove-shared.yaml".to_owned(),
            json!({"spec": {"sourceRepos": ["deploy"]}}),
        );
        let mut removed = tree.clone();
        let record = record(&["notes", "other"]);
        assert_eq!(keep(&mut tree, &record, &running, &[]), ["notes"]);
        assert!(tree.cluster.contains_key("application-grove-notes.yaml"));
        assert_eq!(tree.charts.keys().collect::<Vec<_>>(), ["notes/a.yaml"]);
        assert_eq!(
            tree.cluster["project-grove-shared.yaml"]["spec"]["sourceRepos"],
            json!(["deploy", "charts"])
        );
        let before = removed.clone();
        assert!(keep(&mut removed, &record, &running, &["notes".to_owned()]).is_empty());
        assert_eq!(removed, before);
    }
}
