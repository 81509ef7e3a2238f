//! Reaching clusters.

use grove_cluster::{Access, Connection};
use grove_fleet::model::Cluster;

use crate::{Around, Error, Result};

impl Around {
    /// How a cluster is reached.
    pub fn access(&self, cluster: &Cluster) -> Access {
        Access {
            kubeconfigs: self.kubeconfigs.clone(),
            context: self.context.clone(),
            server: cluster.server.clone(),
            uid: cluster.uid.clone(),
        }
    }

    /// Reaches a cluster, and proves that it is the one that is meant.
    pub async fn connect(&self, cluster: &Cluster) -> Result<Connection> {
        if let Some(clusters) = &self.instead.clusters {
            return clusters.connect(cluster).await;
        }
        Ok(Connection::open(&cluster.name, &self.access(cluster)).await?)
    }
}

/// A cluster whose uid is not recorded could be any: nothing is written to it.
pub(crate) fn proven(cluster: &Cluster) -> Result<()> {
    if cluster.uid.is_some() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "`cluster.yaml` of {} does not say which cluster it is",
        cluster.name
    ))
    .hint("`grove cluster bootstrap` records it"))
}
