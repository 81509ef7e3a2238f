//! From instances to trees: distribution, environment, worker, Kustomize, passes.
//!
//! What Tutor and Kustomize made is kept in the cache under a digest of everything that went in, so
//! only what changed is rendered again. It holds placeholders, never secrets.

mod kept;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use grove_fleet::{
    Address, Fleet,
    model::{Distribution, Instance, Lock, Waits},
};
use grove_render::{Input, Tree, TutorOutput};
use grove_tutor::{
    Cache, Environment, FailureKind, Kustomizer, Progress, Worker, WorkerError, WorkerOptions,
};
use rayon::prelude::*;

use crate::{
    error::{CommandError, Exit, Result, from_error},
    output::Output,
    surroundings,
};

from_error!(grove_tutor::environment::Error, |_| Exit::Tool);
from_error!(grove_tutor::KustomizeError, |error| if error.is_fleet() {
    Exit::No
} else {
    Exit::Tool
});
from_error!(grove_render::Error, |_| Exit::No);

/// How many of the last lines of a traceback are shown.
const TRACEBACK: usize = 12;

impl From<WorkerError> for CommandError {
    fn from(error: WorkerError) -> Self {
        let exit = match &error {
            WorkerError::Failed(failure) if failure.kind == FailureKind::Usage => Exit::Usage,
            error if error.is_fleet() => Exit::No,
            _ => Exit::Tool,
        };
        let mut command = Self::from_error(exit, &error);
        // Where code failed, its author needs the place; of templates and values the message says it.
        if let WorkerError::Failed(failure) = &error
            && matches!(
                failure.kind,
                FailureKind::Plugin | FailureKind::Crash | FailureKind::Limit
            )
            && let Some(text) = &failure.traceback
        {
            let lines: Vec<&str> = text.lines().collect();
            let shown = lines.get(lines.len().saturating_sub(TRACEBACK)..);
            command.messages.push(format!(
                "it wrote\n{}",
                shown.unwrap_or_default().join("\n")
            ));
        }
        command.hints.extend(error.hint());
        command
    }
}

/// Renders instances; workers start when first needed and live as long as this.
pub(crate) struct Pipeline<'a> {
    output: &'a Output,
    cache: Cache,
    kustomizer: Kustomizer,
    keep: bool,
    workers: Mutex<BTreeMap<String, Arc<Worker>>>,
}

impl<'a> Pipeline<'a> {
    /// A pipeline that keeps what it renders in the user's cache, or nothing where `keep` is not set.
    pub(crate) fn new(output: &'a Output, keep: bool) -> Result<Self> {
        Ok(Self {
            output,
            cache: cache()?,
            kustomizer: Kustomizer::find()?,
            keep,
            workers: Mutex::default(),
        })
    }

    /// The trees of `instances`, rendered in parallel, in their order. One that fails does not keep
    /// the others from being tried; the first failure, by address, is what is returned.
    pub(crate) fn trees(
        &self,
        fleet: &Fleet,
        instances: &[&Instance],
        deploy_remote: &str,
    ) -> Result<BTreeMap<Address, Tree>> {
        let results: Vec<_> = instances
            .par_iter()
            .map(|instance| {
                self.tree(fleet, instance, deploy_remote)
                    .map(|tree| (instance.address.clone(), tree))
                    .map_err(|error| error.context(format!("cannot render {}", instance.address)))
            })
            .collect();
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
                    self.output.error(&failure);
                }
                Err(last)
            }
        }
    }

    fn tree(&self, fleet: &Fleet, instance: &Instance, deploy_remote: &str) -> Result<Tree> {
        must_have_all(&instance.waits)?;
        let missing =
            |what: &str| CommandError::new(Exit::Bug, format!("a checked fleet lacks {what}"));
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
        let input = grove_render::request(instance)?;
        let key = kept::key(&input, lock, &self.kustomizer)?;
        if self.keep
            && let Some(output) = kept::read(&self.cache, &key)
        {
            return Ok(output);
        }
        let files = self.worker(distribution, lock)?.render(&input)?;
        let output = self.kustomizer.kustomize(&files, &self.cache)?;
        if self.keep {
            kept::write(&self.cache, &key, &output)?;
        }
        Ok(output)
    }

    /// Grove's cache.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The worker of a locked distribution; started, and its environment made, where it is not yet.
    pub(crate) fn worker(&self, distribution: &Distribution, lock: &Lock) -> Result<Arc<Worker>> {
        let mut workers = self.workers.lock().map_err(|_| {
            CommandError::new(Exit::Bug, "a thread failed while it started a worker")
        })?;
        if let Some(worker) = workers.get(&lock.digest) {
            return Ok(Arc::clone(worker));
        }
        let environment = self.environment(distribution, lock)?;
        let worker = Arc::new(Worker::start(
            environment,
            &self.cache,
            &WorkerOptions::default(),
        )?);
        workers.insert(lock.digest.clone(), Arc::clone(&worker));
        Ok(worker)
    }

    pub(crate) fn environment(
        &self,
        distribution: &Distribution,
        lock: &Lock,
    ) -> Result<Arc<Environment>> {
        let steps = Steps {
            output: self.output,
            what: &distribution.name,
        };
        let environment = grove_tutor::environment(lock, &self.cache, &steps)?;
        self.output.progress_done();
        Ok(Arc::new(environment))
    }
}

/// Refuses to render with a value that an output is to give and has not given yet.
pub(crate) fn must_have_all(waits: &[Waits]) -> Result<()> {
    let Some(first) = waits.first() else {
        return Ok(());
    };
    let mut error = CommandError::new(
        Exit::Refused,
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

/// Grove's cache directory.
pub(crate) fn cache() -> Result<Cache> {
    Ok(Cache {
        root: surroundings::cache_directory()?,
        launcher: surroundings::executable()?,
    })
}

/// Shows the steps of making a distribution's environment.
pub(crate) struct Steps<'a> {
    pub(crate) output: &'a Output,
    pub(crate) what: &'a str,
}

impl Progress for Steps<'_> {
    fn step(&self, message: &str) {
        self.output.progress(&format!("{}: {message}", self.what));
    }
}
