//! From an empty API server to one that deploys by itself.
//!
//! A bootstrap is a list of [`Step`]s. Each is applied object by object, server-side: what is as it
//! should be stays untouched, so a run that was killed anywhere is mended by the next one, and a
//! second run changes nothing. [`steps`] makes the list and is pure; [`Bootstrap`] carries it out.

mod argo_cd;
mod lock;
mod preflight;
mod sealed_secrets;
mod steps;
mod wait;

use std::future::Future;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use lock::{Holder, Lock};
pub use preflight::{Note, preflight};
pub use sealed_secrets::NAMESPACE as SEALED_SECRETS_NAMESPACE;
pub(crate) use steps::is_from;
pub use steps::{
    Input, RepositoryCredential, SealingKey, Step, credential_secret, sealing_secret, steps,
};

use crate::{Applied, Connection, Error, apply::describe};

/// How many objects are applied at once.
const AT_ONCE: usize = 8;

impl Connection {
    /// Whether the cluster has a Secret, and it was made from the ciphertext `source`: then it need
    /// not be opened and written again.
    pub async fn has_secret(
        &self,
        namespace: &str,
        name: &str,
        source: &str,
    ) -> Result<bool, Error> {
        let wanted = serde_json::json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace}});
        Ok(self
            .get(&wanted)
            .await?
            .is_some_and(|secret| is_from(&secret, source)))
    }
}

/// What a step did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The step's name.
    pub step: String,
    /// Objects that were not there.
    pub created: Vec<String>,
    /// Objects that were there and are others now.
    pub changed: Vec<String>,
    /// How many objects were as they should be.
    pub unchanged: usize,
    /// Objects that cannot be tried before their kind is there; only in a plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<String>,
}

impl Outcome {
    /// Whether everything was as it should be.
    pub fn is_unchanged(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty() && self.later.is_empty()
    }
}

/// Carries steps out on one cluster.
pub struct Bootstrap<'a> {
    /// The cluster.
    pub connection: &'a Connection,
    /// Takes fields over that others manage, instead of stopping there.
    pub take_over: bool,
    /// Is told what is being done.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

impl Bootstrap<'_> {
    /// Applies a step and waits until what it brought works.
    pub async fn run(&self, step: &Step) -> Result<Outcome, Error> {
        (self.progress)(step.title);
        let mut outcome = Outcome::new(step);
        // Namespaces and kinds before what needs them.
        for phase in phases(&step.objects) {
            let applied = self
                .each(&phase, |object| {
                    self.connection.apply(object, self.take_over)
                })
                .await?;
            outcome.add(applied);
            wait::established(self.connection, &phase).await?;
        }
        wait::available(self.connection, step, self.progress).await?;
        Ok(outcome)
    }

    /// Says what a step would do; writes nothing.
    pub async fn plan(&self, step: &Step) -> Result<Outcome, Error> {
        (self.progress)(step.title);
        let mut outcome = Outcome::new(step);
        let objects: Vec<&Value> = step.objects.iter().collect();
        let tried = self
            .each(&objects, |object| async move {
                match self.connection.would_apply(object, self.take_over).await {
                    // Its kind or its namespace comes earlier in the run.
                    Err(Error::UnknownKind { .. } | Error::Absent { .. }) => Ok(None),
                    other => other.map(Some),
                }
            })
            .await?;
        for (name, applied) in tried {
            match applied {
                Some(applied) => outcome.add(vec![(name, applied)]),
                None => outcome.later.push(name),
            }
        }
        outcome.later.sort();
        Ok(outcome)
    }

    async fn each<'b, T, F>(
        &self,
        objects: &[&'b Value],
        act: impl Fn(&'b Value) -> F,
    ) -> Result<Vec<(String, T)>, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        stream::iter(objects.iter().copied())
            .map(|object| {
                let done = act(object);
                async move { Ok((describe(object), done.await?)) }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

impl Outcome {
    fn new(step: &Step) -> Self {
        Self {
            step: step.name.to_owned(),
            created: Vec::new(),
            changed: Vec::new(),
            unchanged: 0,
            later: Vec::new(),
        }
    }

    fn add(&mut self, applied: Vec<(String, Applied)>) {
        for (name, applied) in applied {
            match applied {
                Applied::Created => self.created.push(name),
                Applied::Changed => self.changed.push(name),
                Applied::Unchanged => self.unchanged += 1,
            }
        }
        self.created.sort();
        self.changed.sort();
    }
}

/// Objects in the order in which they can be applied: namespaces, kinds, the rest.
fn phases(objects: &[Value]) -> [Vec<&Value>; 3] {
    let mut phases = [Vec::new(), Vec::new(), Vec::new()];
    for object in objects {
        let phase = match object.get("kind").and_then(Value::as_str) {
            Some("Namespace") => 0,
            Some("CustomResourceDefinition") => 1,
            _ => 2,
        };
        phases[phase].push(object);
    }
    phases
}
