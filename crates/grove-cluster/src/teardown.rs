//! What a cluster made at its provider, taken down before the cluster goes: load balancers and volumes
//! belong to no state, and would stay and cost for ever.

use std::{collections::BTreeSet, fmt, time::Duration};

use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Service};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams},
};

use crate::{Connection, Error};

/// How often is asked whether all is gone.
const PAUSE: Duration = Duration::from_secs(2);

/// What is still there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Namespaces of instances.
    pub namespaces: Vec<String>,
    /// Services that have a load balancer at the provider, as `namespace/name`.
    pub load_balancers: Vec<String>,
    /// Volumes, and why each stays.
    pub volumes: Vec<String>,
}

impl Left {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.load_balancers.is_empty() && self.volumes.is_empty()
    }
}

impl fmt::Display for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("namespaces", &self.namespaces),
            ("load balancers", &self.load_balancers),
            ("volumes", &self.volumes),
        ];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts
            .map(|(what, names)| format!("{what} {}", names.join(", ")))
            .collect();
        formatter.write_str(&parts.join("; "))
    }
}

/// Stops Argo CD from making anything again, then removes namespaces of instances, and every load
/// balancer and volume of the whole cluster. Gives what is left when the time is over.
///
/// # Errors
///
/// A cluster that does not answer, or allows it to nobody.
pub async fn empty(
    connection: &Connection,
    argocd_namespace: &str,
    namespaces: &BTreeSet<String>,
    limit: Duration,
    say: &dyn Fn(&str),
) -> Result<Left, Error> {
    let begun = tokio::time::Instant::now();
    say("taking Applications away, without what they made");
    applications(connection, argocd_namespace).await?;
    say("removing instances, load balancers and volumes");
    loop {
        let left = remove(connection, namespaces).await?;
        if left.is_empty() || begun.elapsed() > limit {
            return Ok(left);
        }
        say(&format!("waiting for {left}"));
        tokio::time::sleep(PAUSE).await;
    }
}

/// The Applications have no finalizer: what they made stays.
async fn applications(connection: &Connection, namespace: &str) -> Result<(), Error> {
    let api = "argoproj.io/v1alpha1";
    let resource = match connection.resource(api, "Application").await {
        Ok((resource, _)) => resource,
        // A cluster that was never bootstrapped.
        Err(Error::Absent { .. } | Error::UnknownKind { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let applications: Api<DynamicObject> =
        Api::namespaced_with(connection.client().clone(), namespace, &resource);
    let doing = format!("delete applications.argoproj.io in {namespace}");
    connection
        .ask(
            &doing,
            applications.delete_collection(&DeleteParams::default(), &ListParams::default()),
        )
        .await?;
    Ok(())
}

/// Asks for everything to go, and gives what is there still.
async fn remove(connection: &Connection, namespaces: &BTreeSet<String>) -> Result<Left, Error> {
    let client = || connection.client().clone();
    let mut left = Left::default();
    let api: Api<Namespace> = Api::all(client());
    for name in namespaces {
        let found = connection
            .ask(&format!("get namespaces {name}"), api.get_opt(name))
            .await?;
        let Some(found) = found else { continue };
        left.namespaces.push(name.clone());
        if found.metadata.deletion_timestamp.is_none() {
            gone(
                connection
                    .ask(
                        &format!("delete namespaces {name}"),
                        api.delete(name, &DeleteParams::default()),
                    )
                    .await,
            )?;
        }
    }
    let services: Api<Service> = Api::all(client());
    let all = connection
        .ask("list services", services.list(&ListParams::default()))
        .await?;
    for service in all {
        let kind = service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
        let (Some("LoadBalancer"), Some(name), Some(namespace)) =
            (kind, service.metadata.name, service.metadata.namespace)
        else {
            continue;
        };
        left.load_balancers.push(format!("{namespace}/{name}"));
        let api: Api<Service> = Api::namespaced(client(), &namespace);
        gone(
            connection
                .ask(
                    &format!("delete services {namespace}/{name}"),
                    api.delete(&name, &DeleteParams::default()),
                )
                .await,
        )?;
    }
    let claims: Api<PersistentVolumeClaim> = Api::all(client());
    let all = connection
        .ask(
            "list persistentvolumeclaims",
            claims.list(&ListParams::default()),
        )
        .await?;
    for claim in all {
        let (Some(name), Some(namespace)) = (claim.metadata.name, claim.metadata.namespace) else {
            continue;
        };
        if claim.metadata.deletion_timestamp.is_none() {
            let api: Api<PersistentVolumeClaim> = Api::namespaced(client(), &namespace);
            gone(
                connection
                    .ask(
                        &format!("delete persistentvolumeclaims {namespace}/{name}"),
                        api.delete(&name, &DeleteParams::default()),
                    )
                    .await,
            )?;
        }
    }
    let volumes: Api<PersistentVolume> = Api::all(client());
    let all = connection
        .ask(
            "list persistentvolumes",
            volumes.list(&ListParams::default()),
        )
        .await?;
    for volume in all {
        let name = volume.metadata.name.unwrap_or_default();
        let policy = volume
            .spec
            .and_then(|spec| spec.persistent_volume_reclaim_policy);
        let phase = volume
            .status
            .and_then(|status| status.phase)
            .unwrap_or_default();
        let policy = policy.unwrap_or_default();
        left.volumes.push(format!("{name} ({policy}, {phase})"));
    }
    Ok(left)
}

/// Somebody else was faster.
fn gone<T>(result: Result<T, Error>) -> Result<(), Error> {
    match result {
        Ok(_) | Err(Error::Absent { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
