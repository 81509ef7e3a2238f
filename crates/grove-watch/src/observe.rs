//! Asking one cluster, once.

use std::collections::BTreeMap;

use grove_cluster::{Connection, Error, argo::Application};
use jiff::Timestamp;
use kube::api::ListParams;

use crate::{
    Workflow,
    facts::{Facts, Kind, Read, ReadApplication, ReadCertificate, ReadWorkflow},
    unready::unready,
};

/// How many objects one answer may have: each is made small before the next page is asked for.
pub(crate) const PAGE: u32 = 100;

/// What a cluster says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Kubernetes' version.
    pub kubernetes: String,
    /// Argo CD's Applications, by name.
    pub applications: BTreeMap<String, Application>,
    /// Whether they could not be read: then one that is not here may be there.
    pub applications_unread: bool,
    /// Namespace → when the first of its certificates ends.
    pub certificates: BTreeMap<String, Timestamp>,
    /// Argo's Workflows that run or failed; none where the cluster does not know the kind.
    pub workflows: Vec<Workflow>,
    /// Namespace of an Application that is not healthy → what is not ready there, in words.
    pub unready: BTreeMap<String, Vec<String>>,
    /// What could not be read though the cluster answered, such as a kind that it does not know.
    pub unread: Vec<String>,
}

/// Asks a cluster for everything at once. Only what the user may read is needed: see
/// `docs/read-only-access.md`.
pub async fn observe(connection: &Connection, argocd: &str) -> Result<Observation, Error> {
    let (version, applications, certificates, workflows) = tokio::join!(
        version(connection),
        list::<ReadApplication>(connection, argocd),
        list::<ReadCertificate>(connection, argocd),
        list::<ReadWorkflow>(connection, argocd),
    );
    let mut facts = Facts::default();
    for (kind, listed) in Kind::ALL
        .into_iter()
        .zip([applications, certificates, workflows])
    {
        match listed {
            Ok(listed) => facts.replace(kind, listed),
            Err(error) if error.is_unreachable() => return Err(error),
            Err(error) => facts.unread(kind, &error),
        };
    }
    complete(connection, &facts, &version?).await
}

/// Kubernetes' version; the shortest question that a cluster can be asked.
pub(crate) async fn version(connection: &Connection) -> Result<String, Error> {
    let asked = connection.client().apiserver_version();
    Ok(connection.ask("get /version", asked).await?.git_version)
}

/// The facts, and what is not ready where an Application is not healthy.
pub(crate) async fn complete(
    connection: &Connection,
    facts: &Facts,
    version: &str,
) -> Result<Observation, Error> {
    let mut observation = facts.observation(version);
    match unready(connection, facts).await {
        Ok(unready) => observation.unready = unready,
        Err(error) if error.is_unreachable() => return Err(error),
        Err(error) => observation.unread.push(error.to_string()),
    }
    Ok(observation)
}

async fn list<R: Read>(connection: &Connection, argocd: &str) -> Result<Facts, Error> {
    let (api, doing) = (R::KIND.api::<R>(connection, argocd), R::KIND.doing("list"));
    let mut facts = Facts::default();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = connection.ask(&doing, api.list(&parameters)).await?;
        for object in page.items {
            facts.put((object.place(), object.fact()));
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = ListParams::default().limit(PAGE).continue_token(&token),
            None => return Ok(facts),
        }
    }
}
