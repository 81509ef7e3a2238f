//! Whether a source may follow the one that runs.

use super::Source;
use crate::{Error, Id};

/// How one commit stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ancestry {
    /// They are the same.
    Same,
    /// The first is an ancestor of the second.
    Before,
    /// The second is an ancestor of the first.
    After,
    /// Each has commits that the other lacks.
    Apart,
    /// The repository lacks one of them: a shallow clone, another repository, or history that was
    /// rewritten.
    Unknown,
}

/// Whether a deploy's source may follow that of the running release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing runs yet, or its source is unknown by design (a local deploy).
    First,
    /// It is the same or descends from it.
    Newer,
    /// It is not: the checkout is stale, or on another branch. Both are named.
    Stale {
        /// The commit that is to be deployed.
        source: Id,
        /// The commit of the running release.
        running: Id,
        /// How the first stands to the second.
        ancestry: Ancestry,
    },
}

impl Source {
    /// How the commit `one` stands to the commit `other`.
    pub fn ancestry(&self, one: Id, other: Id) -> Result<Ancestry, Error> {
        if one == other {
            return Ok(Ancestry::Same);
        }
        let repo = self.repository();
        if !repo.has_object(one.object()) || !repo.has_object(other.object()) {
            return Ok(Ancestry::Unknown);
        }
        let base = repo
            .merge_base(one.object(), other.object())
            .map_err(|error| self.broken(&error))?
            .map(|base| Id::from(base.detach()));
        Ok(match base {
            Some(base) if base == one => Ancestry::Before,
            Some(base) if base == other => Ancestry::After,
            // What a shallow clone lacks may be what joins them.
            None | Some(_) if repo.is_shallow().unwrap_or(true) => Ancestry::Unknown,
            None | Some(_) => Ancestry::Apart,
        })
    }

    /// Whether a release from `source` may follow one from `running`.
    pub fn check_order(&self, source: Id, running: Option<Id>) -> Result<Order, Error> {
        let Some(running) = running else {
            return Ok(Order::First);
        };
        Ok(match self.ancestry(source, running)? {
            Ancestry::Same | Ancestry::After => Order::Newer,
            ancestry => Order::Stale {
                source,
                running,
                ancestry,
            },
        })
    }
}
