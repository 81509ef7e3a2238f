//! A fleet that was loaded and checked: layers merged, names valid, everything typed.

mod build;
mod cluster;
mod data;
mod domain;
mod flags;
mod frontend;
mod image;
mod instance;
mod mail;
mod waits;
mod workload;

pub use build::{Build, Login, ThemeSource};
pub use cluster::{Certificate, Chart, Cluster, Harmony};
pub use data::{
    Admin, Credentials, Data, Engine, Manage, Mode, OPENEDX, Outside, Search, Server, Volume,
    WITH_DATABASE, credentials, prefix,
};
pub use domain::{Domain, OwnCertificate};
pub use flags::{Flag, Flags, is_flag_name};
pub use frontend::{Mfe, Theme, Tokens};
pub use grove_core::{
    Address, Distribution, Identity, Lock, LockError, LockedPlugin, Requirement, Wheel,
};
pub use image::{ImageError, ImageName};
pub use instance::{
    Environment, Image, Instance, PluginFile, Role, SecretReference, Settings, TypedText,
};
pub use mail::{Encryption, Mail, is_sender};
pub use waits::Waits;
pub use workload::{
    Cron, Maintenance, Network, Overlap, PodSecurity, PodSecurityLevel, Quota, Resources, Scaling,
    State, Worker,
};

use std::collections::BTreeMap;

use grove_stack::stack::{self, Stack};

/// A fleet at one revision.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// `name` of `grove.yaml`.
    pub name: String,
    /// `deploy.remote`: a URL or path in which `{cluster}` stands for the cluster's name.
    pub deploy_remote: String,
    /// `registry.push`, where images of this fleet live.
    pub registry: Option<String>,
    /// `registry.pull_secret`: the name of the secret with which images are pulled.
    pub pull_secret: Option<String>,
    /// `published_key`: the file that holds the private key of a fleet that anyone may read.
    pub published_key: Option<String>,
    /// The rings' names, in the order in which changes reach them.
    pub rings: Vec<String>,
    /// By name.
    pub distributions: BTreeMap<String, Distribution>,
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Every instance of every cluster.
    pub instances: BTreeMap<Address, Instance>,
    /// Every stack of every cluster and instance.
    pub stacks: BTreeMap<stack::Address, Stack>,
}
