//! The whole way from Tutor's objects to a deploy tree.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Fleet,
    addons::MAINTENANCE_PAGES,
    model::{Cluster, Distribution, Instance},
};
use serde_json::Value;

use crate::{
    Change, Error, HARMONY, TutorOutput,
    object::{self, Objects, each_text},
    passes::{Draft, passes},
    trace,
};

/// The longest name of a file; every file system takes it.
const FILE_NAME_LIMIT: usize = 255;

/// What an instance is rendered from.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The instance's cluster.
    pub cluster: &'a Cluster,
    /// The instance.
    pub instance: &'a Instance,
    /// The instance's distribution.
    pub distribution: &'a Distribution,
    /// The deploy repository, with the cluster's name in place of `{cluster}`.
    pub deploy_remote: &'a str,
    /// What Tutor and Kustomize made of [`crate::request`].
    pub output: TutorOutput,
}

/// An instance's part of a deploy tree, before sealing: secrets are placeholders, and objects that
/// sealing names by content have their logical names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The instance's objects, by file name: `<kind>-<name>.yaml`, in lower case.
    pub objects: BTreeMap<String, Value>,
    /// What the cluster's own Application applies, by file name: `<instance>-namespace.yaml`,
    /// `<instance>-project.yaml` and `<instance>-application.yaml`.
    pub apps: BTreeMap<String, Value>,
    /// The image of each component; `component/workload` where workloads of one differ.
    pub images: BTreeMap<String, String>,
    /// The name of every placeholder in `objects`.
    pub secrets: BTreeSet<String>,
    /// What data cannot go back across, and where it stands: `openedx` the release, and the versions
    /// of data services in the namespace.
    pub marks: BTreeMap<String, String>,
    /// The parts of the cluster's shared part that must be there first.
    pub needs: BTreeSet<String>,
}

/// Renders an instance. The same input gives the same tree, in whatever order its objects come.
pub fn render(input: Input<'_>) -> Result<Tree, Error> {
    let mut draft = draft(input)?;
    for pass in passes() {
        (pass.apply)(&mut draft)?;
    }
    tree(draft)
}

/// Renders an instance, and says what each pass changed in its objects; for tests and `explain`.
pub fn render_traced(input: Input<'_>) -> Result<(Tree, Vec<Change>), Error> {
    let mut draft = draft(input)?;
    let mut changes = Vec::new();
    for pass in passes() {
        let (objects, apps) = (draft.objects.clone(), draft.apps.clone());
        (pass.apply)(&mut draft)?;
        changes.extend(trace::changes(pass.name, &objects, &draft.objects));
        changes.extend(trace::changes(pass.name, &apps, &draft.apps));
    }
    Ok((tree(draft)?, changes))
}

fn draft(input: Input<'_>) -> Result<Draft<'_>, Error> {
    let Input {
        fleet,
        cluster,
        instance,
        distribution,
        deploy_remote,
        output,
    } = input;
    let major = output.tutor_version.split('.').next().unwrap_or_default();
    Ok(Draft {
        fleet: &fleet.name,
        pull_secret: fleet.pull_secret.as_deref(),
        cluster,
        instance,
        others: fleet
            .instances
            .values()
            .filter(|other| {
                other.address.cluster == cluster.name && other.address != instance.address
            })
            .collect(),
        distribution,
        deploy_remote,
        tasks: output.tasks,
        generators: output.generators,
        // A version that is no number is a development version: newer than every table.
        tutor_major: major.parse().unwrap_or(u32::MAX),
        job_order: Vec::new(),
        objects: Objects::parse(output.objects)?,
        apps: Objects::default(),
        images: BTreeMap::new(),
        marks: BTreeMap::new(),
    })
}

/// Gives every object its file.
fn tree(draft: Draft<'_>) -> Result<Tree, Error> {
    let mut tree = Tree {
        images: draft.images,
        marks: draft.marks,
        needs: needs(draft.cluster, &draft.objects),
        ..Tree::default()
    };
    for object in draft.objects.into_values() {
        let id = object.id();
        let file = format!("{}-{}.yaml", id.kind.to_ascii_lowercase(), id.name);
        if file.len() > FILE_NAME_LIMIT {
            return Err(object::bad_name(&id.kind, &id.name));
        }
        tree.secrets.extend(placeholders(object.value()));
        // Kinds of two API groups can share a word.
        if tree.objects.insert(file, object.into_value()).is_some() {
            return Err(object::duplicate(&id));
        }
    }
    let instance = &draft.instance.address.instance;
    for object in draft.apps.into_values() {
        let what = match object.kind() {
            "AppProject" => "project".to_owned(),
            kind => kind.to_ascii_lowercase(),
        };
        tree.apps
            .insert(format!("{instance}-{what}.yaml"), object.into_value());
    }
    Ok(tree)
}

/// What of the shared part an instance's objects rely on: Harmony lets requests in and gives
/// certificates, and an Ingress may name the error pages.
fn needs(cluster: &Cluster, objects: &Objects) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    if objects.iter().any(|object| object.kind() == "Ingress") {
        if cluster.harmony.is_some() {
            needs.insert(HARMONY.to_owned());
        }
        if cluster.addons.contains_key(MAINTENANCE_PAGES) {
            needs.insert(MAINTENANCE_PAGES.to_owned());
        }
    }
    needs
}

/// The names of all placeholders (`@@NAME@@`) in `value`, keys included.
pub fn placeholders(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_text(value, &mut |text| {
        let mut rest = text;
        while let Some((_, behind)) = rest.split_once("@@") {
            let length = behind
                .bytes()
                .take_while(|byte| {
                    byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_'
                })
                .count();
            let (name, after) = behind.split_at(length);
            if name.starts_with(|first: char| first.is_ascii_uppercase())
                && let Some(after) = after.strip_prefix("@@")
            {
                names.insert(name.to_owned());
                rest = after;
            } else {
                // The second sign can be the first one of a placeholder.
                rest = rest
                    .get(rest.len() - behind.len() - 1..)
                    .unwrap_or_default();
            }
        }
    });
    names
}

#[cfg(test)]
mod tests;
