//! `grove cluster rollback`.

use clap_complete::ArgValueCandidates;
use grove_release::{Hold, RECORD_VERSION, SharedRecord, forward_only};

use super::deploy::{Change, push};
use crate::{
    cli::Global,
    commands::{
        candidates,
        rollback::{before, find_cluster},
    },
    error::{CommandError, Exit, Result},
    following::{self, Wait},
    output::Output,
    releasing::{self, Remotes},
    sharing::Released,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Go back to an older release of what a cluster's instances share, and hold it there.
///
/// The older release's files come back as a new release; nothing is rendered. Charts that bring custom
/// resource definitions go forward only: an older version of one is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster rollback prod --dry-run\n\
    \x20 grove cluster rollback prod --to 3 --wait")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// The release to go back to; the one before the running one where nothing is said.
    #[arg(long, value_name = "N")]
    to: Option<u32>,
    /// Why; stands in the hold, the record and the commit.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Show what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let cluster = find_cluster(&fleet, &arguments.name)?;
    output.progress(&format!("fetching the deploy branch of {}", cluster.name));
    let mut branch = arguments.remotes.open(&workspace, &fleet, &cluster.name)?;
    output.progress_done();
    let view = branch.view()?;
    let history = view.shared_history()?;
    let running = history.first().ok_or_else(|| {
        CommandError::usage(format!("{} has no release of its own yet", cluster.name))
            .hint("`grove cluster deploy` makes its first one")
    })?;
    let numbers: Vec<(u32, Option<u32>)> = history
        .iter()
        .map(|record| (record.release, record.rollback_of))
        .collect();
    let number = match arguments.to {
        Some(number) => number,
        None => before(&numbers).ok_or_else(|| {
            CommandError::refused(format!(
                "there is no release before {:04} that was not left by a rollback",
                running.release
            ))
        })?,
    };
    let older = view.shared_record(number)?;
    if older.release == running.release {
        return Err(CommandError::refused(format!(
            "{} runs release {:04} already",
            cluster.name, older.release
        )));
    }
    refuse_older_definitions(running, &older)?;
    let after = Released::read(&branch, &older)?;
    let changes = Change::between(&Released::read(&branch, running)?, &after);
    let author = releasing::author(&workspace)?;
    let reason = arguments.message.clone().unwrap_or_else(|| {
        format!(
            "rolled back from {:04} to {:04}",
            running.release, older.release
        )
    });
    let record = SharedRecord {
        version: RECORD_VERSION,
        release: running.release + 1,
        time: surroundings::now()?,
        author: author.to_string(),
        message: Some(reason.clone()),
        rollback_of: Some(older.release),
        request: None,
        grove: env!("CARGO_PKG_VERSION").to_owned(),
        // The order of sources goes on from the release that is left.
        source: running.source.clone(),
        ..older.clone()
    };
    let mut left = view
        .shared_hold()?
        .map(|hold| hold.left)
        .unwrap_or_default();
    left.push(running.release);
    let hold = Hold {
        version: RECORD_VERSION,
        reason: reason.clone(),
        since: record.time,
        by: record.author.clone(),
        release: record.release,
        left,
    };
    let number = record.release;
    let mut waits = (Vec::new(), Exit::Done);
    let (from, to) = (running.release, older.release);
    if !arguments.dry_run {
        output.progress(&format!("pushing to {}", branch.remote()));
        let subject = format!("Roll what instances share back to {to:04}");
        push(&mut branch, record, after, subject, author, |changes| {
            changes.hold_shared(&hold);
        })?;
        output.progress_done();
        if let Some(tip) = branch.tip().filter(|_| arguments.wait.wait) {
            let releases = following::Release::shared(&branch, cluster, tip)?;
            waits = following::follow(&arguments.wait, &fleet.clusters, &releases, output)?;
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({
            "version": 1, "cluster": cluster.name, "from": from, "to": to, "release": number,
            "dry_run": arguments.dry_run, "diff": changes, "waits": waits.0,
        }))?;
        return Ok(waits.1);
    }
    output.print(&format!(
        "{}: {} from {from:04} to {to:04}, as release {number:04}; held\n",
        cluster.name,
        if arguments.dry_run {
            "would roll back"
        } else {
            "rolled back"
        },
    ))?;
    output.note(&changes.summary());
    following::print(&waits.0, output)?;
    Ok(waits.1)
}

/// An older chart would take custom resource definitions back, and with them what is stored in the
/// newer form.
fn refuse_older_definitions(running: &SharedRecord, older: &SharedRecord) -> Result<()> {
    let crossed = forward_only(&running.forward_only, &older.forward_only);
    if crossed.is_empty() {
        return Ok(());
    }
    let mut error = CommandError::refused(format!(
        "release {:04} has an older version of what brings custom resource definitions",
        older.release
    ));
    error.messages.extend(
        crossed
            .iter()
            .map(|crossed| format!("{}: {} → {}", crossed.mark, crossed.from, crossed.to)),
    );
    Err(error.hint("such parts go forward only: mend the values in `cluster.yaml` and deploy"))
}
