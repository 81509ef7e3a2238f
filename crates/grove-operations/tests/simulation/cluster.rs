//! API servers in memory: as much of Kubernetes as one-off Jobs ask for.
//!
//! A Job has ended as soon as it is made, so that nothing waits by a real clock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use grove_cluster::Connection;
use grove_fleet::model::Cluster;
use grove_operations::{Clusters, Result};
use http::{Method, Request, Response, StatusCode};
use kube::{Client, client::Body};
use serde_json::{Value, json};

/// The kinds that the servers know: `apiVersion`, kind, and its name in paths; of a namespace or not.
const KINDS: [(&str, &str, &str, bool); 4] = [
    ("v1", "Namespace", "namespaces", false),
    ("v1", "Secret", "secrets", true),
    ("batch/v1", "Job", "jobs", true),
    (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "networkpolicies",
        true,
    ),
];
/// The uid of a cluster whose fleet says none.
const UID: &str = "5d1c1b0e-52f1-4f0e-8a52-9a6b2b2f7c11";

/// Something that goes wrong with the requests that would write some objects: one in three, by their names, since
/// several Jobs are made at once in no certain order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The server is not reached.
    Lost,
    /// It does what it is asked for, and nobody hears of it.
    AnswerLost,
}

/// A Job that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) cluster: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) exit_code: i32,
}

/// The servers of all clusters.
#[derive(Clone, Default)]
pub(crate) struct Servers(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Objects by cluster and path.
    objects: BTreeMap<(String, String), Value>,
    /// With what decides which objects it happens to.
    fault: Option<(Fault, u32)>,
    made: Vec<Made>,
}

impl Servers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something go wrong until this is called again.
    pub(crate) fn arm(&self, fault: Option<(Fault, u32)>) {
        self.state().fault = fault;
    }

    /// The Jobs that were made since this was asked last.
    pub(crate) fn made(&self) -> Vec<Made> {
        let mut made = std::mem::take(&mut self.state().made);
        made.sort_by(|one, other| one.name.cmp(&other.name));
        made
    }
}

impl Clusters for Servers {
    fn connect(&self, cluster: &Cluster) -> BoxFuture<'_, Result<Connection>> {
        let (name, uid) = (cluster.name.clone(), cluster.uid.clone());
        async move {
            let (servers, of, own) = (self.clone(), name.clone(), uid.clone());
            let service = tower::service_fn(move |request: Request<Body>| {
                let (servers, cluster, uid) = (servers.clone(), of.clone(), own.clone());
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect_bytes().await?;
                    let mut state = servers.state();
                    let uid = uid.as_deref().unwrap_or(UID);
                    let answer = state.answer(&cluster, uid, &head.method, &head.uri, &body);
                    Ok::<_, kube::Error>(answer)
                }
            });
            let client = Client::new(service, "default");
            Ok(Connection::over(&name, "memory", uid.as_deref(), client).await?)
        }
        .boxed()
    }
}

impl State {
    fn answer(
        &mut self,
        cluster: &str,
        uid: &str,
        method: &Method,
        uri: &http::Uri,
        body: &[u8],
    ) -> Response<Body> {
        let path = uri.path();
        let query = uri.query().unwrap_or_default();
        if path.contains("argoproj.io") {
            return failure(StatusCode::SERVICE_UNAVAILABLE, "no Argo CD here");
        }
        if path == "/api/v1/namespaces/kube-system" {
            let metadata = json!({"name": "kube-system", "uid": uid});
            return answer(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
        }
        if let Some(group) = ["/api/", "/apis/"]
            .iter()
            .find_map(|start| path.strip_prefix(start))
            && KINDS.iter().any(|(api, ..)| *api == group)
        {
            return answer(&kinds(group));
        }
        if path.ends_with("/log") {
            return Response::new(Body::from(b"done\n".to_vec()));
        }
        if path.ends_with("/pods") {
            let name = query.split("job-name%3D").nth(1).unwrap_or_default();
            let name = name.split('&').next().unwrap_or_default();
            let namespace = path.split('/').nth(4).unwrap_or_default();
            let job = format!("/apis/batch/v1/namespaces/{namespace}/jobs/{name}");
            let key = (cluster.to_owned(), job);
            let pods = self.objects.get(&key).map(pod);
            return answer(&json!({
                "apiVersion": "v1", "kind": "PodList", "metadata": {},
                "items": pods.into_iter().collect::<Vec<_>>(),
            }));
        }
        let key = (cluster.to_owned(), path.to_owned());
        match *method {
            Method::GET => match self.objects.get(&key) {
                Some(object) => answer(object),
                None => failure(StatusCode::NOT_FOUND, "it is not there"),
            },
            Method::PATCH => {
                let fault = self
                    .fault
                    .filter(|(_, salt)| (sum(path) + salt).is_multiple_of(3));
                let fault = fault.map(|(fault, _)| fault);
                if let Some(Fault::Lost) = fault {
                    return failure(StatusCode::SERVICE_UNAVAILABLE, "it is lost");
                }
                let answer = self.apply(key, body);
                match fault {
                    Some(_) => failure(StatusCode::SERVICE_UNAVAILABLE, "its answer is lost"),
                    None => answer,
                }
            }
            _ => panic!("nothing asks for {method} {path}"),
        }
    }

    fn apply(&mut self, key: (String, String), body: &[u8]) -> Response<Body> {
        let mut object: Value = serde_json::from_slice(body).expect("it is JSON");
        let is_immutable = |object: &Value| object["kind"] == "Job" || object["immutable"] == true;
        if let Some(known) = self.objects.get(&key)
            && is_immutable(known)
        {
            let content = |object: &Value| {
                let parts = ["/spec/template", "/stringData"];
                parts.map(|part| object.pointer(part).cloned())
            };
            if content(known) != content(&object) {
                return failure(StatusCode::UNPROCESSABLE_ENTITY, "field is immutable");
            }
        } else if object["kind"] == "Job" {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let exit_code = exit_code(name);
            self.made.push(Made {
                cluster: key.0.clone(),
                namespace: object["metadata"]["namespace"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                name: name.to_owned(),
                exit_code,
            });
        }
        object["metadata"]["uid"] = key.1.clone().into();
        let answer = answer(&object);
        self.objects.insert(key, object);
        answer
    }
}

/// How the Job of a name ends: one in four fails.
fn exit_code(name: &str) -> i32 {
    i32::from(sum(name).is_multiple_of(4))
}

fn sum(text: &str) -> u32 {
    text.bytes().map(u32::from).sum()
}

fn pod(job: &Value) -> Value {
    let name = job["metadata"]["name"].as_str().unwrap_or_default();
    let terminated = json!({"exitCode": exit_code(name), "reason": "Completed"});
    json!({
        "metadata": {"name": format!("{name}-pod")},
        "status": {"containerStatuses": [{
            "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": terminated},
        }]},
    })
}

fn kinds(group: &str) -> Value {
    let own = KINDS.iter().filter(|(api, ..)| *api == group);
    let resources = own.map(|(_, kind, name, is_namespaced)| {
        json!({
            "kind": kind, "name": name, "singularName": "", "namespaced": is_namespaced,
            "verbs": ["get", "list", "patch"],
        })
    });
    json!({
        "kind": "APIResourceList", "groupVersion": group,
        "resources": resources.collect::<Vec<_>>(),
    })
}

fn answer(object: &Value) -> Response<Body> {
    Response::new(Body::from(object.to_string().into_bytes()))
}

fn failure(code: StatusCode, message: &str) -> Response<Body> {
    let reason = match code {
        StatusCode::NOT_FOUND => "NotFound",
        StatusCode::UNPROCESSABLE_ENTITY => "Invalid",
        _ => "ServiceUnavailable",
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {},
        "message": message, "reason": reason, "code": code.as_u16(),
    });
    let mut response = answer(&status);
    *response.status_mut() = code;
    response
}
