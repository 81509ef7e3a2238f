//! One Open edX site on one cluster, all layers merged.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Address, Build, Cron, Data, Domain, Flags, Identity, Mail, Maintenance, Mfe, Network,
    PodSecurity, Quota, Resources, Scaling, State, Theme, Waits, Worker,
};
use crate::words::words;

/// An instance with its layers merged.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name in the fleet.
    pub address: Address,
    /// `client`: whom it belongs to.
    pub client: String,
    /// `environment`.
    pub environment: Environment,
    /// `groups`, in their order.
    pub groups: Vec<String>,
    /// `ring`.
    pub ring: Option<String>,
    /// `labels` of the operator's own, for selectors.
    pub labels: BTreeMap<String, String>,
    /// `identity`, written once.
    pub identity: Identity,
    /// `distribution`, by name.
    pub distribution: String,
    /// `hosts`: service → host name.
    pub hosts: BTreeMap<String, String>,
    /// `domains`: further host name → what it serves.
    pub domains: BTreeMap<String, Domain>,
    /// `site`: the site configuration of the LMS's own name.
    pub site: Option<serde_json::Map<String, serde_json::Value>>,
    /// Names of the plugins that are on.
    pub plugins: Vec<String>,
    /// Plugins that are files of the fleet and are on, by name.
    pub plugin_files: BTreeMap<String, PluginFile>,
    /// `config`: the operator's values of Tutor's keys.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// `env`: settings by `common`, `lms` and `cms`.
    pub env: BTreeMap<String, Settings>,
    /// `images`: component → image.
    pub images: BTreeMap<String, Image>,
    /// `data`: where its data is, and on whose servers.
    pub data: Data,
    /// `pod_security`: what its pods may do on their nodes.
    pub pod_security: PodSecurity,
    /// `mfes`: name → a micro-frontend that is added, replaced or left out.
    pub mfes: BTreeMap<String, Mfe>,
    /// `theme`: its look.
    pub theme: Theme,
    /// `packages` and `build`: what its image has more than Tutor's own.
    pub build: Build,
    /// `mail`: how it sends mail, where not by Tutor's own relay.
    pub mail: Option<Mail>,
    /// `state`: what it does.
    pub state: State,
    /// `maintenance`: what is answered in that state.
    pub maintenance: Maintenance,
    /// `resources`: workload → what it needs.
    pub resources: BTreeMap<String, Resources>,
    /// `autoscaling`: workload → how many there are.
    pub autoscaling: BTreeMap<String, Scaling>,
    /// `workers`: name → what it takes off the worker of its service.
    pub workers: BTreeMap<String, Worker>,
    /// `cron`: name → job.
    pub cron: BTreeMap<String, Cron>,
    /// `flags`: feature flags in its database; none where the fleet leaves them alone.
    pub flags: Option<Flags>,
    /// `network`: what its pods reach.
    pub network: Network,
    /// `quota.hard`: what it may use together.
    pub quota: Quota,
    /// `quota.container`: what a container has that states nothing.
    pub container: Resources,
    /// `access`: group of the identity provider → its role in Argo CD.
    pub access: BTreeMap<String, Role>,
    /// What `config`, `env` and `data` wait for: outputs that no stack has given yet.
    pub waits: Vec<Waits>,
    /// Every secret that it may use, by name: from its cluster, its groups and its own file.
    pub secrets: BTreeMap<String, SecretReference>,
}

words! {
    /// What an instance is for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Environment {
        /// It serves a client's learners.
        #[default]
        Production = "production",
        /// A rehearsal of production.
        Staging = "staging",
        /// For developers.
        Development = "development",
        /// It has an owner and an end date.
        Sandbox = "sandbox",
    }
}

words! {
    /// What a group may do with an instance in Argo CD.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Role {
        /// Sees the instance and reads its logs.
        Viewer = "viewer",
        /// May also sync it and restart its workloads.
        Operator = "operator",
    }
}

/// A plugin that is a file: Python (`.py`, Tutor's v1) or YAML (`.yml`, v0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// Where it stands in the fleet.
    pub path: String,
    /// Its content.
    pub content: Arc<[u8]>,
}

/// Settings of one service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Feature flags: `FEATURES` of Open edX.
    pub features: BTreeMap<String, bool>,
    /// Typed Django settings.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Text that is added to the production settings, as Python.
    pub production: Option<TypedText>,
}

/// Text of a known language, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedText {
    /// The file of the fleet.
    pub path: String,
    /// The text.
    pub text: String,
}

/// An image that the fleet states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `registry/name:tag@digest`, as a container engine reads it.
    pub reference: String,
}

/// A value in a SOPS file, still encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReference {
    /// The file, from the fleet's root.
    pub file: String,
    /// The keys that lead to it, the file's root first.
    pub path: Vec<String>,
    /// `sha256:` and 64 digits of the encrypted text: it changes when the file is written anew with
    /// another value, and lets an unchanged one be known without a key.
    pub digest: String,
}
