//! The passes, in the order in which they run.
//!
//! Each pass does one thing to the objects that Tutor and Kustomize made, and says what: [`Pass`]
//! carries the reason and every place that it may change. A test holds each pass to that list, so
//! whatever differs from plain Tutor is named here.
#![allow(
    clippy::unnecessary_wraps,
    reason = "every pass has one type, and not each can fail"
)]

mod autoscalers;
mod autoscaling;
mod certificates;
mod cron;
mod data;
mod development;
mod disruption;
mod domains;
mod error_pages;
mod flags;
mod hosts;
mod images;
mod ingress;
mod isolation;
mod job_settings;
mod jobs;
mod labels;
mod maintenance;
mod marks;
mod namespace;
mod project;
mod protect;
mod pull_secret;
mod quota;
mod resources;
mod services;
mod sites;
mod stopped;
mod suffixes;
mod version;
mod waves;
mod workers;

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::model::{Cluster, Distribution, Instance};
use serde_json::{Map, Value};

use crate::{
    Error, Task,
    object::{Object, Objects},
};

/// One step between Tutor's objects and the deploy tree.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What differs from plain Tutor after it, and why.
    pub summary: &'static str,
    /// What it may change: `Kind` for whole objects that come or go, `Kind /json/pointer` for a
    /// field and everything below it. `*` stands for every kind, or for one step of a pointer.
    pub changes: &'static [&'static str],
    pub(crate) apply: fn(&mut Draft<'_>) -> Result<(), Error>,
}

/// Every pass, in the order in which they run.
pub fn passes() -> &'static [Pass] {
    &[
        suffixes::PASS,
        development::PASS,
        namespace::PASS,
        version::PASS,
        services::PASS,
        data::PASS,
        workers::PASS,
        resources::PASS,
        autoscalers::PASS,
        autoscaling::PASS,
        disruption::PASS,
        domains::PASS,
        cron::PASS,
        maintenance::PASS,
        flags::PASS,
        sites::PASS,
        jobs::PASS,
        job_settings::PASS,
        ingress::PASS,
        error_pages::PASS,
        certificates::PASS,
        hosts::PASS,
        pull_secret::PASS,
        quota::PASS,
        isolation::PASS,
        stopped::PASS,
        project::PASS,
        waves::PASS,
        protect::PASS,
        labels::PASS,
        images::PASS,
        marks::PASS,
    ]
}

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
    fn add(&mut self, api: &str, kind: &str, name: &str, body: Value) -> Result<(), Error> {
        let body = match body {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        let mut object = Object::new(api, kind, name, body);
        object.set_metadata("namespace", self.instance.identity.namespace.clone().into());
        self.objects.add(object)
    }
}
