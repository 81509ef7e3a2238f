//! Which fleet is released: a commit that others can see, or the work tree as it is.

use grove_fleet::model::{Environment, Instance};
use grove_release::{Id, Order, Origin, Published};

use super::{history::History, workspace::Workspace};
use crate::{Around, Error, Result};

/// The fleet's files and where they come from. What is `local` is the work tree as it is, which has no
/// revision.
pub(crate) fn read<'a>(
    around: &'a Around,
    local: bool,
    revision: Option<&str>,
) -> Result<(Workspace<'a>, Origin)> {
    if local && revision.is_some() {
        return Err(Error::usage(
            "either the work tree as it is or a revision is deployed, not both",
        ));
    }
    let workspace = Workspace::open(around, revision)?;
    if local {
        let origin = match &workspace.source {
            Some(source) => {
                let revision = source.revision(&around.git())?;
                Origin {
                    commit: revision.head,
                    local: !revision.changed.is_empty(),
                }
            }
            None => Origin {
                commit: None,
                local: true,
            },
        };
        return Ok((workspace, origin));
    }
    let source = workspace.repository()?;
    let commit = match workspace.commit {
        Some(commit) => commit,
        None => clean_head(around, source)?,
    };
    if let Published::No(upstream) = source.published(&around.git(), commit)? {
        return Err(Error::refused(format!(
            "commit {} is not on {upstream}, where others could see it",
            commit.short()
        ))
        .hint(
            "push it first; `--local` deploys what only this machine has, but not to production",
        ));
    }
    let snapshot = source.snapshot(commit)?;
    let workspace = Workspace {
        snapshot,
        commit: Some(commit),
        ..workspace
    };
    Ok((
        workspace,
        Origin {
            commit: Some(commit),
            local: false,
        },
    ))
}

fn clean_head(around: &Around, source: &dyn History) -> Result<Id> {
    let revision = source.revision(&around.git())?;
    let head = revision.head.ok_or_else(|| {
        Error::refused("the fleet has no commit yet").hint("commit it, or pass `--local`")
    })?;
    if revision.changed.is_empty() {
        return Ok(head);
    }
    let shown: Vec<&str> = revision
        .changed
        .iter()
        .take(5)
        .map(String::as_str)
        .collect();
    Err(Error::refused(format!(
        "the work tree has changes that are in no commit: {}{}",
        shown.join(", "),
        if revision.changed.len() > shown.len() { ", …" } else { "" }
    ))
    .hint("commit them, pass `--rev HEAD` to leave them out, or `--local` to deploy them outside production"))
}

/// Refuses to deploy a work tree as it is where one of `instances` is in production.
pub(crate) fn refuse_production<'a>(
    mut instances: impl Iterator<Item = &'a Instance>,
) -> Result<()> {
    match instances.find(|instance| instance.environment == Environment::Production) {
        None => Ok(()),
        Some(instance) => Err(Error::refused(format!(
            "{} is a production instance, and `--local` deploys what only this machine has",
            instance.address
        ))
        .hint("commit and push the fleet, and deploy without `--local`")),
    }
}

/// Refuses a source that does not descend from `running`, the source of the running release.
pub(crate) fn check_order(
    workspace: &Workspace<'_>,
    origin: &Origin,
    running: Option<&Origin>,
) -> Result<()> {
    let (Some(source), Some(running), Some(commit)) = (&workspace.source, running, origin.commit)
    else {
        return Ok(());
    };
    match source.order(commit, running.commit)? {
        Order::First | Order::Newer => Ok(()),
        Order::Stale {
            source, running, ..
        } => Err(Error::refused(format!(
            "the source {} does not descend from {}, the source of the running release",
            source.short(),
            running.short()
        ))
        .hint("fetch and merge the fleet's upstream; `--allow-older` deploys it all the same")),
    }
}
