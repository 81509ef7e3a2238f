//! What of the running release goes into the next one.
//!
//! Rendering knows nothing of what runs. Two things of it must survive a deploy: finished Jobs, whose
//! spec Kubernetes does not let anyone change, and configuration that pods of the running release
//! still name while they are replaced. Both functions are pure.

use crate::object::{
    IGNORE_HEALTH, LEFT_RELEASE, Objects, RETAINED, SYNC_WAVE, annotate, is_hashed_configuration,
    is_job, is_jobs_copy, is_marked, mark, wave,
};

/// The objects of a deploy: `new` (rendered and sealed) with what must stay of `running`.
///
/// Where `new` brings nothing that `running` lacks, the result is `running` itself, so that deploying
/// an unchanged source writes nothing however often it is done.
pub fn compose(new: Objects, running: Option<&Objects>) -> Objects {
    let Some(running) = running else {
        return new;
    };
    if is_unchanged(&new, running) {
        return running.clone();
    }
    let mut objects: Objects = new
        .into_iter()
        .map(|(file, object)| match running.get(&file) {
            Some(job) if is_job(&object) && is_job(job) => {
                let job = carried(object, job);
                (file, job)
            }
            _ => (file, object),
        })
        .collect();
    retain(&mut objects, running, is_hashed_configuration);
    objects
}

/// The objects of a deploy that runs no Job: `new` without its own ones, and those of `running` put aside.
///
/// So it is with an instance that is stopped, and with a deploy that changes only how an instance is
/// operated. A failed Job of an early wave does not hold it up, and the next deploy of another sort puts
/// every Job back to its place.
pub fn compose_without_jobs(new: Objects, running: Option<&Objects>) -> Objects {
    let mut objects: Objects = new
        .into_iter()
        .filter(|(_, object)| !is_job(object))
        .collect();
    let Some(running) = running else {
        return objects;
    };
    let is_same = |(file, object): (&String, &serde_json::Value)| {
        is_job(object) || is_kept(object) || objects.get(file) == Some(object)
    };
    let is_there =
        |(file, object): (&String, &serde_json::Value)| running.get(file) == Some(object);
    if running.iter().all(is_same) && objects.iter().all(is_there) {
        return running.clone();
    }
    put_aside(&mut objects, running);
    retain(&mut objects, running, |object| {
        is_hashed_configuration(object) || is_jobs_copy(object)
    });
    objects
}

/// The objects of a rollback: `older` (an older release's, sealed again) on the way from `leaving`.
///
/// - A Job of `older` that is not in `leaving` is dropped. It ran long ago and was pruned since; put
///   back, it would run an old release's migration against a newer database.
/// - Every Job of `leaving` stays, its spec unchanged. Pruned, all of them would run again at the next
///   roll forward. It moves to the last wave and its health is ignored, since a failed Job in an early
///   wave blocks every later sync, and such a Job is a common reason to roll back.
/// - Configuration of `leaving` stays, as in a deploy: its pods are being replaced. So does what only
///   Jobs read, for one that is still running.
/// - What `older` itself had kept of the releases before it is dropped: no pod names it any more.
pub fn compose_rollback(older: Objects, leaving: &Objects) -> Objects {
    let mut objects: Objects = older
        .into_iter()
        .filter(|(_, object)| !is_kept(object))
        .filter_map(|(file, object)| {
            if !is_job(&object) {
                return Some((file, object));
            }
            let job = carried(object, leaving.get(&file).filter(|job| is_job(job))?);
            Some((file, job))
        })
        .collect();
    put_aside(&mut objects, leaving);
    retain(&mut objects, leaving, |object| {
        is_hashed_configuration(object) || is_jobs_copy(object)
    });
    objects
}

/// Keeps every Job of `running` that `objects` lacks, in the last wave and without a say in the health.
fn put_aside(objects: &mut Objects, running: &Objects) {
    let last_wave = objects.values().map(wave).max().unwrap_or(0);
    for (file, job) in running.iter().filter(|(_, object)| is_job(object)) {
        objects.entry(file.clone()).or_insert_with(|| {
            let mut job = job.clone();
            annotate(&mut job, SYNC_WAVE, &last_wave.to_string());
            annotate(&mut job, IGNORE_HEALTH, "true");
            mark(&mut job, LEFT_RELEASE);
            job
        });
    }
}

/// Whether `new` (rendered and sealed) brings nothing that the release `running` lacks, and lacks
/// nothing but what `running` keeps of the release before it. Jobs are equal by name.
///
/// This is also how a held release is known: a deploy that brings what a rollback left stays held.
pub fn is_unchanged(new: &Objects, running: &Objects) -> bool {
    let is_there = |(file, object): (&String, &serde_json::Value)| {
        running.get(file).is_some_and(|running| {
            running == object
                || (is_job(object) && is_job(running) && !is_marked(running, LEFT_RELEASE))
        })
    };
    new.iter().all(is_there)
        && running
            .iter()
            .all(|(file, object)| new.contains_key(file) || is_kept(object))
}

/// A Job that is in both: as it runs, to the byte.
///
/// One that a rollback had put aside gets its own place back instead, and keeps only the spec: if it
/// failed then, it has to gate the Deployments again.
fn carried(new: serde_json::Value, running: &serde_json::Value) -> serde_json::Value {
    if !is_marked(running, LEFT_RELEASE) {
        return running.clone();
    }
    let mut job = new;
    if let (Some(job), Some(spec)) = (job.as_object_mut(), running.get("spec")) {
        job.insert("spec".to_owned(), spec.clone());
    }
    job
}

/// Keeps those objects of `running` for one more release that `objects` lacks. What was kept already
/// is dropped now: no pod of the running release names it.
fn retain(
    objects: &mut Objects,
    running: &Objects,
    is_needed: impl Fn(&serde_json::Value) -> bool,
) {
    for (file, object) in running {
        if is_needed(object) && !is_marked(object, RETAINED) {
            objects.entry(file.clone()).or_insert_with(|| {
                let mut object = object.clone();
                mark(&mut object, RETAINED);
                object
            });
        }
    }
}

/// Whether an object is not of its release's own making, but kept from the one before it.
fn is_kept(object: &serde_json::Value) -> bool {
    is_marked(object, RETAINED) || is_marked(object, LEFT_RELEASE)
}

#[cfg(test)]
mod tests;
