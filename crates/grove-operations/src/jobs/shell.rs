//! A pod of an instance's own, for whoever wants to look around in it.
//!
//! [`plan`] makes a Job of what a service of the running release has; carried out, its pod is there for as
//! long as a session in it lasts, then goes, and who opened it is recorded.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, jobs::shell};
//!
//! let request = shell::Request {
//!     id: None,
//!     revision: None,
//!     instance: "prod/uni".to_owned(),
//!     service: "lms".to_owned(),
//!     command: Vec::new(),
//!     limit: 3600,
//! };
//! let plan = shell::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! // The pod is there while the session goes on, and goes with it.
//! let outcome = plan.carry_out(&consent, |pod| Ok(0))?;
//! # Ok(())
//! # }
//! ```

use std::{ops::RangeInclusive, time::Duration};

use grove_cluster::one_off::{self, OneOff};
use grove_exec::Token;
use grove_fleet::{Address, model::Cluster};
use grove_release::DeployBranch;
use grove_render::{Once, once};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    follow,
    instance::{Ended, job_name},
    record::{Finished, record, recorded},
    release::{running_release, workload},
};
use crate::{
    Around, Doing, Error, Kind, Result,
    consent::{Consent, Needs},
    fleet::{
        find::{address, find, find_cluster},
        workspace::Workspace,
    },
    release::{landed, remotes},
    request::RequestId,
};

/// How long the pod may take to start.
const START: Duration = Duration::from_mins(5);

/// For how many minutes a pod may be there.
const LIMITS: RangeInclusive<u32> = 1..=1440;

/// Opens a pod with the image, the configuration and the secrets of a service. It serves nobody.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// `cluster/instance`.
    pub instance: String,
    /// The workload whose image, configuration and secrets it gets.
    #[serde(default = "lms")]
    pub service: String,
    /// What is run in it, program and arguments, for the record; a shell where it is empty.
    #[serde(default)]
    pub command: Vec<String>,
    /// After how many minutes the pod ends by itself, 1 to 1440.
    #[serde(default = "limit")]
    pub limit: u32,
}

fn lms() -> String {
    "lms".to_owned()
}

fn limit() -> u32 {
    240
}

/// A pod that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// The context of the kubeconfig by which its cluster was reached.
    pub context: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The name of its container.
    pub container: String,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The pod's Job, and the exit code of what ran in it.
    #[serde(flatten)]
    pub ended: Ended,
}

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    address: Address,
    namespace: String,
    cluster: Cluster,
    branch: DeployBranch,
    release: u32,
    name: String,
    job: Value,
    /// How the session ended that the request had before.
    done: Option<Ended>,
}

/// Reads the fleet and the deploy branch, and makes the Job.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    if !LIMITS.contains(&request.limit) {
        return Err(Error::usage(format!(
            "a pod cannot be there for {} minutes: {} to {}",
            request.limit,
            LIMITS.start(),
            LIMITS.end()
        )));
    }
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let address = address(&request.instance)?;
    let instance = find(&fleet, &address)?;
    let cluster = find_cluster(&fleet, &address.cluster)?;
    around.doing(Doing::Fetching {
        cluster: &cluster.name,
    });
    let branch = remotes::open_to_change(&workspace, &fleet, &cluster.name)?;
    let (record, objects) = running_release(&branch.view()?, &address)?;
    let workload = workload(&objects, &request.service, &address, record.release)?;
    let short: String = request.service.chars().take(30).collect();
    let id = request.id.as_ref();
    let name = job_name(&format!("shell-{short}"), id, &address, 0);
    let seconds = u64::from(request.limit) * 60;
    let wait = [
        "sh".to_owned(),
        "-c".to_owned(),
        format!("trap 'exit 0' TERM; sleep {seconds} & wait"),
    ];
    let task = Once {
        name: &name,
        command: &wait,
        files: None,
        kept: 60,
    };
    let mut job = once(workload, &task).ok_or_else(|| {
        Error::new(
            Kind::Bug,
            format!("`{}` has no pod template", request.service),
        )
    })?;
    job["spec"]["activeDeadlineSeconds"] = json!(seconds + 60);
    let done = match (id, landed::of(&branch, id)?) {
        (Some(id), Some(landed)) => recorded(&branch, &landed, &address, id)?.pop(),
        _ => None,
    };
    around.progress_done();
    Ok(Plan {
        around,
        request: request.clone(),
        needs: Needs::default(),
        namespace: instance.identity.namespace.clone(),
        cluster: cluster.clone(),
        address,
        branch,
        release: record.release,
        name,
        job,
        done,
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Makes the pod, has `session` use it, ends the pod and records who opened it. `session` gives the exit
    /// code of what it ran; it is called on this thread, once the pod runs. The pod goes whatever comes of it.
    ///
    /// # Errors
    ///
    /// What `session` gives; nothing is recorded then.
    pub fn carry_out(
        mut self,
        consent: &Consent,
        session: impl FnOnce(&Pod) -> Result<i32>,
    ) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        if let Some(ended) = self.done {
            return Ok(Outcome { ended });
        }
        let pod = self.open()?;
        let used = session(&pod);
        let removed = self.end();
        let exit_code = used?;
        removed?;
        let ended = Ended {
            instance: self.address.to_string(),
            job: self.name,
            release: self.release,
            exit_code: Some(exit_code),
            reason: None,
        };
        let finished = [Finished {
            instance: self.address.instance,
            ended: ended.clone(),
            service: self.request.service,
            command: std::iter::once("shell".to_owned())
                .chain(self.request.command)
                .collect(),
        }];
        let request = self.request.id.as_ref();
        record(self.around, &mut self.branch, &finished, request);
        Ok(Outcome { ended })
    }

    /// Makes the pod and waits until it runs.
    fn open(&self) -> Result<Pod> {
        let around = self.around;
        let pod = around.block_on(async {
            let connection = around.connect(&self.cluster).await?;
            around.doing(Doing::Following {
                what: &self.name,
                state: "waiting for its pod",
            });
            let task = OneOff {
                namespace: &self.namespace,
                name: &self.name,
                objects: std::slice::from_ref(&self.job),
                patience: START,
            };
            match follow::begin(&connection, &task, around).await {
                Ok(name) => Ok(Pod {
                    name,
                    context: connection.context().to_owned(),
                    namespace: self.namespace.clone(),
                    container: self.name.clone(),
                }),
                Err(error) => {
                    // That it did not begin is what matters.
                    let _ended = one_off::end(&connection, &self.namespace, &self.name).await;
                    Err(error)
                }
            }
        })?;
        around.progress_done();
        around.note(&format!(
            "{} is yours for {} minutes and goes with this command",
            self.name, self.request.limit
        ));
        Ok(pod)
    }

    /// Ends the pod, even where whoever asked ended the operation. A session may have lasted for hours, so the
    /// cluster is reached anew.
    fn end(&self) -> Result<()> {
        let around = Around {
            token: Token::new(),
            ..self.around.clone()
        };
        around.block_on(async {
            let connection = around.connect(&self.cluster).await?;
            Ok(one_off::end(&connection, &self.namespace, &self.name).await?)
        })
    }
}
