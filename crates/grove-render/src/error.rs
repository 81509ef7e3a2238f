//! What rendering refuses, and what to do about it.

/// Why an instance cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value that Kustomize printed is no Kubernetes object.
    #[error("object {index} of the environment is not a Kubernetes object: {reason}")]
    NotAnObject {
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that Kubernetes would not take, or that is unfit for a file name.
    #[error("{kind} has the name {name:?}, which is not a valid Kubernetes name")]
    BadName {
        /// The object's kind.
        kind: String,
        /// The name as it stands.
        name: String,
    },
    /// Two objects of one kind and name.
    #[error("{object} is there twice")]
    Duplicate {
        /// `Kind/name`.
        object: String,
    },
    /// A label or annotation under our prefix that did not come from us.
    #[error("{object} carries {key}, which only Grove may set")]
    ReservedKey {
        /// `Kind/name`.
        object: String,
        /// The label's or annotation's key.
        key: String,
    },
    /// An object for a namespace that is not the instance's.
    #[error("{object} is for the namespace {namespace:?}, and the instance has {own:?}")]
    OtherNamespace {
        /// `Kind/name`.
        object: String,
        /// The namespace that it names.
        namespace: String,
        /// The instance's namespace.
        own: String,
    },
    /// A further worker that could not work.
    #[error("`workers.{name}` cannot work: {why}")]
    BadWorker {
        /// Its name.
        name: String,
        /// Why not.
        why: String,
    },
    /// A volume of a service that has none.
    #[error("`data.{service}.volume` is for a volume that the environment does not have")]
    NoVolume {
        /// The service, a key of `data`.
        service: String,
    },
    /// A kind of object that an instance's project does not let in.
    #[error("{object} ({api}) is of a kind that an instance may not have")]
    RefusedKind {
        /// `Kind/name`.
        object: String,
        /// Its `apiVersion`.
        api: String,
    },
    /// An object with a field that reaches beyond the instance.
    #[error("{object} sets {field}, which reaches beyond the instance")]
    RefusedField {
        /// `Kind/name`.
        object: String,
        /// The field's path.
        field: String,
    },
    /// The hashed name of a generated `ConfigMap` where no pod reads its configuration.
    #[error("{object} names the generated ConfigMap {name:?} in a place that cannot be followed")]
    UnknownReference {
        /// `Kind/name`.
        object: String,
        /// The name with its hash.
        name: String,
    },
    /// An init task whose service has no template Job.
    #[error("an init task runs in {service}, and there is no Job {service}-job to run it")]
    NoTemplate {
        /// The task's service.
        service: String,
    },
    /// A workload that the environment does not have.
    #[error("`{key}` names {workload}, and the environment has no such workload")]
    UnknownWorkload {
        /// The key of the fleet.
        key: String,
        /// The name as it stands.
        workload: String,
        /// One that there is.
        near: Option<String>,
    },
    /// More than one pod of what keeps data.
    #[error("{workload} keeps data on one volume, and two pods of it would spoil it")]
    ScaledDataService {
        /// The workload.
        workload: String,
    },
    /// A limit that no pod could start under.
    #[error("{workload} requests {request} of {resource}, and its limit is {limit}")]
    LimitBelowRequest {
        /// The workload.
        workload: String,
        /// `cpu`, `memory` and the like.
        resource: String,
        /// The limit.
        limit: String,
        /// The request, the fleet's or Tutor's own.
        request: String,
    },
    /// A share of a request that nobody states.
    #[error(
        "`autoscaling.{workload}.{resource}` is a share of what {workload} requests, and it requests no {resource}"
    )]
    NoRequest {
        /// The workload.
        workload: String,
        /// `cpu` or `memory`.
        resource: String,
    },
    /// A workload whose concurrency cannot be said.
    #[error("nothing is known by which {workload} could be told how much to do at once")]
    NoConcurrency {
        /// The workload.
        workload: String,
    },
    /// A workload that cannot be asked how it is.
    #[error("{workload} opens no port at which it could be asked whether it is well")]
    NoProbe {
        /// The workload.
        workload: String,
    },
    /// Images that nobody could pull.
    #[error("`registry.pull_secret` is {secret}, which the instance does not have")]
    NoPullSecret {
        /// The secret's name.
        secret: String,
    },
    /// A certificate whose key is in no secrets file.
    #[error(
        "the certificate of {domain} has its key in {secret}, which the instance does not have"
    )]
    NoKeyOfCertificate {
        /// The domain.
        domain: String,
        /// The secret's name.
        secret: String,
    },
    /// More site configuration than a task can take.
    #[error("`site` has {bytes} bytes in all, and a task takes at most {limit}")]
    LargeSites {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A job of `cron` that could never run.
    #[error("`cron.{name}` cannot run: {reason}")]
    BadCron {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A name that no flag can have.
    #[error("`flags` has the name {name:?}, which no flag can have")]
    BadFlag {
        /// The name.
        name: String,
    },
    /// Text that is no address and no network.
    #[error("`{key}` has {text:?}, which is no address and no network")]
    BadNetwork {
        /// The key of the fleet.
        key: String,
        /// The text.
        text: String,
    },
    /// An isolated instance that no request could reach.
    #[error(
        "`network.isolate` lets nobody in: the cluster has no Harmony, and `network.ingress` names no namespace"
    )]
    NobodyComesIn,
    /// A quota that the instance exceeds by itself.
    #[error("`quota.hard` allows {allowed} of {resource}, and the instance needs {needed}")]
    QuotaTooSmall {
        /// The resource, as the quota names it.
        resource: String,
        /// What the quota allows.
        allowed: String,
        /// What all workloads need, and one Job.
        needed: String,
    },
    /// A quota over what a container does not state.
    #[error(
        "`quota.hard` counts {quota}, and {object} states no {key}: none of its pods would start"
    )]
    QuotaNeedsAmount {
        /// The resource, as the quota names it.
        quota: String,
        /// `Kind/name`.
        object: String,
        /// What is not stated.
        key: String,
    },
    /// There is no Caddy to send requests to.
    #[error("{missing} is not in the environment, and Caddy is what every host is served by")]
    NoRouter {
        /// What was looked for.
        missing: String,
    },
    /// A Caddyfile that cannot be read.
    #[error("line {line} of Caddy's configuration: {reason}")]
    Caddyfile {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A host of `hosts` that no site of Caddy's answers.
    #[error("nothing in the environment serves {host}, which `hosts` gives to {service}")]
    HostNotServed {
        /// The key in `hosts`.
        service: String,
        /// The host name.
        host: String,
    },
    /// A host that the instance does not state, and that is below no host of it.
    #[error("{object} takes {host}, which neither `hosts` nor `domains` states")]
    HostNotStated {
        /// `Kind/name`.
        object: String,
        /// The host name.
        host: String,
    },
    /// A host that is another instance's, or that another instance is nearer to.
    #[error("{object} takes {host}, and {other} states {stated}")]
    HostOfOther {
        /// `Kind/name`.
        object: String,
        /// The host name.
        host: String,
        /// The host or domain of the other instance: `host`, or a parent of it.
        stated: String,
        /// The other instance's address.
        other: String,
    },
    /// A wildcard, or an object that takes every host.
    #[error("{object} takes {}, which is not one host name", if .host.is_empty() { "every host".to_owned() } else { format!("{host:?}") })]
    OpenHost {
        /// `Kind/name`.
        object: String,
        /// The host name.
        host: String,
    },
    /// A further domain for a service that has no host.
    #[error("the domain {domain} is for {service}, which has no host")]
    DomainWithoutService {
        /// The further name.
        domain: String,
        /// The service it names.
        service: String,
    },
    /// A host or domain that is no host name.
    #[error("{host:?} is not a host name in lower case")]
    BadHost {
        /// As it stands.
        host: String,
    },
    /// A service without which Tutor makes a host up.
    #[error("`hosts` has no {service}")]
    MissingHost {
        /// The service.
        service: String,
    },
    /// A Job with a name that leaves no room for the hash that sealing adds.
    #[error("the name of {object} is longer than the {limit} characters that a Job may have here")]
    LongJobName {
        /// `Kind/name`.
        object: String,
        /// How long the name may be.
        limit: usize,
    },
    /// More names than one certificate may hold.
    #[error("{count} names are served, and a certificate holds at most {limit}")]
    TooManyNames {
        /// How many names the certificate would hold.
        count: usize,
        /// How many it may hold.
        limit: usize,
    },
    /// A value that cannot be a label.
    #[error("{value:?} cannot be the value of the label {key}")]
    BadLabel {
        /// The label's key.
        key: String,
        /// The value.
        value: String,
    },
    /// An image of the fleet that is not what came out.
    #[error("`images.{component}` asks for {asked}, and {object} has {found}")]
    ImageDiffers {
        /// The component.
        component: String,
        /// The reference in the fleet.
        asked: String,
        /// The reference in the object.
        found: String,
        /// `Kind/name`.
        object: String,
    },
    /// An image for a component that nobody knows.
    #[error("`images.{component}` is for a component that the environment does not have")]
    UnknownComponent {
        /// The component.
        component: String,
    },
    /// A deploy remote that would let a project read from other repositories.
    #[error("the deploy remote {remote:?} would be read as a pattern")]
    RemotePattern {
        /// The remote.
        remote: String,
    },
}

impl Error {
    /// What to do next, where it is not plain from the message.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotAnObject { .. } | Self::BadName { .. } | Self::Duplicate { .. } => {
                "a plugin's Kubernetes patch is the usual cause"
            }
            Self::LargeSites { .. } => "large texts belong into a theme or a file of the image",
            Self::ReservedKey { .. } => "remove it from the plugin that adds it",
            Self::OtherNamespace { .. } => "an instance's objects belong to its own namespace",
            Self::RefusedKind { .. } => {
                "what a cluster's instances share belongs to the cluster; a plugin of the instance cannot bring it"
            }
            Self::RefusedField { .. } => "remove the field from the plugin that adds it",
            Self::UnknownReference { .. } => {
                "set `disableNameSuffixHash` on the generator, or mount the ConfigMap as a volume"
            }
            Self::NoTemplate { .. } => {
                "a plugin that adds a task for a new service adds its Job to the patch `k8s-jobs`"
            }
            Self::UnknownWorkload {
                near: Some(near), ..
            } => return Some(format!("there is `{near}`")),
            Self::UnknownWorkload { near: None, .. } => {
                "workloads are Deployments and StatefulSets: `grove render` writes them"
            }
            Self::NoVolume { .. } => "take the key out where the service is not in the namespace",
            Self::ScaledDataService { .. } => "leave it at one",
            Self::LimitBelowRequest { .. } => "raise the limit, or state a smaller request as well",
            Self::NoRequest { .. } => "state it under `resources.<workload>.requests`",
            Self::NoConcurrency { .. } | Self::NoProbe { .. } => "take the key out",
            Self::NoPullSecret { .. } | Self::NoKeyOfCertificate { .. } => {
                "`grove secret set CLUSTER NAME` gives it to all of a cluster"
            }
            Self::BadCron { .. } | Self::BadWorker { .. } => {
                "see `grove schema instance`, or leave it out with `null`"
            }
            Self::BadFlag { .. } => "at most 100 characters, none of them a blank",
            Self::BadNetwork { .. } => {
                "an address is like `203.0.113.7`, a network like `198.51.100.0/24`"
            }
            Self::NobodyComesIn => {
                "name the namespace of the ingress controller under `network.ingress`"
            }
            Self::QuotaTooSmall { .. } => {
                "raise the quota, or state less under `resources` and `autoscaling`"
            }
            Self::QuotaNeedsAmount { .. } => {
                "state it under `resources`, or for all containers under `quota.container`"
            }
            Self::NoRouter { .. } => "leave Tutor's Caddy in place",
            Self::Caddyfile { .. } => {
                "sites in the patch `caddyfile` look like `host{$default_site_port} {`"
            }
            Self::HostNotServed { .. } => {
                "remove it, or turn on the plugin that serves it (keys of `hosts` are services)"
            }
            Self::HostNotStated { .. } => "state it under `hosts` or `domains`",
            Self::HostOfOther { .. } => {
                "state it under `hosts` or `domains` of the one instance that it belongs to"
            }
            Self::OpenHost { .. } => {
                "name each host, and state it under `hosts` or `domains` of the instance"
            }
            Self::DomainWithoutService { .. } => "name a key of `hosts`",
            Self::BadHost { .. } => "letters, digits, `-` and `.`, as in learn.uni.example",
            Self::MissingHost { .. } => "every instance states its hosts for `lms` and `cms`",
            Self::LongJobName { .. } => "shorten it in the plugin that adds it",
            Self::TooManyNames { .. } => {
                "give some of the names to `domains`: each has a certificate"
            }
            Self::BadLabel { .. } => {
                "letters, digits, `-`, `_` and `.`, at most 63 characters, a letter or digit at both ends"
            }
            Self::ImageDiffers { .. } => "a plugin overrides the image; state one of the two",
            Self::UnknownComponent { .. } => "state it only where the plugin that runs it is on",
            Self::RemotePattern { .. } => "use a remote without `*` and without `!` at its start",
        };
        Some(hint.to_owned())
    }
}
