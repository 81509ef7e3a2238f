//! Asking Tutor which secrets there are, and having it make them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grove_core::TutorInput;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::cache::Cache;
use crate::environment::Environment;
use crate::worker::answer::{DeclaredSecret, declared};
use crate::worker::client::from_json;
use crate::worker::request::Request;
use crate::worker::{Limits, Worker, WorkerError, WorkerOptions};

/// Knows the secrets that a distribution and an instance's own plugins declare, and makes them.
///
/// Each call starts a worker of its own: children of one worker share their parent's memory, and
/// where secrets were, no other instance's code may run.
#[derive(Debug)]
pub struct Generator {
    environment: Arc<Environment>,
    cache: Cache,
    options: WorkerOptions,
}

impl Generator {
    /// One for a distribution.
    pub fn new(environment: Arc<Environment>, cache: &Cache, limits: Limits) -> Self {
        Self {
            environment,
            cache: cache.clone(),
            options: WorkerOptions {
                parallel: 1,
                limits,
            },
        }
    }

    /// The keys that Tutor and the instance's plugins make values for, by name.
    pub fn declared(&self, input: &TutorInput) -> Result<Vec<DeclaredSecret>, WorkerError> {
        let answer = self.worker()?.ask(&Request::new("secrets", input), input)?;
        declared(&answer)
    }

    /// Makes the secrets `names` of an instance as Tutor would: each once, derived ones from those
    /// in `known`, which are never made again. The answer holds the names that were asked for, and
    /// those that they are derived from where these had no value.
    ///
    /// A secret in `known` that is derived from one that is made is an error: it would be stale.
    pub fn generate(
        &self,
        input: &TutorInput,
        names: &BTreeSet<String>,
        known: &BTreeMap<String, Zeroizing<String>>,
    ) -> Result<BTreeMap<String, Zeroizing<String>>, WorkerError> {
        #[derive(Deserialize)]
        struct Head {
            values: BTreeMap<String, String>,
        }
        let request = Request::generate(input, names, known);
        let answer = self.worker()?.ask(&request, input)?;
        let head: Head = from_json(answer.head())?;
        Ok(head
            .values
            .into_iter()
            .map(|(name, value)| (name, Zeroizing::new(value)))
            .collect())
    }

    fn worker(&self) -> Result<Worker, WorkerError> {
        Worker::start(Arc::clone(&self.environment), &self.cache, &self.options)
    }
}
