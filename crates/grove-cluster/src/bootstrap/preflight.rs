//! What must hold before anything is written.

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        authentication::v1::SelfSubjectReview,
        authorization::v1::{
            ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
        },
        core::v1::Namespace,
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api,
    api::{ListParams, PostParams},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SEALED_SECRETS_NAMESPACE;
use crate::{Connection, Error};

/// The oldest minor version of Kubernetes 1 that Argo CD's supported series are tested with.
const OLDEST: u32 = 31;
/// How far the clocks may be apart, in seconds: certificates, tokens and leases compare them.
const SKEW: i64 = 60;

/// What the user must be allowed: verb, group, resource.
const RIGHTS: &[(&str, &str, &str)] = &[
    ("patch", "", "namespaces"),
    ("create", "", "namespaces"),
    ("patch", "", "secrets"),
    ("patch", "", "configmaps"),
    ("patch", "", "services"),
    ("patch", "", "serviceaccounts"),
    ("patch", "apps", "deployments"),
    ("patch", "apps", "statefulsets"),
    ("patch", "networking.k8s.io", "networkpolicies"),
    ("patch", "apiextensions.k8s.io", "customresourcedefinitions"),
    ("patch", "rbac.authorization.k8s.io", "clusterroles"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    ("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ("patch", "rbac.authorization.k8s.io", "clusterrolebindings"),
    ("create", "coordination.k8s.io", "leases"),
    ("update", "coordination.k8s.io", "leases"),
    ("patch", "argoproj.io", "applications"),
    ("patch", "argoproj.io", "appprojects"),
];

/// Something that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// What.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Looks whether a bootstrap can work, and says what is worth knowing. `now` is this machine's time.
pub async fn preflight(
    connection: &Connection,
    argocd_namespace: &str,
    ingress_class: &str,
    now: Timestamp,
) -> Result<Vec<Note>, Error> {
    let mut notes = Vec::new();
    version(connection).await?;
    rights(connection).await?;
    for namespace in [argocd_namespace, SEALED_SECRETS_NAMESPACE] {
        not_terminating(connection, namespace).await?;
    }
    if let Some(note) = clock(connection, now).await? {
        notes.push(note);
    }
    notes.extend(classes(connection, ingress_class).await?);
    Ok(notes)
}

async fn version(connection: &Connection) -> Result<(), Error> {
    let info = connection
        .ask("get /version", connection.client().apiserver_version())
        .await?;
    let minor: String = info
        .minor
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    if info.major == "1" && minor.parse::<u32>().is_ok_and(|minor| minor < OLDEST) {
        return Err(Error::Unfit {
            cluster: connection.cluster().to_owned(),
            message: format!(
                "it runs Kubernetes {}, at least 1.{OLDEST} is needed",
                info.git_version
            ),
            hint: "upgrade the cluster first".to_owned(),
        });
    }
    Ok(())
}

async fn rights(connection: &Connection) -> Result<(), Error> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(connection.client().clone());
    let asked = RIGHTS.iter().map(|(verb, group, resource)| {
        let review = SelfSubjectAccessReview {
            metadata: ObjectMeta::default(),
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    verb: Some((*verb).to_owned()),
                    group: Some((*group).to_owned()),
                    resource: Some((*resource).to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            status: None,
        };
        let reviews = &reviews;
        async move {
            let parameters = PostParams::default();
            let answer = connection
                .ask(
                    "create selfsubjectaccessreviews",
                    reviews.create(&parameters, &review),
                )
                .await?;
            let allowed = answer.status.is_some_and(|status| status.allowed);
            let dot = if group.is_empty() { "" } else { "." };
            Ok::<_, Error>((!allowed).then(|| format!("{verb} {resource}{dot}{group}")))
        }
    });
    let missing: Vec<String> = futures_util::future::try_join_all(asked)
        .await?
        .into_iter()
        .flatten()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Forbidden {
        cluster: connection.cluster().to_owned(),
        doing: "bootstrap".to_owned(),
        message: format!("the user may not {}", missing.join(", ")),
    })
}

async fn not_terminating(connection: &Connection, name: &str) -> Result<(), Error> {
    let namespaces: Api<Namespace> = Api::all(connection.client().clone());
    let found = connection
        .ask(&format!("get namespaces/{name}"), namespaces.get_opt(name))
        .await?;
    let Some(status) = found.and_then(|namespace| namespace.status) else {
        return Ok(());
    };
    if status.phase.as_deref() != Some("Terminating") {
        return Ok(());
    }
    let reasons: Vec<String> = status
        .conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition.status == "True")
        .filter_map(|condition| condition.message)
        .collect();
    Err(Error::Unfit {
        cluster: connection.cluster().to_owned(),
        message: format!(
            "the namespace {name} is being deleted and does not end{}",
            if reasons.is_empty() {
                String::new()
            } else {
                format!(": {}", reasons.join("; "))
            }
        ),
        hint: format!(
            "remove what holds it (`kubectl get namespace {name} -o yaml` shows finalizers), then run this again"
        ),
    })
}

/// The server's clock beside ours: it stamps what it creates, and a review is stored nowhere.
async fn clock(connection: &Connection, now: Timestamp) -> Result<Option<Note>, Error> {
    let reviews: Api<SelfSubjectReview> = Api::all(connection.client().clone());
    let (parameters, review) = (PostParams::default(), SelfSubjectReview::default());
    let answer = connection
        .ask(
            "create selfsubjectreviews",
            reviews.create(&parameters, &review),
        )
        .await?;
    let Some(time) = answer.metadata.creation_timestamp else {
        return Ok(None);
    };
    let apart = (time.0.as_second() - now.as_second()).abs();
    Ok((apart > SKEW).then(|| Note {
        message: format!("the clocks of the cluster and of this machine are {apart} s apart"),
        hint: "set the one that is wrong: certificates, tokens and locks compare them".to_owned(),
    }))
}

async fn classes(connection: &Connection, ingress_class: &str) -> Result<Vec<Note>, Error> {
    let mut notes = Vec::new();
    let storage: Api<StorageClass> = Api::all(connection.client().clone());
    let list = connection
        .ask(
            "list storageclasses.storage.k8s.io",
            storage.list(&ListParams::default()),
        )
        .await?;
    let has_default = list.items.iter().any(|class| {
        class
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|annotations| {
                annotations
                    .get("storageclass.kubernetes.io/is-default-class")
                    .is_some_and(|value| value == "true")
            })
    });
    if !has_default {
        notes.push(Note {
            message: "the cluster has no default storage class; volumes of instances will wait"
                .to_owned(),
            hint: "mark one with the annotation storageclass.kubernetes.io/is-default-class=true"
                .to_owned(),
        });
    }
    let ingress: Api<IngressClass> = Api::all(connection.client().clone());
    let found = connection
        .ask(
            &format!("get ingressclasses.networking.k8s.io/{ingress_class}"),
            ingress.get_opt(ingress_class),
        )
        .await?;
    if found.is_none() {
        notes.push(Note {
            message: format!("the cluster has no ingress class `{ingress_class}`; hosts of instances will not be served"),
            hint: "install an ingress controller, or state its class as `ingress.class` in `cluster.yaml`".to_owned(),
        });
    }
    Ok(notes)
}
