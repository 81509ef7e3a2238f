//! The verbs of the simulation behind one front.

use grove_operations::{
    Around, Result,
    consent::{Consent, Needs},
    deploy::{self, state},
    jobs::run,
    release::{freeze, hold, init, rollback},
    request::{RequestId, Target},
    secrets::{remove, rotate, set},
    shared,
};
use grove_seal::Secret;
use serde::Serialize;
use serde_json::Value;

/// What someone asks for.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Deploy(deploy::request::Request),
    Rollback(rollback::Request),
    Hold(hold::Request),
    Freeze(freeze::Request),
    Init(init::Request),
    ClusterDeploy(shared::deploy::Request),
    ClusterRollback(shared::rollback::Request),
    State(state::Request),
    Set(set::Request),
    Remove(remove::Request),
    Rotate(rotate::Request),
    Run(run::Request),
}

/// What it would do.
pub(crate) enum Plan<'a> {
    Deploy(Box<deploy::plan::Plan<'a>>),
    Rollback(Box<rollback::Plan<'a>>),
    Hold(Box<hold::Plan<'a>>),
    Freeze(Box<freeze::Plan<'a>>),
    Init(Box<init::Plan<'a>>),
    ClusterDeploy(Box<shared::deploy::Plan<'a>>),
    ClusterRollback(Box<shared::rollback::Plan<'a>>),
    State(Box<state::Plan<'a>>),
    /// With the value.
    Set(Box<set::Plan<'a>>, String),
    Remove(Box<remove::Plan<'a>>),
    Rotate(Box<rotate::Plan<'a>>),
    Run(Box<run::Plan<'a>>),
}

impl Request {
    /// What it is called.
    pub(crate) fn id(&self) -> &RequestId {
        let id = match self {
            Self::Deploy(request) => &request.id,
            Self::Rollback(request) => &request.id,
            Self::Hold(request) => &request.id,
            Self::Freeze(request) => &request.id,
            Self::Init(request) => &request.id,
            Self::ClusterDeploy(request) => &request.id,
            Self::ClusterRollback(request) => &request.id,
            Self::State(request) => &request.id,
            Self::Set(request) => &request.id,
            Self::Remove(request) => &request.id,
            Self::Rotate(request) => &request.id,
            Self::Run(request) => &request.id,
        };
        id.as_ref().expect("every request of a simulation has one")
    }

    /// Whether it writes to the work tree of the fleet.
    pub(crate) fn is_of_files(&self) -> bool {
        let is_of_secrets = matches!(self, Self::Set(_) | Self::Remove(_) | Self::Rotate(_));
        is_of_secrets || matches!(self, Self::State(_))
    }

    /// Whether it changes nothing but how instances are operated.
    pub(crate) fn is_operational(&self) -> bool {
        match self {
            Self::Deploy(request) => request.only.is_some(),
            Self::State(_) => true,
            _ => false,
        }
    }

    /// The instances that it means on deploy branches; none where it means what a cluster's instances share, or
    /// no branch.
    pub(crate) fn target(&self) -> Option<Target> {
        match self {
            Self::Deploy(request) => Some(request.target.clone()),
            Self::Rollback(request) => Some(Target::of(&request.instance)),
            Self::Hold(request) => Some(request.target.clone()),
            Self::Freeze(request) => Some(request.target.clone()),
            Self::Init(request) => Some(request.target.clone()),
            Self::State(request) => Some(request.target.clone()),
            Self::Run(request) => Some(request.target.clone()),
            Self::ClusterDeploy(_)
            | Self::ClusterRollback(_)
            | Self::Set(_)
            | Self::Remove(_)
            | Self::Rotate(_) => None,
        }
    }

    /// In a word.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Deploy(request) if request.only.is_some() => "deploy --only operational",
            Self::Deploy(_) => "deploy",
            Self::Rollback(_) => "rollback",
            Self::Hold(request) => match request.change {
                hold::Change::Hold { .. } => "hold",
                hold::Change::Unhold => "unhold",
            },
            Self::Freeze(request) => match request.change {
                freeze::Change::Freeze { .. } => "freeze",
                freeze::Change::Unfreeze => "unfreeze",
            },
            Self::Init(request) => match request.change {
                init::Change::Retry => "init retry",
                init::Change::Skip => "init skip",
            },
            Self::ClusterDeploy(_) => "cluster deploy",
            Self::ClusterRollback(_) => "cluster rollback",
            Self::State(request) => match request.change {
                state::Change::Start => "instance start",
                state::Change::Stop => "instance stop",
                state::Change::Maintenance => "instance maintenance",
            },
            Self::Run(_) => "run",
            Self::Set(_) => "secret set",
            Self::Remove(_) => "secret remove",
            Self::Rotate(request) => match request.step {
                rotate::Step::Begin { .. } => "secret rotate",
                rotate::Step::Finish { .. } => "secret rotate --finish",
            },
        }
    }

    pub(crate) fn plan<'a>(&self, around: &'a Around) -> Result<Plan<'a>> {
        Ok(match self {
            Self::Deploy(request) => Plan::Deploy(Box::new(deploy::plan::plan(around, request)?)),
            Self::Rollback(request) => Plan::Rollback(Box::new(rollback::plan(around, request)?)),
            Self::Hold(request) => Plan::Hold(Box::new(hold::plan(around, request)?)),
            Self::Freeze(request) => Plan::Freeze(Box::new(freeze::plan(around, request)?)),
            Self::Init(request) => Plan::Init(Box::new(init::plan(around, request)?)),
            Self::ClusterDeploy(request) => {
                Plan::ClusterDeploy(Box::new(shared::deploy::plan(around, request, None)?))
            }
            Self::ClusterRollback(request) => {
                Plan::ClusterRollback(Box::new(shared::rollback::plan(around, request)?))
            }
            Self::State(request) => Plan::State(Box::new(state::plan(around, request)?)),
            Self::Set(request) => {
                let plan = Box::new(set::plan(around, request)?);
                Plan::Set(plan, self.id().to_string())
            }
            Self::Remove(request) => Plan::Remove(Box::new(remove::plan(around, request)?)),
            Self::Rotate(request) => Plan::Rotate(Box::new(rotate::plan(around, request)?)),
            Self::Run(request) => Plan::Run(Box::new(run::plan(around, request)?)),
        })
    }
}

impl Plan<'_> {
    pub(crate) fn needs(&self) -> &Needs {
        match self {
            Self::Deploy(plan) => plan.needs(),
            Self::Rollback(plan) => plan.needs(),
            Self::Hold(plan) => plan.needs(),
            Self::Freeze(plan) => plan.needs(),
            Self::Init(plan) => plan.needs(),
            Self::ClusterDeploy(plan) => plan.needs(),
            Self::ClusterRollback(plan) => plan.needs(),
            Self::State(plan) => plan.needs(),
            Self::Set(plan, _) => plan.needs(),
            Self::Remove(plan) => plan.needs(),
            Self::Rotate(plan) => plan.needs(),
            Self::Run(plan) => plan.needs(),
        }
    }

    /// Carries it out; gives the outcome as others read it.
    pub(crate) fn carry_out(self, consent: &Consent) -> Result<Value> {
        match self {
            Self::Deploy(plan) => plan.carry_out(consent).map(json),
            Self::Rollback(plan) => plan.carry_out(consent).map(json),
            Self::Hold(plan) => plan.carry_out(consent).map(json),
            Self::Freeze(plan) => plan.carry_out(consent).map(json),
            Self::Init(plan) => plan.carry_out(consent).map(json),
            Self::ClusterDeploy(plan) => plan.carry_out(consent).map(json),
            Self::ClusterRollback(plan) => plan.carry_out(consent).map(json),
            Self::State(plan) => plan.carry_out(consent).map(json),
            Self::Set(plan, value) => plan.carry_out(consent, Secret::new(value)).map(json),
            Self::Remove(plan) => plan.carry_out(consent).map(json),
            Self::Rotate(plan) => plan.carry_out(consent).map(json),
            Self::Run(plan) => plan.carry_out(consent).map(json),
        }
    }
}

fn json(outcome: impl Serialize) -> Value {
    serde_json::to_value(outcome).expect("outcomes are JSON")
}
