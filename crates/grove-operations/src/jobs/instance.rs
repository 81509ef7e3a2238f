//! Jobs beside a release: what instances are made to do once, with what their running release has.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use futures_util::future::join_all;
use grove_cluster::one_off::OneOff;
use grove_fleet::{
    Address, Fleet,
    model::{Cluster, Instance},
};
use grove_release::{DeployBranch, Record, View};
use grove_render::{Once, once};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use super::record::Ended;
use super::{
    answers::{Answers, Question},
    follow::{self, Telling},
    record::{Finished, record, recorded},
    release::{running_release, workload},
};
use crate::{
    Around, Doing, Error, Kind, Result,
    fleet::{find::find_cluster, workspace::Workspace},
    release::{landed, remotes},
    request::RequestId,
};

/// How Jobs are run and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Running {
    /// How long to watch, in seconds; the Job goes on.
    pub timeout: u64,
    /// How long a finished Job stays in the cluster, in hours.
    pub keep: u32,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            timeout: 3600,
            keep: 24,
        }
    }
}

/// What was run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// How each command ended, by instance and in the order in which an instance's ran.
    pub runs: Vec<Ended>,
    /// Why instances could not be made to run theirs, or were not watched to the end. What ended before is in
    /// `runs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Error>,
}

/// One command of an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// The workload whose image, configuration and secrets it gets.
    pub(super) service: String,
    /// Program and arguments.
    pub(super) command: Vec<String>,
    /// Whether placeholders in the command stand for secrets.
    pub(super) has_placeholders: bool,
    /// What the command finds below `/grove/files`, by name.
    pub(super) files: BTreeMap<String, Content>,
    /// What stands in the deploy repository as the command.
    pub(super) recorded: Vec<String>,
}

/// What is in a file that a command finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// This text.
    Text(String),
    /// The answer to a question.
    Answer(Question),
}

/// What makes the steps of an instance, from what its deploy branch has of it.
pub(super) type Steps<'a> = dyn FnMut(&View<'_>, &Record, &Instance) -> Result<Vec<Step>> + 'a;

/// What instances are made to do.
pub(super) struct Prepared<'a> {
    around: &'a Around,
    running: Running,
    /// The deploy branch of each cluster, where what was run is recorded.
    branches: BTreeMap<String, DeployBranch>,
    tasks: Vec<Task>,
    /// The request.
    request: Option<RequestId>,
    /// What the request has run before, by the cluster.
    done: BTreeMap<String, Vec<Ended>>,
    /// Where it was carried out before, and not in these instances.
    missed: Vec<Error>,
}

/// One instance, and what it is made to do.
struct Task {
    address: Address,
    namespace: String,
    cluster: Cluster,
    release: u32,
    jobs: Vec<Job>,
}

struct Job {
    name: String,
    step: Step,
    object: Value,
}

impl<'a> Prepared<'a> {
    /// Fetches the deploy branches of instances and makes their Jobs, whose names begin with `prefix`. Where
    /// the request was carried out before, there are none.
    pub(super) fn new(
        request: Option<&RequestId>,
        running: &Running,
        workspace: &Workspace<'a>,
        fleet: &Fleet,
        instances: &[&Instance],
        prefix: &str,
        steps: &mut Steps<'_>,
    ) -> Result<Self> {
        let around = workspace.around;
        let mut branches: BTreeMap<String, DeployBranch> = BTreeMap::new();
        let (mut tasks, mut landed, mut done) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut missed = Vec::new();
        for instance in instances.iter().copied() {
            let address = &instance.address;
            let cluster = address.cluster.as_str();
            if !branches.contains_key(cluster) {
                around.doing(Doing::Fetching { cluster });
                let branch = remotes::open_to_change(workspace, fleet, cluster)?;
                landed.insert(cluster, landed::of(&branch, request)?);
                branches.insert(cluster.to_owned(), branch);
            }
            let Some(branch) = branches.get(cluster) else {
                continue;
            };
            if let (Some(request), Some(Some(landed))) = (request, landed.get(cluster)) {
                let of_cluster: &mut Vec<Ended> = done.entry(cluster.to_owned()).or_default();
                let ran = recorded(branch, landed, address, request)?;
                if ran.is_empty() {
                    missed.push(
                        Error::refused(format!("{address}: the request did not run here"))
                            .hint("what else it meant was run; ask again for the rest, under another name"),
                    );
                }
                of_cluster.extend(ran);
                continue;
            }
            tasks.push(task(
                running, branch, fleet, instance, prefix, request, steps,
            )?);
        }
        around.progress_done();
        Ok(Self {
            around,
            running: *running,
            branches,
            tasks,
            request: request.cloned(),
            done,
            missed,
        })
    }

    /// What must be answered before they run, each once.
    pub(super) fn questions(&self) -> Vec<Question> {
        let files = self
            .tasks
            .iter()
            .flat_map(|task| &task.jobs)
            .flat_map(|job| job.step.files.values());
        let mut known = BTreeSet::new();
        files
            .filter_map(|content| match content {
                Content::Answer(question) => Some(question),
                Content::Text(_) => None,
            })
            .filter(|question| known.insert(*question))
            .cloned()
            .collect()
    }

    /// Runs the steps of each instance, one after the other until one fails, in all instances at once; then
    /// records them.
    pub(super) fn run(mut self, answers: &Answers) -> Result<Outcome> {
        let around = self.around;
        let _entered = around.enter()?;
        // What lacks an answer stops all.
        let mut objects = Vec::new();
        for task in &self.tasks {
            let made = task.jobs.iter().map(|job| job.objects(task, answers));
            objects.push(made.collect::<Result<Vec<_>>>()?);
        }
        let several = self.tasks.len() > 1;
        let ran = around.block_on(async {
            let runs = self
                .tasks
                .iter()
                .zip(&objects)
                .map(|(task, objects)| async {
                    let mut finished = Vec::new();
                    let followed = self.follow(task, objects, several, &mut finished).await;
                    (finished, followed.err())
                });
            Ok(join_all(runs).await)
        })?;
        let (mut finished, mut failures) = (BTreeMap::new(), std::mem::take(&mut self.missed));
        for (task, (all, failure)) in self.tasks.iter().zip(ran) {
            let of_cluster: &mut Vec<Finished> =
                finished.entry(task.address.cluster.as_str()).or_default();
            of_cluster.extend(all);
            failures.extend(failure.map(|error| error.context(task.address.to_string())));
        }
        let mut runs = Vec::new();
        for (cluster, mut branch) in self.branches {
            let all = finished.remove(cluster.as_str()).unwrap_or_default();
            record(around, &mut branch, &all, self.request.as_ref());
            runs.extend(self.done.remove(&cluster).unwrap_or_default());
            runs.extend(all.into_iter().map(|one| one.ended));
        }
        Ok(Outcome { runs, failures })
    }

    /// Runs the steps of one instance until one fails; `all` gets what ended.
    async fn follow(
        &self,
        task: &Task,
        objects: &[Vec<Value>],
        several: bool,
        all: &mut Vec<Finished>,
    ) -> Result<()> {
        let address = &task.address;
        let connection = self.around.connect(&task.cluster).await?;
        for (job, objects) in task.jobs.iter().zip(objects) {
            let one = OneOff {
                namespace: &task.namespace,
                name: &job.name,
                objects,
                patience: Duration::from_secs(self.running.timeout),
            };
            let telling = Telling {
                around: self.around,
                from: several.then(|| address.to_string()),
                begun: format!(
                    "{address}: {} runs with what release {:04} has",
                    job.name, task.release
                ),
                shown: str::to_owned,
                later: format!("`grove logs {address} {} --follow`", job.name),
            };
            let ended = follow::run(&connection, &one, &telling).await?;
            all.push(Finished {
                instance: address.instance.clone(),
                ended: Ended {
                    instance: address.to_string(),
                    job: job.name.clone(),
                    release: task.release,
                    exit_code: Some(ended.exit_code),
                    reason: ended
                        .reason
                        .filter(|reason| reason == "OOMKilled")
                        .map(|_| "it used more memory than its limit".to_owned()),
                },
                service: job.step.service.clone(),
                command: job.step.recorded.clone(),
            });
            if ended.exit_code != 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Job {
    /// What is made: the Job first, then the files that its command finds.
    fn objects(&self, task: &Task, answers: &Answers) -> Result<Vec<Value>> {
        let mut objects = vec![self.object.clone()];
        let mut files = BTreeMap::new();
        for (name, content) in &self.step.files {
            let text = match content {
                Content::Text(text) => text,
                Content::Answer(question) => answers.to(question)?.expose(),
            };
            files.insert(name, text);
        }
        if !files.is_empty() {
            objects.push(json!({
                "apiVersion": "v1", "kind": "Secret", "immutable": true, "stringData": files,
                "metadata": {"name": self.name, "namespace": task.namespace},
            }));
        }
        Ok(objects)
    }
}

/// The Jobs of one instance, from its running release.
fn task(
    running: &Running,
    branch: &DeployBranch,
    fleet: &Fleet,
    instance: &Instance,
    prefix: &str,
    request: Option<&RequestId>,
    steps: &mut Steps<'_>,
) -> Result<Task> {
    let address = &instance.address;
    let view = branch.view()?;
    let (record, objects) = running_release(&view, address)?;
    let mut jobs = Vec::new();
    for (index, step) in steps(&view, &record, instance)?.into_iter().enumerate() {
        let workload = workload(&objects, &step.service, address, record.release)?;
        let short: String = step.service.chars().take(30).collect();
        let name = job_name(&format!("{prefix}-{short}"), request, address, index);
        let task = Once {
            name: &name,
            command: &step.command,
            files: (!step.files.is_empty()).then_some(name.as_str()),
            kept: running.keep.saturating_mul(3600),
        };
        let mut object = once(workload, &task).ok_or_else(|| {
            Error::new(Kind::Bug, format!("`{}` has no pod template", step.service))
        })?;
        if step.has_placeholders {
            grove_seal::seal::one_off(&mut object, &objects)?;
        }
        jobs.push(Job { name, step, object });
    }
    let cluster = find_cluster(fleet, &address.cluster)
        .map_err(|error| error.context(address.to_string()))?;
    Ok(Task {
        address: address.clone(),
        namespace: instance.identity.namespace.clone(),
        cluster: cluster.clone(),
        release: record.release,
        jobs,
    })
}

/// A name that no other Job has, in all likelihood. Of a request that has a name it is always the same, so that
/// the same request again finds its Job, and makes no other.
pub(in crate::jobs) fn job_name(
    start: &str,
    request: Option<&RequestId>,
    address: &Address,
    index: usize,
) -> String {
    let Some(request) = request else {
        let number = RandomState::new().hash_one(start) & 0xffff_ffff;
        return format!("{start}-{number:08x}");
    };
    let digest = format!(
        "{:x}",
        Sha256::digest(format!("{request} {address} {index}"))
    );
    format!("{start}-{}", digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_a_secret_of_the_job() {
        let question = Question {
            text: "Password".to_owned(),
        };
        let job = Job {
            name: "do-lms-1".to_owned(),
            step: Step {
                files: BTreeMap::from([
                    ("a".to_owned(), Content::Text("plain".to_owned())),
                    ("b".to_owned(), Content::Answer(question.clone())),
                ]),
                ..Step::default()
            },
            object: json!({"kind": "Job"}),
        };
        let task = Task {
            address: Address::new("prod", "uni"),
            namespace: "uni".to_owned(),
            cluster: Cluster::default(),
            release: 3,
            jobs: Vec::new(),
        };
        assert!(job.objects(&task, &Answers::none()).is_err());
        let mut answers = Answers::none();
        answers.give(&question, "it's".into()).unwrap();
        let objects = job.objects(&task, &answers).unwrap();
        assert_eq!(objects[0]["kind"], "Job");
        assert_eq!(objects[1]["stringData"], json!({"a": "plain", "b": "it's"}));
        assert_eq!(
            objects[1]["metadata"],
            json!({"name": "do-lms-1", "namespace": "uni"})
        );
    }

    #[test]
    fn a_request_of_a_name_has_its_own_jobs() {
        let name = |request: Option<&str>, instance: &str, index| {
            let request: Option<RequestId> = request.map(|name| name.parse().unwrap());
            job_name(
                "run-lms",
                request.as_ref(),
                &Address::new("prod", instance),
                index,
            )
        };
        let own = name(Some("r-1"), "uni", 0);
        assert_eq!(own.len(), "run-lms-01234567".len());
        assert_eq!(own, name(Some("r-1"), "uni", 0));
        for other in [
            name(Some("r-2"), "uni", 0),
            name(Some("r-1"), "academy", 0),
            name(Some("r-1"), "uni", 1),
            name(None, "uni", 0),
        ] {
            assert_ne!(own, other);
        }
        assert_ne!(name(None, "uni", 0), name(None, "uni", 0));
    }

    #[test]
    fn a_stored_outcome_is_read_again() {
        let outcome = Outcome {
            runs: vec![Ended {
                instance: "prod/uni".to_owned(),
                job: "run-lms-1".to_owned(),
                release: 3,
                exit_code: Some(1),
                reason: None,
            }],
            failures: vec![Error::refused("no").hint("later")],
        };
        let text = serde_json::to_string(&outcome).unwrap();
        let read: Outcome = serde_json::from_str(&text).unwrap();
        assert_eq!(read.runs, outcome.runs);
        assert_eq!(read.failures[0].hints, ["later"]);
    }
}
