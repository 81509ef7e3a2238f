//! What a cloud's load balancer and cert-manager would write into the API server.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::{
    Api,
    api::{DynamicObject, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{ControlPlane, Error};
use grove_cluster::Connection;

/// The address that every Ingress and Service gets.
const ADDRESS: &str = "192.0.2.1";

pub(super) async fn round(plane: &ControlPlane, connection: &Connection) -> Result<(), Error> {
    addresses(connection, "networking.k8s.io/v1", "Ingress", |_| true).await?;
    addresses(connection, "v1", "Service", |service| {
        service.pointer("/spec/type").and_then(Value::as_str) == Some("LoadBalancer")
    })
    .await?;
    issuers(connection).await?;
    certificates(plane, connection).await
}

async fn list(
    connection: &Connection,
    api: &str,
    kind: &str,
) -> Result<Option<(Vec<DynamicObject>, kube::api::ApiResource)>, Error> {
    let resource = match connection.resource(api, kind).await {
        Ok((resource, _)) => resource,
        Err(grove_cluster::Error::UnknownKind { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let all: Api<DynamicObject> = Api::all_with(connection.client().clone(), &resource);
    let list = connection
        .ask(&format!("list {kind}"), all.list(&ListParams::default()))
        .await?;
    Ok(Some((list.items, resource)))
}

async fn addresses(
    connection: &Connection,
    api: &str,
    kind: &str,
    wants: impl Fn(&Value) -> bool,
) -> Result<(), Error> {
    let Some((objects, resource)) = list(connection, api, kind).await? else {
        return Ok(());
    };
    for object in objects {
        if !wants(&object.data)
            || object
                .data
                .pointer("/status/loadBalancer/ingress")
                .is_some()
        {
            continue;
        }
        let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}});
        set_status(connection, &object, &resource, &status).await?;
    }
    Ok(())
}

/// When everything that is played became ready.
const SINCE: &str = "2026-01-01T00:00:00Z";

/// The condition of an object of cert-manager that is ready.
fn ready(object: &DynamicObject) -> Value {
    json!([{
        "type": "Ready", "status": "True", "reason": "Ready", "message": "simulated",
        "lastTransitionTime": SINCE, "observedGeneration": object.metadata.generation,
    }])
}

/// Makes issuers of the whole cluster ready.
async fn issuers(connection: &Connection) -> Result<(), Error> {
    if let Some((objects, resource)) =
        list(connection, "cert-manager.io/v1", "ClusterIssuer").await?
    {
        for object in objects {
            if object.data.pointer("/status/conditions").is_none() {
                let status = json!({"status": {"conditions": ready(&object)}});
                set_status(connection, &object, &resource, &status).await?;
            }
        }
    }
    Ok(())
}

/// Makes a Certificate ready, with its Secret beside it. The key pair is the same for all.
async fn certificates(plane: &ControlPlane, connection: &Connection) -> Result<(), Error> {
    let Some((objects, resource)) = list(connection, "cert-manager.io/v1", "Certificate").await?
    else {
        return Ok(());
    };
    for object in objects {
        if object.data.pointer("/status/conditions").is_some() {
            continue;
        }
        let name = object
            .data
            .pointer("/spec/secretName")
            .and_then(Value::as_str);
        if let (Some(name), Some(namespace)) = (name, &object.metadata.namespace) {
            let read = |file: &str| fs_err::read(plane.directory().join(file));
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": {"name": name, "namespace": namespace},
                "data": {
                    "tls.crt": BASE64_STANDARD.encode(read("certificate.pem")?),
                    "tls.key": BASE64_STANDARD.encode(read("service-account.pem")?),
                },
            });
            connection.apply(&secret, true).await?;
        }
        let status = json!({"status": {
            "conditions": ready(&object),
            "notBefore": SINCE,
            "notAfter": "2036-01-01T00:00:00Z",
            "renewalTime": "2035-12-01T00:00:00Z",
        }});
        set_status(connection, &object, &resource, &status).await?;
    }
    Ok(())
}

async fn set_status(
    connection: &Connection,
    object: &DynamicObject,
    resource: &kube::api::ApiResource,
    status: &Value,
) -> Result<(), Error> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let client = connection.client().clone();
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, resource),
        None => Api::all_with(client, resource),
    };
    let (parameters, patch) = (PatchParams::default(), Patch::Merge(status));
    let request = api.patch_status(name, &parameters, &patch);
    match connection
        .ask(
            &format!("patch status of {}/{name}", resource.kind),
            request,
        )
        .await
    {
        Err(error) if !error.is_absent() => Err(error.into()),
        _ => Ok(()),
    }
}
