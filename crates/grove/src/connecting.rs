//! Reaching clusters: the user's kubeconfig, and the runtime in which the API is spoken.

use std::{future::Future, path::PathBuf};

use grove_cluster::{Access, Connection};
use grove_fleet::model::Cluster;

use crate::{
    error::{CommandError, Exit, Result, from_error},
    surroundings,
};

from_error!(grove_cluster::Error, |error| match error {
    grove_cluster::Error::NoKubeconfig | grove_cluster::Error::NoContext { .. } => Exit::Usage,
    grove_cluster::Error::AnotherCluster { .. }
    | grove_cluster::Error::Conflict { .. }
    | grove_cluster::Error::Locked { .. } => Exit::Refused,
    _ => Exit::Tool,
});

/// How clusters are reached.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Reach {
    /// The kubeconfig to use; default: `KUBECONFIG`, else `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context to use; default: the one whose server is `kubernetes.server` of `cluster.yaml`,
    /// else the one with the cluster's name.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
}

impl Reach {
    /// How `cluster` is reached.
    pub(crate) fn access(&self, cluster: &Cluster) -> Access {
        let kubeconfigs = match &self.kubeconfig {
            Some(path) => vec![path.clone()],
            None => surroundings::kubeconfigs(),
        };
        Access {
            kubeconfigs,
            context: self.context.clone(),
            server: cluster.server.clone(),
            uid: cluster.uid.clone(),
        }
    }

    /// Reaches a cluster, and proves that it is the one that is meant.
    pub(crate) async fn connect(&self, cluster: &Cluster) -> Result<Connection> {
        Ok(Connection::open(&cluster.name, &self.access(cluster)).await?)
    }
}

/// Runs what speaks to clusters to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            CommandError::from_error(Exit::Tool, &error).context("cannot start the runtime")
        })?
        .block_on(future)
}
