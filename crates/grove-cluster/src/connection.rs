//! A cluster that was reached.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::ApiResource, discovery::Scope};

use crate::{Access, Error};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// A cluster whose API server answered, and which is the one that is meant.
#[derive(Clone)]
pub struct Connection {
    cluster: String,
    context: String,
    server: String,
    uid: String,
    client: Client,
    /// Kinds that the server knows, by `apiVersion` and `kind`.
    kinds: Kinds,
}

/// Kinds by `apiVersion` and `kind`.
type Known = BTreeMap<(String, String), (ApiResource, Scope)>;
type Kinds = Arc<Mutex<Known>>;

impl Connection {
    /// Reaches a cluster and reads the uid of its `kube-system`. Where `access` states one, another
    /// uid is an error: whatever follows may write.
    pub async fn open(cluster: &str, access: &Access) -> Result<Self, Error> {
        let (context, config) = access.config(cluster).await?;
        let server = config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned();
        let client = Client::try_from(config).map_err(|error| Error::Kubeconfig {
            message: error.to_string(),
        })?;
        let connection = Self::over(cluster, &server, access.uid.as_deref(), client).await?;
        Ok(Self {
            context,
            ..connection
        })
    }

    /// The same by a client that is there already, of no context.
    pub async fn over(
        cluster: &str,
        server: &str,
        uid: Option<&str>,
        client: Client,
    ) -> Result<Self, Error> {
        let mut connection = Self {
            cluster: cluster.to_owned(),
            context: String::new(),
            server: server.to_owned(),
            uid: String::new(),
            client,
            kinds: Kinds::default(),
        };
        let namespaces: Api<Namespace> = Api::all(connection.client.clone());
        let namespace = connection
            .ask("get namespaces/kube-system", namespaces.get("kube-system"))
            .await?;
        connection.uid = namespace.metadata.uid.unwrap_or_default();
        match uid {
            Some(expected) if expected != connection.uid => Err(Error::AnotherCluster {
                cluster: cluster.to_owned(),
                expected: expected.to_owned(),
                found: connection.uid,
            }),
            _ => Ok(connection),
        }
    }

    /// The cluster's name in the fleet.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The context of the kubeconfig by which it was reached.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The address of the API server, without a slash at the end.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The uid of the namespace `kube-system`, which names the cluster itself.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The client, for what has no function here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn kinds(&self) -> &Mutex<Known> {
        &self.kinds
    }

    /// Waits for an answer, and tells what went wrong by its kind. `doing` is the verb and the
    /// resource, such as `list deployments.apps in uni`.
    pub async fn ask<T>(
        &self,
        doing: &str,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(ANSWER, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.error(doing, error)),
            Err(_) => Err(self.slow(ANSWER)),
        }
    }

    /// The error of a cluster that did not answer in time.
    pub fn slow(&self, after: Duration) -> Error {
        Error::Slow {
            cluster: self.cluster.clone(),
            server: self.server.clone(),
            after,
        }
    }

    /// An error of the client as one of ours.
    pub fn error(&self, doing: &str, error: kube::Error) -> Error {
        let cluster = self.cluster.clone();
        let doing = doing.to_owned();
        let status = match error {
            kube::Error::Api(status) => status,
            kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
                return Error::Unreachable {
                    cluster,
                    server: self.server.clone(),
                    message: innermost(&error),
                };
            }
            kube::Error::Auth(_) => {
                return Error::Unauthorized {
                    cluster,
                    doing: format!("{doing}: {}", innermost(&error)),
                };
            }
            other => {
                return Error::Other {
                    cluster,
                    doing,
                    message: innermost(&other),
                };
            }
        };
        match (status.code, status.reason.as_str()) {
            (401, _) => Error::Unauthorized { cluster, doing },
            (403, _) => Error::Forbidden {
                cluster,
                doing,
                message: status.message,
            },
            (404, _) => Error::Absent {
                cluster,
                object: doing
                    .split_once(' ')
                    .map_or(doing.clone(), |(_, object)| object.to_owned()),
            },
            (409, "Conflict") => Error::Conflict {
                object: doing
                    .split_once(' ')
                    .map_or(doing.clone(), |(_, object)| object.to_owned()),
                conflicts: status
                    .details
                    .as_ref()
                    .map(|details| {
                        details
                            .causes
                            .iter()
                            .map(|cause| format!("{}: {}", cause.message, cause.field))
                            .collect::<Vec<_>>()
                    })
                    .filter(|conflicts| !conflicts.is_empty())
                    .unwrap_or_else(|| vec![status.message]),
            },
            (400 | 409 | 413 | 415 | 422, _) => Error::Rejected {
                cluster,
                doing,
                message: status.message,
            },
            // What stands between us and an API server that is down answers so, too.
            (502..=504, _) => Error::Unreachable {
                cluster,
                server: self.server.clone(),
                message: status.message,
            },
            _ => Error::Other {
                cluster,
                doing,
                message: status.message,
            },
        }
    }
}

/// The last cause of an error: what the operating system or the peer said.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
