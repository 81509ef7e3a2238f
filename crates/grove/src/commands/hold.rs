//! `grove hold`.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{Fleet, model::Instance};
use grove_release::{Changes, DeployBranch, Draft, Hold, Message, RECORD_VERSION, View, refuse};

use crate::{
    cli::Global,
    commands::selection::{Agreement, Selection},
    error::{Exit, Result},
    output::Output,
    releasing::{self, Remotes},
    surroundings,
    workspace::{Workspace, is_json},
};

/// Keep instances at the release they run.
///
/// A deploy passes held instances over until `grove unhold`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove hold prod/uni -m \"Exams until Friday\"")]
pub(crate) struct Arguments {
    /// Why; shown wherever the hold is.
    #[arg(short, long = "message", value_name = "TEXT")]
    message: String,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let time = surroundings::now()?;
    let author = releasing::author(&workspace)?;
    let by = format!("{} <{}>", author.name, author.email);
    let edit = |view: &View<'_>, instance: &Instance, changes: &mut Changes| -> Result<String> {
        let name = &instance.address.instance;
        let Some(running) = view.latest(name)? else {
            return Ok("was never released; nothing to hold".to_owned());
        };
        // A rollback's hold ends by itself when the source changes; this one does not.
        if let Some(hold) = view.hold(name)?
            && hold.left.is_empty()
        {
            return Ok(format!("is held already: {}", hold.reason));
        }
        changes.hold(
            name,
            &Hold {
                version: RECORD_VERSION,
                reason: arguments.message.clone(),
                since: time,
                by: by.clone(),
                release: running.release,
                left: Vec::new(),
            },
        );
        Ok(format!("held at {:04}", running.release))
    };
    let instances = arguments.selection.select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    let subject = format!(
        "Hold: {}",
        arguments.message.lines().next().unwrap_or_default()
    );
    change(
        &workspace,
        &fleet,
        &instances,
        &arguments.remotes,
        &subject,
        edit,
        output,
    )
}

/// Edits the deploy branch for each instance, with one commit a cluster, and says what became of
/// each.
pub(super) fn change(
    workspace: &Workspace,
    fleet: &Fleet,
    instances: &[&Instance],
    remotes: &Remotes,
    subject: &str,
    edit: impl Fn(&View<'_>, &Instance, &mut Changes) -> Result<String>,
    output: &Output,
) -> Result {
    let clusters: BTreeSet<&str> = instances
        .iter()
        .map(|instance| instance.address.cluster.as_str())
        .collect();
    let mut results = BTreeMap::new();
    for cluster in clusters {
        output.progress(&format!("fetching the deploy branch of {cluster}"));
        let mut branch: DeployBranch = remotes.open(workspace, fleet, cluster)?;
        let mut changes = Changes::default();
        let view = branch.view()?;
        for instance in instances
            .iter()
            .filter(|instance| instance.address.cluster == cluster)
        {
            results.insert(
                instance.address.to_string(),
                edit(&view, instance, &mut changes)?,
            );
        }
        if !changes.is_empty() {
            let message = Message {
                subject: subject.to_owned(),
                grove: env!("CARGO_PKG_VERSION").to_owned(),
                ..Message::default()
            };
            let (author, time) = (releasing::author(workspace)?, surroundings::now()?);
            branch.commit(
                Draft {
                    changes,
                    message,
                    author,
                    time,
                },
                refuse,
            )?;
        }
    }
    output.progress_done();
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "instances": results}))?;
    } else {
        for (address, result) in &results {
            output.print(&format!("{address}: {result}\n"))?;
        }
    }
    Ok(Exit::Done)
}
