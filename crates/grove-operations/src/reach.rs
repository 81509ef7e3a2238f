//! Reaching clusters.

use grove_cluster::{Access, Connection};
use grove_fleet::model::Cluster;

use crate::{Around, Error, Result, place::Place};

impl Around {
    /// How a cluster is reached.
    pub fn access(&self, cluster: &Cluster) -> Access {
        let files = self
            .kubeconfigs
            .iter()
            .map(|file| self.directory.join(file));
        Access {
            kubeconfigs: files.collect(),
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
        let opened = Connection::open(&cluster.name, &self.access(cluster)).await;
        opened.map_err(|error| {
            let files = self.kubeconfigs.iter();
            files.fold(error.into(), |error, file| {
                Place::of(self, file).named(error)
            })
        })
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
