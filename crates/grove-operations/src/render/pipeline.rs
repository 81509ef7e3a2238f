//! From instances to trees: distribution, environment, worker, Kustomize, passes.
//!
//! What Tutor and Kustomize made is kept in the cache under a digest of everything that went in, so
//! only what changed is rendered again. It holds placeholders, never secrets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use grove_fleet::{
    Address, Fleet,
    model::{Distribution, Instance, Lock, Waits},
};
use grove_render::{Input, Tree, TutorOutput};
use grove_tutor::{Cache, Environment, Kustomizer, Progress, Worker, WorkerOptions};

use super::kept;
use crate::{Around, Doing, Error, Kind, Result, threads};

/// A worker, or the promise of one.
enum Slot {
    /// Somebody starts it, which may take minutes.
    Starting,
    /// It runs.
    Running(Arc<Worker>),
}

/// Renders instances; workers start when first needed and live as long as this.
pub struct Pipeline<'a> {
    around: &'a Around,
    cache: Cache,
    /// None where something stands in for rendering.
    kustomizer: Option<Kustomizer>,
    keep: bool,
    /// By the digest of the lock.
    workers: Mutex<BTreeMap<String, Slot>>,
    /// Told whenever a slot changes.
    changed: Condvar,
}

impl<'a> Pipeline<'a> {
    /// A pipeline that keeps what it renders in the user's cache, or nothing where `keep` is not set.
    pub fn new(around: &'a Around, keep: bool) -> Result<Self> {
        Ok(Self {
            around,
            cache: around.cache()?,
            kustomizer: match around.instead.renderer {
                None => Some(Kustomizer::find()?),
                Some(_) => None,
            },
            keep,
            workers: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// The trees of `instances`, rendered in parallel, in their order. One that fails does not keep
    /// the others from being tried; the first failure, by address, is what is returned.
    pub fn trees(
        &self,
        fleet: &Fleet,
        instances: &[&Instance],
        deploy_remote: &str,
    ) -> Result<BTreeMap<Address, Tree>> {
        let results = threads::each(threads::all(), instances.to_vec(), |instance| {
            self.tree(fleet, instance, deploy_remote)
                .map(|tree| (instance.address.clone(), tree))
                .map_err(|error| error.context(format!("cannot render {}", instance.address)))
        });
        let mut trees = BTreeMap::new();
        let mut failures = Vec::new();
        for result in results {
            match result {
                Ok((address, tree)) => {
                    trees.insert(address, tree);
                }
                Err(error) => failures.push(error),
            }
        }
        match failures.pop() {
            None => Ok(trees),
            Some(last) => {
                for failure in failures {
                    self.around.failed(&failure);
                }
                Err(last)
            }
        }
    }

    fn tree(&self, fleet: &Fleet, instance: &Instance, deploy_remote: &str) -> Result<Tree> {
        must_have_all(&instance.waits)?;
        if let Some(renderer) = &self.around.instead.renderer {
            return renderer.render(fleet, instance);
        }
        let missing = |what: &str| Error::new(Kind::Bug, format!("a checked fleet lacks {what}"));
        let distribution = fleet
            .distributions
            .get(&instance.distribution)
            .ok_or_else(|| missing("a distribution"))?;
        let cluster = fleet
            .clusters
            .get(&instance.address.cluster)
            .ok_or_else(|| missing("a cluster"))?;
        let lock = distribution
            .lock
            .as_ref()
            .ok_or_else(|| missing("a lock"))?;
        let output = self.tutor(instance, distribution, lock)?;
        let input = Input {
            fleet,
            cluster,
            instance,
            distribution,
            deploy_remote: &deploy_remote.replace("{cluster}", &cluster.name),
            output,
        };
        Ok(grove_render::render(input)?)
    }

    fn tutor(
        &self,
        instance: &Instance,
        distribution: &Distribution,
        lock: &Lock,
    ) -> Result<TutorOutput> {
        let kustomizer = self
            .kustomizer
            .as_ref()
            .ok_or_else(|| Error::new(Kind::Bug, "Tutor was asked where something stands in"))?;
        let input = grove_render::request(instance)?;
        let key = kept::key(&input, lock, kustomizer)?;
        if self.keep
            && let Some(output) = kept::read(&self.cache, &key)
        {
            return Ok(output);
        }
        let files = self.worker(distribution, lock)?.render(&input)?;
        let output = kustomizer.kustomize(&files, &self.cache)?;
        if self.keep {
            kept::write(&self.cache, &key, &output)?;
        }
        Ok(output)
    }

    /// Grove's cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The worker of a locked distribution; started, and its environment made, where it is not yet.
    pub fn worker(&self, distribution: &Distribution, lock: &Lock) -> Result<Arc<Worker>> {
        let mut workers = self.workers();
        loop {
            match workers.get(&lock.digest) {
                Some(Slot::Running(worker)) => return Ok(Arc::clone(worker)),
                None => break,
                Some(Slot::Starting) => {
                    let waited = self.changed.wait(workers);
                    workers = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        workers.insert(lock.digest.clone(), Slot::Starting);
        drop(workers);
        // Where it does not start, whoever waits for it tries and has the error, too.
        let turn = Turn {
            pipeline: self,
            digest: &lock.digest,
        };
        let environment = self.environment(distribution, lock)?;
        let worker = Arc::new(Worker::start(
            environment,
            &self.cache,
            &WorkerOptions::default(),
        )?);
        self.workers()
            .insert(lock.digest.clone(), Slot::Running(Arc::clone(&worker)));
        drop(turn);
        Ok(worker)
    }

    fn workers(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        // Entries change in one step, so a panic leaves the map whole.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn environment(
        &self,
        distribution: &Distribution,
        lock: &Lock,
    ) -> Result<Arc<Environment>> {
        let steps = Steps {
            around: self.around,
            what: &distribution.name,
        };
        let environment = grove_tutor::environment(lock, &self.cache, &steps)?;
        self.around.progress_done();
        Ok(Arc::new(environment))
    }
}

/// Whose turn it is to start a worker: at the end, those who wait are told, however it ended.
struct Turn<'p, 'a> {
    pipeline: &'p Pipeline<'a>,
    digest: &'p str,
}

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        let mut workers = self.pipeline.workers();
        if matches!(workers.get(self.digest), Some(Slot::Starting)) {
            workers.remove(self.digest);
        }
        drop(workers);
        self.pipeline.changed.notify_all();
    }
}

/// Refuses to render with a value that an output is to give and has not given yet.
pub fn must_have_all(waits: &[Waits]) -> Result<()> {
    let Some(first) = waits.first() else {
        return Ok(());
    };
    let mut error = Error::new(
        Kind::Refused,
        format!(
            "`{}` is `{}`, which has no value",
            first.path.join("."),
            first.reference
        ),
    );
    error.messages.push(first.why.to_string());
    error.hints.extend(first.why.hint());
    Err(error)
}

/// Shows the steps of making a distribution's environment.
pub struct Steps<'a> {
    pub around: &'a Around,
    pub what: &'a str,
}

impl Progress for Steps<'_> {
    fn step(&self, message: &str) {
        self.around.doing(Doing::Following {
            what: self.what,
            state: message,
        });
    }
}
