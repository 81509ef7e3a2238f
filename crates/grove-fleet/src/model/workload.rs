//! How an instance's workloads run: what each needs, how many there are, and when a job is due.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Quantity, words::words};

/// What `resources` says of one workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// `requests`: what a node keeps free for each pod; `cpu`, `memory` and the like.
    pub requests: BTreeMap<String, Quantity>,
    /// `limits`: what a pod gets at most.
    pub limits: BTreeMap<String, Quantity>,
    /// `replicas`: how many pods.
    pub replicas: Option<u64>,
    /// `concurrency`: how many requests or tasks a pod works on at once.
    pub concurrency: Option<u64>,
    /// `probes`: whether Kubernetes asks each pod if it is well.
    pub probes: bool,
    /// `grace`: seconds that a pod has to end its work.
    pub grace: Option<u64>,
    /// `nodes`: labels of the nodes that it may run on.
    pub nodes: BTreeMap<String, String>,
    /// `tolerations`, as Kubernetes has them.
    pub tolerations: Vec<Value>,
}

/// What `autoscaling` says of one workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scaling {
    /// `min`: the fewest pods.
    pub min: u64,
    /// `max`: the most pods.
    pub max: u64,
    /// `cpu`: the share of the request in percent at which pods are added.
    pub cpu: Option<u64>,
    /// `memory`: the same for memory.
    pub memory: Option<u64>,
}

words! {
    /// What an instance does.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    pub enum State {
        /// It serves.
        #[default]
        Active = "active",
        /// It answers 503, and its pods run on.
        Maintenance = "maintenance",
        /// No pod runs, data is kept.
        Stopped = "stopped",
    }
}

/// `maintenance`: what is answered while it lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// `message`: what the page says.
    pub message: Option<String>,
    /// `allow`: addresses and networks that reach the site all the same.
    pub allow: Vec<String>,
}

/// A job that `cron` has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cron {
    /// `schedule`: five fields, or a word such as `@daily`.
    pub schedule: String,
    /// `timezone`: a name of the IANA database; UTC where nothing is said.
    pub timezone: Option<String>,
    /// `service`: the workload whose image, configuration and secrets it has.
    pub service: String,
    /// `command`: program and arguments. No shell reads them.
    pub command: Vec<String>,
    /// `overlap`: what happens when the last one still runs.
    pub overlap: Overlap,
    /// `deadline`: seconds that it may take.
    pub deadline: Option<u64>,
}

words! {
    /// What happens when a job is due and the last one still runs.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Overlap {
        /// It is left out.
        #[default]
        Skip = "skip",
        /// It runs beside the last one.
        Allow = "allow",
        /// The last one is ended.
        Replace = "replace",
    }
}

/// `network`: what an instance's pods reach, and how much it may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `isolate`: whether only what Tutor's services need gets through.
    pub isolate: bool,
    /// `ingress`: namespaces from which requests come in, beside its own.
    pub ingress: Vec<String>,
    /// `egress`: networks that pods may reach while isolated, beside the whole internet where empty.
    pub egress: Vec<String>,
}

/// What an instance may use together: `quota`, by Kubernetes' name of a resource (`requests.cpu`).
pub type Quota = BTreeMap<String, Quantity>;

/// A further worker of LMS or CMS, for some of its queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worker {
    /// `service`: `lms` or `cms`.
    pub service: String,
    /// `queues` of Celery.
    pub queues: Vec<String>,
}

/// What pods of an instance may do on their nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSecurity {
    /// The level that the namespace enforces.
    pub level: PodSecurityLevel,
    /// Why it is not the default.
    pub reason: Option<String>,
}

words! {
    /// A level of Kubernetes' Pod Security Standards
    /// (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum PodSecurityLevel {
        /// Nothing by which a pod gets more rights than it has.
        #[default]
        Baseline = "baseline",
        /// Everything: an exception, with its reason.
        Privileged = "privileged",
    }
}
