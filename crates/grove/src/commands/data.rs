//! `grove data`: databases, users and buckets on servers outside of an instance's namespace.

mod apply;
mod list;
mod remove;
mod verify;

use grove_operations::jobs::data::Outcome;
use serde_json::json;

use crate::{
    error::{Exit, Kind, Result},
    global::Global,
    output::{Output, is_json},
    runs,
};

/// Make, verify and remove databases, users and buckets on shared servers.
///
/// A Job in the namespace `grove-data` of the instance's cluster does it, with the credentials of `servers`
/// of `cluster.yaml`. No instance ever sees those, and they are gone when the Job is. Each can be done again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data list prod\n\
    \x20 grove data apply prod/uni\n\
    \x20 grove data verify '@canary'")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Arguments),
    Apply(apply::Arguments),
    Verify(verify::Arguments),
    Remove(remove::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::List(arguments) => list::run(arguments, global, output),
        Command::Apply(arguments) => apply::run(arguments, global, output),
        Command::Verify(arguments) => verify::run(arguments, global, output),
        Command::Remove(arguments) => remove::run(arguments, global, output),
    }
}

/// Says which Jobs failed, and what the command comes to.
fn show(outcome: Outcome, output: &Output) -> Result {
    let jobs = outcome.jobs;
    if is_json(output) {
        output.json(&json!({"version": 1, "jobs": jobs}))?;
    }
    for one in jobs.iter().filter(|one| one.exit_code != 0) {
        output.note(&format!(
            "{}: {} failed; what it did before stays, and the next run goes on from there",
            one.instance, one.job
        ));
    }
    runs::failures(outcome.failures, output)?;
    let is_done = jobs.iter().all(|one| one.exit_code == 0);
    Ok(if is_done {
        Exit::Done
    } else {
        Exit::Kind(Kind::No)
    })
}
