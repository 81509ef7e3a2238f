//! What requests have in common: what they are called, and which instances they mean.

use grove_fleet::{Address, Fleet, model::Instance};
pub use grove_release::RequestId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Around, Error, Result,
    consent::{Need, Needs},
    fleet::{selection::Selection, workspace::Workspace},
    requests,
};

/// What a part of a request is called that writes to a deploy branch by itself: of each request a branch
/// takes one commit.
pub(crate) fn part(id: Option<&RequestId>, name: &str) -> Option<RequestId> {
    let id = id?;
    let whole = format!("{id}-{name}");
    whole.parse().ok().or_else(|| {
        // Too long: its digest is as much its own.
        let digest = format!("{:x}", Sha256::digest(whole.as_bytes()));
        digest.parse().ok()
    })
}

/// Whether a request of this name was carried out, or begun, from this machine. Whoever asks for consent before
/// there is a plan need not ask then: the plan gives the first outcome, or refuses what is something else.
pub fn is_known(around: &Around, id: Option<&RequestId>) -> bool {
    id.is_some_and(|id| requests::is_known(around, id))
}

/// The instances that a writing request means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances. Nothing said is refused: say `all`.
    pub selection: Selection,
    /// How many instances are expected to be selected; another number is refused.
    pub expect: Option<usize>,
}

impl Target {
    /// What one instance means, `cluster/instance`.
    pub fn of(instance: &str) -> Self {
        Self {
            selection: Selection::of(instance),
            ..Self::default()
        }
    }

    /// Refuses a revision: an operation that writes the fleet's files asks this first.
    pub fn must_be_work_tree(&self) -> Result<()> {
        match self.revision {
            Some(_) => Err(Error::usage(
                "this writes to the work tree; leave `--rev` out",
            )),
            None => Ok(()),
        }
    }

    /// The instances of a fleet that are meant; another number than is expected is refused.
    pub fn choose<'f>(&self, fleet: &'f Fleet) -> Result<Vec<&'f Instance>> {
        self.selection.must_be_stated()?;
        let instances = self.selection.select(fleet)?;
        let count = instances.len();
        match self.expect {
            Some(expected) if expected != count => Err(Error::refused(format!(
                "{count} instances are selected, {expected} were expected"
            ))
            .hint("check the selection with `grove diff`")),
            _ => Ok(instances),
        }
    }

    /// What must be agreed to because of how many instances are meant.
    pub fn needs(&self, instances: &[&Instance]) -> Needs {
        match self.expect {
            None if instances.len() > MANY => Needs::from_iter([Need::Instances {
                instances: addresses(instances),
            }]),
            _ => Needs::default(),
        }
    }

    /// Reads the fleet, whatever its findings, and chooses from it: what must be agreed to before anything
    /// is prepared that takes long.
    pub fn look(&self, around: &Around) -> Result<Needs> {
        let fleet = Workspace::open(around, self.revision.as_deref())?
            .check()
            .fleet;
        Ok(self.needs(&self.choose(&fleet)?))
    }
}

/// More instances than this need consent.
const MANY: usize = 5;

/// The addresses of instances.
pub fn addresses(instances: &[&Instance]) -> Vec<String> {
    instances
        .iter()
        .map(|instance| instance.address.to_string())
        .collect()
}

/// Instances by the cluster that they are on, both in the order of their names.
pub fn by_cluster<'f>(instances: &[&'f Instance]) -> Vec<(&'f str, Vec<&'f Instance>)> {
    let mut all: Vec<(&str, Vec<&Instance>)> = Vec::new();
    let mut sorted = instances.to_vec();
    sorted.sort_by(|one, other| one.address.cmp(&other.address));
    for instance in sorted {
        let Address { cluster, .. } = &instance.address;
        match all.last_mut() {
            Some((last, list)) if *last == cluster => list.push(instance),
            _ => all.push((cluster, vec![instance])),
        }
    }
    all
}
