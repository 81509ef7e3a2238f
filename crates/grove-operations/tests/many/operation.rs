//! One operation of many.

use std::fmt;

use grove_operations::{
    Around, Error, Kind, Result,
    consent::Consent,
    deploy,
    fleet::selection::Selection,
    release::{history, hold, rollback},
    request::{RequestId, Target},
    status,
};
use grove_watch::Status;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Deploy,
    Rollback,
    Hold,
    History,
    Status,
}

impl Verb {
    pub(crate) const ALL: [Self; 5] = [
        Self::Deploy,
        Self::Rollback,
        Self::Hold,
        Self::History,
        Self::Status,
    ];
}

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) around: Around,
    /// The fleet's name.
    pub(crate) place: String,
    pub(crate) cluster: String,
    /// `cluster/instance`.
    pub(crate) address: String,
    pub(crate) verb: Verb,
    /// The fleet's commit, and what it says.
    pub(crate) source: (String, u32),
    /// One that no other operation has.
    pub(crate) id: String,
    /// In place of the fleet's own.
    pub(crate) remote: Option<String>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verb, address, id, ..
        } = self;
        write!(
            formatter,
            "{verb:?} of {address}, {id}, at {:?}",
            self.remote
        )
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Came {
    Deployed(deploy::outcome::Outcome),
    RolledBack(rollback::Outcome),
    Held(hold::Outcome),
    Read(history::Outcome),
    Seen(Status),
    Failed(Error),
}

impl Came {
    /// Whose fault it is that it did not succeed.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Failed(error) => Some(error.kind),
            Self::Read(outcome) => outcome.failure.as_ref().map(|error| error.kind),
            Self::Deployed(outcome) => outcome.failure.as_ref().map(|error| error.kind),
            _ => None,
        }
    }
}

impl Operation {
    /// Plans it and carries it out, again and again while others are faster at the same instance.
    pub(crate) fn carry_out(&self, around: &Around) -> Came {
        let around = Around {
            deploy_remote: self.remote.clone(),
            ..around.clone()
        };
        for _ in 0..200 {
            match self.once(&around) {
                Err(error) if is_race(&error) => {}
                Err(error) => return Came::Failed(error),
                Ok(came) => return came,
            }
        }
        panic!("{self:?} is never fast enough");
    }

    fn id(&self) -> RequestId {
        self.id.parse().unwrap()
    }

    /// What stands wherever this was.
    pub(crate) fn words(&self) -> String {
        format!("{} of {} by {}", self.address, self.place, self.id)
    }

    fn once(&self, around: &Around) -> Result<Came> {
        let selection = Selection::of(&self.address);
        Ok(match self.verb {
            Verb::Deploy => {
                let request = deploy::request::Request {
                    id: Some(self.id()),
                    message: Some(self.words()),
                    allow_older: true,
                    ..deploy::request::Request::new(Target {
                        revision: Some(self.source.0.clone()),
                        ..Target::of(&self.address)
                    })
                };
                let plan = deploy::plan::plan(around, &request)?;
                let consent = Consent::to(plan.needs().clone());
                let mut outcome = plan.carry_out(&consent)?;
                if let Some(error) = outcome.failure.take_if(|error| is_race(error)) {
                    return Err(error);
                }
                Came::Deployed(outcome)
            }
            Verb::Rollback => {
                let request = rollback::Request {
                    id: Some(self.id()),
                    revision: None,
                    instance: self.address.clone(),
                    from: None,
                    to: Some(1),
                    message: Some(self.words()),
                    wait: None,
                };
                let plan = rollback::plan(around, &request)?;
                let consent = Consent::to(plan.needs().clone());
                Came::RolledBack(plan.carry_out(&consent)?)
            }
            Verb::Hold => {
                let request = hold::Request {
                    id: Some(self.id()),
                    target: Target::of(&self.address),
                    // Half of them let go again.
                    change: if self.id.ends_with(['3', '7']) {
                        hold::Change::Unhold
                    } else {
                        let reason = self.words();
                        hold::Change::Hold { reason }
                    },
                };
                Came::Held(hold::plan(around, &request)?.carry_out(&Consent::none())?)
            }
            Verb::History => {
                let request = history::Request {
                    selection,
                    limit: 100,
                    ..history::Request::default()
                };
                Came::Read(history::read(around, &request)?)
            }
            Verb::Status => {
                let asking = status::gather::Asking {
                    selection,
                    timeout: 5,
                    ..status::gather::Asking::default()
                };
                Came::Seen(status::now::read(around, &asking)?)
            }
        })
    }
}

/// Whether others were faster.
fn is_race(error: &Error) -> bool {
    matches!(
        error.cause(),
        Some(grove_release::Error::Conflict(_) | grove_release::Error::Contended { .. })
    )
}
