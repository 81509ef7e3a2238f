//! Commits to deploy branches: one place that says who, when and with which Grove.

use grove_release::{Changes, DeployBranch, Draft, Message, Outcome, Turn, refuse};

use crate::{Around, Result, request::RequestId};

/// What a commit to a deploy branch is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    /// Its first line.
    pub line: String,
    /// The request that it carries out.
    pub request: Option<RequestId>,
    /// The fleet's commit that it brings.
    pub source: grove_release::Origin,
    /// The releases that it adds: instance and number.
    pub releases: Vec<(String, u32)>,
}

impl Subject {
    /// A commit that brings no release.
    pub(crate) fn new(line: impl Into<String>, request: Option<&RequestId>) -> Self {
        Self {
            line: line.into(),
            request: request.cloned(),
            ..Self::default()
        }
    }
}

/// Puts changes on a deploy branch. Where others changed the same since it was read, it is refused. An
/// operation that was ended by now writes nothing more.
pub(crate) fn publish(
    around: &Around,
    branch: &mut DeployBranch,
    changes: Changes,
    subject: Subject,
) -> Result<Outcome> {
    let _entered = around.enter()?;
    let waits = format!("waiting for its turn to write to {}", branch.name());
    let turn = Turn {
        limit: around.turn,
        waits: &|| around.progress(&waits),
    };
    let draft = Draft {
        changes,
        message: Message {
            subject: subject.line,
            text: None,
            source: subject.source.commit,
            local: subject.source.local,
            releases: subject.releases,
            request: subject.request,
            grove: VERSION.to_owned(),
        },
        author: around.author()?,
        time: around.now(),
    };
    let outcome = branch.commit_in_turn(draft, turn, refuse)?;
    if let Some(reason) = &outcome.unmarked {
        around.note(&format!(
            "{} takes no second reference to {}, which would tell of a branch that is gone: {reason}",
            branch.remote(),
            branch.name()
        ));
    }
    Ok(outcome)
}

/// Which Grove writes.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
