//! What instances have on servers outside of their namespaces: databases, users and buckets.
//!
//! A Job in the namespace `grove-data` of the instance's cluster makes, verifies or removes it, with the
//! credentials of `servers` of `cluster.yaml`. Each can be done again.

pub mod apply;
pub mod list;
pub mod remove;
mod task;
pub mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use grove_cluster::one_off::OneOff;
use grove_fleet::{
    Fleet,
    model::{Cluster, Instance},
};
use grove_render::{DATA_NAMESPACE, data_namespace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::task::{Action, Task};
use super::follow::{self, Telling};
use crate::{
    Around, Error, Result,
    fleet::{
        find::{find, find_cluster},
        workspace::Workspace,
    },
    release::{data_applied, remotes},
    request::RequestId,
    secrets::open::Secrets,
};

/// How long Jobs are watched unless it is said, in seconds.
const TIMEOUT: u64 = 900;

/// What was done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// How each Job ended.
    pub jobs: Vec<Ended>,
    /// Why Jobs did not come to their end, or were not watched to it. What ended is in `jobs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Error>,
}

/// How a Job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// `cluster/instance`.
    pub instance: String,
    /// Its name, in the namespace `grove-data`.
    pub job: String,
    /// 0 where everything was done. What was done before a failure stays, and the next run goes on from there.
    pub exit_code: i32,
}

/// How long Jobs are watched unless it is said.
fn timeout() -> u64 {
    TIMEOUT
}

/// The Jobs of instances.
struct Prepared<'a> {
    workspace: Workspace<'a>,
    fleet: Fleet,
    tasks: Vec<Task>,
}

impl<'a> Prepared<'a> {
    /// Makes the Jobs of instances that have anything outside. A secret that cannot be opened stops all.
    fn new(
        action: Action,
        request: Option<&RequestId>,
        workspace: Workspace<'a>,
        fleet: Fleet,
        choose: impl FnOnce(&Fleet) -> Result<Vec<&Instance>>,
    ) -> Result<Self> {
        let secrets = Secrets::new(&workspace, &fleet);
        let mut tasks = Vec::new();
        for instance in choose(&fleet)? {
            match task::make(action, &fleet, &secrets, instance, request)
                .map_err(|error| error.context(instance.address.to_string()))?
            {
                Some(task) => tasks.push(task),
                None => workspace
                    .around
                    .note(&format!("{}: nothing to do", instance.address)),
            }
        }
        Ok(Self {
            workspace,
            fleet,
            tasks,
        })
    }

    /// Runs the Jobs beside each other, for at most `timeout` seconds.
    fn run(&self, timeout: u64) -> Result<Vec<Result<Ended>>> {
        let around = self.workspace.around;
        let _entered = around.enter()?;
        let several = self.tasks.len() > 1;
        around.block_on(async {
            let clusters: BTreeSet<&str> = self
                .tasks
                .iter()
                .map(|task| task.address.cluster.as_str())
                .collect();
            for cluster in clusters {
                let connection = around.connect(find_cluster(&self.fleet, cluster)?).await?;
                for object in data_namespace() {
                    connection.apply(&object, false).await?;
                }
            }
            let runs = self.tasks.iter().map(|task| async move {
                let address = &task.address;
                let cluster: &Cluster = find_cluster(&self.fleet, &address.cluster)?;
                let connection = around.connect(cluster).await?;
                let job = OneOff {
                    namespace: DATA_NAMESPACE,
                    name: &task.name,
                    objects: &task.objects,
                    patience: Duration::from_secs(timeout),
                };
                let telling = Telling {
                    around,
                    from: several.then(|| address.to_string()),
                    begun: format!("{address}: {} in {DATA_NAMESPACE} begins", task.name),
                    shown: words,
                    later: format!(
                        "`kubectl logs --follow -n {DATA_NAMESPACE} jobs/{}`",
                        task.name
                    ),
                };
                let ended = follow::run(&connection, &job, &telling).await?;
                Ok(Ended {
                    instance: address.to_string(),
                    job: task.name.clone(),
                    exit_code: ended.exit_code,
                })
            });
            Ok(join_all(runs).await)
        })
    }

    /// Notes in the deploy branch of each cluster what was made. Before the first release there may be no
    /// repository; nothing asks for the note then.
    fn record(&self, results: &[Result<Ended>], request: Option<&RequestId>) {
        let around: &Around = self.workspace.around;
        let mut made: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
        for (task, result) in self.tasks.iter().zip(results) {
            if result.as_ref().is_ok_and(|ended| ended.exit_code == 0)
                && let Ok(instance) = find(&self.fleet, &task.address)
            {
                made.entry(&task.address.cluster)
                    .or_default()
                    .push(instance);
            }
        }
        for (cluster, instances) in made {
            let noted =
                remotes::fetch(&self.workspace, &self.fleet, cluster).and_then(|mut branch| {
                    data_applied::record(around, &mut branch, &instances, request)
                });
            if let Err(error) = noted {
                around.warn(
                    "what was made is not noted in the deploy repository; once an instance runs, a changed password is released only after `grove data apply` noted it:",
                );
                around.failed(&error);
            }
        }
    }

    /// What it comes to.
    fn outcome(self, results: Vec<Result<Ended>>) -> Outcome {
        let (mut jobs, mut failures) = (Vec::new(), Vec::new());
        for (task, result) in self.tasks.iter().zip(results) {
            match result {
                Ok(ended) => jobs.push(ended),
                Err(error) => failures.push(error.context(task.address.to_string())),
            }
        }
        Outcome { jobs, failures }
    }
}

/// A line of the Job's for people.
fn words(line: &str) -> String {
    let told: Option<Value> = serde_json::from_str(line).ok();
    let text = |key: &str| told.as_ref()?.get(key)?.as_str();
    match (text("service"), text("did"), text("failed")) {
        (Some(service), Some(did), _) => format!("{service}: {did}"),
        (Some(service), None, Some(failed)) => format!("{service}: failed: {failed}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_line_of_the_job_is_put_into_words() {
        let did = r#"{"service": "mysql", "did": "made the user uni"}"#;
        assert_eq!(words(did), "mysql: made the user uni");
        let failed = r#"{"service": "s3", "failed": "no way"}"#;
        assert_eq!(words(failed), "s3: failed: no way");
        assert_eq!(words("Traceback"), "Traceback");
    }
}
