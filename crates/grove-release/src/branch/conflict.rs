//! Two deploys that changed the same thing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use gix::objs::FindExt as _;

use super::{Changes, Message};
use crate::{Id, git::Database, layout};

/// How far back the commit that changed something is looked for.
const SEARCH: usize = 500;

/// Someone else changed what this deploy changes, since the state that it was made from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Conflict {
    /// The instances, and paths outside of any, that both changed; never empty.
    pub what: Vec<String>,
    /// The commit that this deploy was made from; none where there was no branch.
    pub base: Option<Id>,
    /// The commit that changed it.
    pub theirs: Id,
    /// The first line of that commit's message.
    pub subject: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.join(", ");
        write!(formatter, "{what} changed while this deploy was made: ")?;
        match self.base {
            Some(base) => write!(formatter, "it was made from {}, ", base.short())?,
            None => formatter.write_str("it was made from an empty branch, ")?,
        }
        write!(
            formatter,
            "then came {} ({})",
            self.theirs.short(),
            self.subject
        )
    }
}

/// What two deploys must not change at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// Everything that belongs to one instance, or to what instances share.
    Instance(String),
    /// A file or directory at the root.
    Path(String),
}

impl Unit {
    fn of(path: &str) -> Self {
        match layout::instance_of(path) {
            Some(instance) => Self::Instance(instance.to_owned()),
            None => Self::Path(path.split('/').next().unwrap_or(path).to_owned()),
        }
    }

    /// The objects that make up the unit in the tree `root`: equal if and only if their content is.
    fn state(&self, database: &Database<'_>, root: Option<Id>) -> gix::Result<Vec<Option<Id>>> {
        let Some(root) = root else {
            return Ok(Vec::new());
        };
        let paths = match self {
            Self::Instance(instance) => layout::paths(instance),
            Self::Path(path) => vec![path.clone()],
        };
        let mut state: Vec<Option<Id>> = Vec::new();
        for path in paths {
            state.push(database.entry(root, &path)?.map(|entry| entry.id));
        }
        // Nothing at all is the same as no branch.
        Ok(if state.iter().all(Option::is_none) {
            Vec::new()
        } else {
            state
        })
    }

    fn name(self) -> String {
        match self {
            Self::Instance(name) if name == layout::SHARED => "the shared part".to_owned(),
            Self::Instance(name) | Self::Path(name) => name,
        }
    }
}

/// What a draft changes, and the objects of each part at one commit.
pub(super) type States = BTreeMap<Unit, Vec<Option<Id>>>;

/// The parts that `changes` touches, as they are at `commit` (none: an empty branch).
pub(super) fn states(
    database: &Database<'_>,
    changes: &Changes,
    commit: Option<Id>,
) -> gix::Result<States> {
    let root = commit.map(|commit| database.root(commit)).transpose()?;
    let units: BTreeSet<Unit> = changes.paths().map(Unit::of).collect();
    units
        .into_iter()
        .map(|unit| {
            let state = unit.state(database, root)?;
            Ok((unit, state))
        })
        .collect()
}

/// Looks for parts that others changed between `base` and `theirs` and that a draft changes too:
/// `before` is their state at `base`, `ours` what the draft makes of them.
pub(super) fn find(
    database: &Database<'_>,
    before: &States,
    ours: &States,
    base: Option<Id>,
    theirs: Id,
) -> gix::Result<Option<Conflict>> {
    let their_root = Some(database.root(theirs)?);
    let mut both = Vec::new();
    for (unit, state) in before {
        let now = unit.state(database, their_root)?;
        // Equal work is no conflict.
        if now != *state && Some(&now) != ours.get(unit) {
            both.push(unit.clone());
        }
    }
    let Some(first) = both.first() else {
        return Ok(None);
    };
    // The commit that brought it there, for the message.
    let wanted = first.state(database, their_root)?;
    let mut culprit = theirs;
    for _ in 0..SEARCH {
        let Some(parent) = database.parent(culprit)? else {
            break;
        };
        if first.state(database, Some(database.root(parent)?))? != wanted {
            break;
        }
        culprit = parent;
    }
    let mut buffer = Vec::new();
    let commit = database.find_commit_iter(&culprit.object(), &mut buffer)?;
    let Message { subject, .. } = Message::read(&commit.message()?.to_string());
    Ok(Some(Conflict {
        what: both.into_iter().map(Unit::name).collect(),
        base,
        theirs: culprit,
        subject: subject
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect(),
    }))
}
