//! What can go wrong with a cluster.

use std::time::Duration;

/// Why something could not be done on a cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no kubeconfig.
    #[error("there is no kubeconfig")]
    NoKubeconfig,
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig cannot be used: {message}")]
    Kubeconfig {
        /// What is wrong with it, and where.
        message: String,
    },
    /// No context is the cluster's.
    #[error("no context for the cluster `{cluster}`: the kubeconfig has none {wanted}")]
    NoContext {
        /// The cluster's name in the fleet.
        cluster: String,
        /// What was looked for, as the end of the message.
        wanted: String,
        /// The contexts that there are.
        contexts: Vec<String>,
    },
    /// The API server does not answer. What runs on the cluster is not known.
    #[error("the API server {server} of the cluster `{cluster}` cannot be reached: {message}")]
    Unreachable {
        /// The cluster's name in the fleet.
        cluster: String,
        /// The server's address.
        server: String,
        /// What went wrong.
        message: String,
    },
    /// The API server did not answer in time.
    #[error("the API server {server} of the cluster `{cluster}` did not answer within {} s", .after.as_secs())]
    Slow {
        /// The cluster's name in the fleet.
        cluster: String,
        /// The server's address.
        server: String,
        /// The time that it had.
        after: Duration,
    },
    /// The API server does not know the user: a token that expired, or another cluster's credentials.
    #[error("the API server of the cluster `{cluster}` does not accept the credentials ({doing})")]
    Unauthorized {
        /// The cluster's name in the fleet.
        cluster: String,
        /// What was being done, as verb and resource.
        doing: String,
    },
    /// The user may not do it.
    #[error("not allowed on the cluster `{cluster}`: {doing}: {message}")]
    Forbidden {
        /// The cluster's name in the fleet.
        cluster: String,
        /// What was being done, as verb and resource.
        doing: String,
        /// The server's words.
        message: String,
    },
    /// The cluster is another one than `cluster.yaml` means.
    #[error(
        "the context reaches another cluster than `{cluster}`: its kube-system has the uid {found}, `cluster.yaml` states {expected}"
    )]
    AnotherCluster {
        /// The cluster's name in the fleet.
        cluster: String,
        /// The uid in `cluster.yaml`.
        expected: String,
        /// The uid that the API server has.
        found: String,
    },
    /// The API server has no such kind: its CRD is missing.
    #[error("the cluster `{cluster}` knows no {kind} ({api})")]
    UnknownKind {
        /// The cluster's name in the fleet.
        cluster: String,
        /// `apiVersion`.
        api: String,
        /// `kind`.
        kind: String,
    },
    /// Others manage fields that were to be applied.
    #[error("{object} has fields that others manage")]
    Conflict {
        /// The object.
        object: String,
        /// Each conflict in the server's words: the manager and the field.
        conflicts: Vec<String>,
    },
    /// The API server refused an object as invalid, or an admission controller did.
    #[error("the cluster `{cluster}` refuses {doing}: {message}")]
    Rejected {
        /// The cluster's name in the fleet.
        cluster: String,
        /// What was being done, as verb and resource.
        doing: String,
        /// The server's words.
        message: String,
    },
    /// Somebody else bootstraps the cluster.
    #[error("{holder} is bootstrapping the cluster `{cluster}`, and holds its lock until {until}")]
    Locked {
        /// The cluster's name in the fleet.
        cluster: String,
        /// Who, from where.
        holder: String,
        /// When the lock runs out if it is not renewed.
        until: String,
    },
    /// The cluster is not fit for what was to be done.
    #[error("the cluster `{cluster}` is not fit: {message}")]
    Unfit {
        /// The cluster's name in the fleet.
        cluster: String,
        /// Why.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The object is not there.
    #[error("there is no {object} on the cluster `{cluster}`")]
    Absent {
        /// The cluster's name in the fleet.
        cluster: String,
        /// The object.
        object: String,
    },
    /// Anything else that the API server or the way to it said.
    #[error("{doing} failed on the cluster `{cluster}`: {message}")]
    Other {
        /// The cluster's name in the fleet.
        cluster: String,
        /// What was being done, as verb and resource.
        doing: String,
        /// What went wrong.
        message: String,
    },
}

impl Error {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoKubeconfig => {
                Some("set KUBECONFIG, or name a file with `--kubeconfig`".to_owned())
            }
            Self::NoContext { contexts, .. } => Some(if contexts.is_empty() {
                "get the cluster's kubeconfig from its provider".to_owned()
            } else {
                format!(
                    "name one with `--context`; there are: {}",
                    contexts.join(", ")
                )
            }),
            Self::Unreachable { .. } | Self::Slow { .. } => Some(
                "what runs there is not known; try again, or check the network and the context"
                    .to_owned(),
            ),
            Self::Unauthorized { .. } => {
                Some("log in to the cluster again, or name another `--context`".to_owned())
            }
            Self::Forbidden { .. } => {
                Some("ask the cluster's administrator for this permission".to_owned())
            }
            Self::AnotherCluster { .. } => Some(
                "nothing was written; name the right `--context`, or correct `kubernetes.uid` in `cluster.yaml`"
                    .to_owned(),
            ),
            Self::UnknownKind { .. } => {
                Some("`grove cluster bootstrap` installs what Grove needs".to_owned())
            }
            Self::Locked { .. } => Some(
                "wait for it to end; the lock of a run that died runs out by itself".to_owned(),
            ),
            Self::Unfit { hint, .. } => Some(hint.clone()),
            Self::Conflict { .. } => Some(
                "nothing of this object was changed; let the other manager go of the fields, or say `--take-over`"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether it is certain that the object is not there. A server that does not answer is no such
    /// certainty.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Whether the cluster could not be asked, so that nothing is known about it.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Slow { .. })
    }
}
