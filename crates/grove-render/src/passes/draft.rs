//! What passes work on.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::model::{Cluster, Distribution, Instance};
use serde_json::{Map, Value};

use crate::{
    Error, Task,
    object::{Object, Objects},
};

/// A deploy tree in the making.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    /// The fleet's name.
    pub(crate) fleet: &'a str,
    /// The secret with which images are pulled.
    pub(crate) pull_secret: Option<&'a str>,
    pub(crate) cluster: &'a Cluster,
    pub(crate) instance: &'a Instance,
    /// The other instances of the cluster.
    pub(crate) others: Vec<&'a Instance>,
    pub(crate) distribution: &'a Distribution,
    pub(crate) deploy_remote: &'a str,
    /// Init tasks, in Tutor's order.
    pub(crate) tasks: Vec<Task>,
    /// Names of the generated configuration.
    pub(crate) generators: BTreeSet<String>,
    /// The first number of Tutor's version.
    pub(crate) tutor_major: u32,
    /// Logical names of the Jobs that gate Deployments, in the order in which they run.
    pub(crate) job_order: Vec<String>,
    /// The instance's objects.
    pub(crate) objects: Objects,
    /// What Argo CD's root Application applies.
    pub(crate) apps: Objects,
    /// See [`crate::Tree::images`].
    pub(crate) images: BTreeMap<String, String>,
    /// See [`crate::Tree::marks`].
    pub(crate) marks: BTreeMap<String, String>,
}

impl Draft<'_> {
    /// Adds an object of ours to the instance's, in its namespace.
    pub(super) fn add(
        &mut self,
        api: &str,
        kind: &str,
        name: &str,
        body: Value,
    ) -> Result<(), Error> {
        let body = match body {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        let mut object = Object::new(api, kind, name, body);
        object.set_metadata("namespace", self.instance.identity.namespace.clone().into());
        self.objects.add(object)
    }
}
