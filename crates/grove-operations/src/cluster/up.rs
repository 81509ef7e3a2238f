//! From nothing, or from wherever it stands, to a cluster that runs its instances.
//!
//! It goes stage by stage: what one needs to be agreed to is known once those before it are over. Each looks
//! first and does only what is missing: whatever stops it, the same request goes on from there.
//!
//! ```no_run
//! use grove_operations::{
//!     Around, Result,
//!     cluster::up::{self, Given, Stage},
//!     consent::Consent,
//!     deploy,
//! };
//!
//! fn whatever_it_needs(around: &Around, request: &up::Request) -> Result<()> {
//!     let mut up = up::begin(around, request)?;
//!     while let Some(stage) = up.next()? {
//!         let given = match stage {
//!             Stage::Stacks(mut stacks) => {
//!                 while let Some(level) = stacks.next()? {
//!                     let consent = Consent::to(level.needs().clone());
//!                     level.carry_out(&consent)?;
//!                 }
//!                 stacks.end()?
//!             }
//!             Stage::Bootstrap(plan) => {
//!                 plan.carry_out(&Consent::none())?;
//!                 Given::default()
//!             }
//!             Stage::Instances { around, request } => {
//!                 let plan = deploy::plan::plan(around, &request)?;
//!                 let consent = Consent::to(plan.needs().clone());
//!                 plan.carry_out(&consent)?;
//!                 Given::default()
//!             }
//!         };
//!         up.keep(&given)?;
//!     }
//!     Ok(())
//! }
//! ```

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use grove_fleet::Address as InstanceAddress;
use grove_seal::Secret;
use grove_stack::stack::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{given, kept};
use crate::{
    Around, Error, Result, deploy,
    fleet::{find::find_cluster, selection::Selection, workspace::Workspace},
    request::{RequestId, Target, part},
    requests::Stepwise,
    shared::bootstrap,
    stacks::{
        all::Stacks,
        apply::{Apply, How, Level},
        bounds::Bounds,
    },
};

/// Makes a cluster and its instances.
///
/// Everything that is written to the fleet is written to its work tree, so there is no revision.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The cluster's name.
    pub cluster: String,
    /// Brings up these instances only, by their names on the cluster; all of them where none is named.
    #[serde(default)]
    pub instances: Vec<String>,
    /// Commits what stacks gave, and pushes it where the branch has an upstream; else this stops there, for
    /// somebody to do so.
    #[serde(default = "yes")]
    pub commit: bool,
    /// How many minutes each stage may take.
    #[serde(default = "timeout")]
    pub timeout: u64,
    /// Makes the deploy repository where it is missing; it must be a local path.
    #[serde(default)]
    pub create_remote: bool,
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn timeout() -> u64 {
    60
}

/// A cluster that is being brought up.
pub struct Up {
    /// What is around each stage: how the cluster is reached is known once its stacks are applied.
    around: Around,
    request: Request,
    instances: BTreeSet<String>,
    /// The kubeconfig that the cluster's stack gave.
    kubeconfig: Option<NamedTempFile>,
    /// The stage that is at hand.
    part: Part,
    asked: Stepwise,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Begun,
    Stacks,
    Bootstrap,
    InstanceStacks,
    Instances,
}

/// One stage, to be carried out by whoever may consent to it.
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time")]
pub enum Stage<'u> {
    /// Stacks, of the cluster or of its instances.
    Stacks(StackStage<'u>),
    /// What the cluster needs to deploy by itself.
    Bootstrap(bootstrap::Plan<'u>),
    /// A deploy of the instances, which is planned when it is agreed that it may touch as many.
    Instances {
        /// What is around it.
        around: &'u Around,
        /// The deploy.
        request: deploy::request::Request,
    },
}

/// Stacks that are applied, level by level.
pub struct StackStage<'u> {
    around: &'u Around,
    cluster: String,
    apply: Apply<'u>,
}

/// What a stage gave that the next ones need.
#[derive(Default)]
pub struct Given {
    /// The address of the API server, where that is another one than the fleet states.
    server: Option<String>,
    /// How the cluster is reached.
    kubeconfig: Option<Secret>,
}

/// Reads the fleet. Refused are changes of `cluster.yaml` that are in no commit, where this makes commits.
pub fn begin(around: &Around, request: &Request) -> Result<Up> {
    let _entered = around.enter()?;
    let id = request.id.as_ref();
    let (asked, first) = Stepwise::begin::<()>(around, "cluster/up", id, request)?;
    let (mut instances, mut part) = (BTreeSet::new(), Part::Instances);
    if first.is_none() {
        part = Part::Begun;
        instances = self::instances(around, request)?;
        if request.commit {
            kept::refuse_edited(around, &request.cluster)?;
        }
    }
    Ok(Up {
        asked,
        around: around.clone(),
        request: request.clone(),
        instances,
        kubeconfig: None,
        part,
    })
}

/// The instances that are brought up.
fn instances(around: &Around, request: &Request) -> Result<BTreeSet<String>> {
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.sound()?;
    find_cluster(&fleet, &request.cluster)?;
    for instance in &request.instances {
        let address = InstanceAddress::new(&request.cluster, instance);
        if !fleet.instances.contains_key(&address) {
            return Err(Error::usage(format!("there is no instance `{address}`")));
        }
    }
    if !request.instances.is_empty() {
        return Ok(request.instances.iter().cloned().collect());
    }
    let all = fleet
        .instances
        .keys()
        .filter(|address| address.cluster == request.cluster);
    Ok(all.map(|address| address.instance.clone()).collect())
}

impl Up {
    /// The next stage; none where all are over. The one before is over: what it gave was kept.
    #[expect(
        clippy::should_implement_trait,
        reason = "a stage borrows what is brought up, and can fail"
    )]
    pub fn next(&mut self) -> Result<Option<Stage<'_>>> {
        let _entered = self.around.enter()?;
        let name = &self.request.cluster;
        self.part = match self.part {
            Part::Begun => Part::Stacks,
            Part::Stacks => Part::Bootstrap,
            Part::Bootstrap if self.instances.is_empty() => {
                self.around.note(&format!(
                    "{name} has no instance yet: `grove new instance {name}/NAME`"
                ));
                self.asked.end(&());
                return Ok(None);
            }
            Part::Bootstrap => Part::InstanceStacks,
            Part::InstanceStacks => Part::Instances,
            Part::Instances => {
                self.asked.end(&());
                return Ok(None);
            }
        };
        let what = match self.part {
            Part::Begun | Part::Stacks => "stacks",
            Part::Bootstrap => "bootstrap",
            Part::InstanceStacks => "stacks of instances",
            Part::Instances => "instances",
        };
        self.around.note(&format!("{name}: {what}"));
        let seconds = self.request.timeout.saturating_mul(60);
        Ok(Some(match self.part {
            Part::Begun | Part::Stacks => {
                Stage::Stacks(self.stacks(|address| address.instance.is_none())?)
            }
            Part::InstanceStacks => Stage::Stacks(self.stacks(|address| {
                let instance = address.instance.as_ref();
                instance.is_some_and(|instance| self.instances.contains(instance))
            })?),
            Part::Bootstrap => {
                let request = bootstrap::Request {
                    id: part(self.request.id.as_ref(), "bootstrap"),
                    cluster: name.clone(),
                    revision: None,
                    timeout: seconds,
                    take_over: false,
                };
                Stage::Bootstrap(bootstrap::plan(&self.around, &request, None)?)
            }
            Part::Instances => Stage::Instances {
                around: &self.around,
                request: self.deploy(seconds),
            },
        }))
    }

    /// Keeps what a stage gave: in the fleet, with a commit.
    pub fn keep(&mut self, given: &Given) -> Result<()> {
        let _entered = self.around.enter()?;
        let name = &self.request.cluster;
        if let Some(server) = &given.server {
            given::record(self.around.fleet()?, name, server)?;
        }
        if let (Some(kubeconfig), Part::Stacks) = (&given.kubeconfig, self.part) {
            let file = given::file(kubeconfig)?;
            self.around.kubeconfigs = vec![file.path().to_owned()];
            self.around.context = None;
            self.kubeconfig = Some(file);
        }
        let message = match self.part {
            Part::Stacks => format!("What the stacks of {name} gave"),
            Part::Bootstrap => format!("{name} is the cluster that was bootstrapped"),
            Part::InstanceStacks => format!("What the stacks of instances of {name} gave"),
            Part::Begun | Part::Instances => return Ok(()),
        };
        if self.request.commit {
            kept::keep(&self.around, name, &message)
        } else {
            kept::must_be_kept(&self.around, name)
        }
    }

    /// The file by which the cluster is reached that its stack gave; none where whoever asks has one of
    /// their own. It is gone with this.
    pub fn kubeconfig(&self) -> Option<PathBuf> {
        self.kubeconfig.as_ref().map(|file| file.path().to_owned())
    }

    fn stacks(&self, wanted: impl Fn(&Address) -> bool) -> Result<StackStage<'_>> {
        let stacks = Stacks::open(&self.around, None)?;
        let cluster = self.request.cluster.clone();
        let all = stacks.fleet.stacks.keys();
        let selected: Vec<Address> = all
            .filter(|address| address.cluster == cluster && wanted(address))
            .cloned()
            .collect();
        let how = How {
            force: false,
            destroy: false,
            limit: Duration::from_secs(self.request.timeout.saturating_mul(60)),
            bounds: Bounds::default(),
        };
        Ok(StackStage {
            around: &self.around,
            apply: Apply::of(stacks, &selected, how)?,
            cluster,
        })
    }

    fn deploy(&self, seconds: u64) -> deploy::request::Request {
        let name = &self.request.cluster;
        let selectors = self.instances.iter();
        let target = Target {
            selection: Selection {
                selectors: selectors.map(|one| format!("{name}/{one}")).collect(),
                ..Selection::default()
            },
            ..Target::default()
        };
        deploy::request::Request {
            id: part(self.request.id.as_ref(), "instances"),
            create_remote: self.request.create_remote,
            wait: Some(seconds),
            ..deploy::request::Request::new(target)
        }
    }
}

impl<'u> StackStage<'u> {
    /// Plans the next level; none where all are done.
    #[expect(
        clippy::should_implement_trait,
        reason = "a level borrows what is applied, and can fail"
    )]
    pub fn next(&mut self) -> Result<Option<Level<'_, 'u>>> {
        self.apply.next()
    }

    /// What the stacks gave. Where some failed, each of them is told, and the last one is the error.
    pub fn end(self) -> Result<Given> {
        let (outcome, stacks) = self.apply.end();
        for row in &outcome.stacks {
            self.around.note(&format!("{}: {}", row.stack, row.state));
        }
        let mut failures = outcome.failures;
        if let Some(last) = failures.pop() {
            for failure in failures {
                self.around.failed(&failure);
            }
            return Err(last);
        }
        Ok(Given {
            server: given::server(&stacks.fleet, &self.cluster),
            kubeconfig: given::kubeconfig(&stacks, &self.cluster)?,
        })
    }
}
