//! `grove history`.

use std::fmt::Write as _;

use grove_cluster::argo::clean;
use grove_operations::release::{
    frozen,
    history::{self, Outcome, Row},
};
use grove_release::{Freeze, Hold, Record, Run};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::{Remotes, Selection},
    output::{Output, is_json},
};

/// List the releases of instances.
///
/// The newest stands first: its name, time, source, author and what it was for. Without a
/// selection, every instance is listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove history prod/uni\n\
    \x20 grove history @canary -n 3\n\
    \x20 grove history prod/uni --runs")]
pub(crate) struct Arguments {
    /// At most this many releases of each instance.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// List the commands that were run once (`grove run`) instead.
    #[arg(long)]
    runs: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.remotes])?;
    let request = history::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        limit: arguments.limit,
        runs: arguments.runs,
    };
    show(history::read(&around, &request)?, output)?;
    Ok(Exit::Done)
}

/// Shows releases, or runs; an error where the next branch could not be read.
pub(super) fn show(mut outcome: Outcome, output: &Output) -> Result<()> {
    let failure = outcome.failure.take();
    // Half a document says nothing to a script.
    if failure.is_none() || !is_json(output) {
        output.outcome(&outcome, || outcome.instances.iter().map(text).collect())?;
    }
    failure.map_or(Ok(()), Err)
}

fn text(row: &Row) -> String {
    match row {
        Row::Runs { instance, runs } => runs.iter().map(|run| line(instance, run)).collect(),
        Row::Releases {
            instance, releases, ..
        } if releases.is_empty() => format!("{instance}: never released\n"),
        Row::Releases {
            instance,
            hold,
            freeze,
            releases,
        } => {
            let mut text = String::new();
            for (index, record) in releases.iter().enumerate() {
                let (hold, freeze) = match index {
                    0 => (hold.as_ref(), freeze.as_ref()),
                    _ => (None, None),
                };
                let _written = writeln!(text, "{}", release(instance, record, hold, freeze));
            }
            text
        }
    }
}

/// A release, in a line.
fn release(
    instance: &str,
    record: &Record,
    hold: Option<&Hold>,
    freeze: Option<&Freeze>,
) -> String {
    let mut line = format!(
        "{instance}@{:04}  {}  {}  {}",
        record.release,
        record.time,
        record
            .source
            .commit
            .map_or_else(|| "local".to_owned(), |commit| commit.short()),
        record.author.split(" <").next().unwrap_or_default(),
    );
    if let Some(of) = record.rollback_of {
        let _written = write!(line, "  rollback to {of:04}");
    }
    if let Some(message) = &record.message {
        let _written = write!(line, "  {}", message.lines().next().unwrap_or_default());
    }
    if let Some(hold) = hold {
        let _written = write!(line, "  [held: {}]", hold.reason);
    }
    if let Some(freeze) = freeze {
        let _written = write!(line, "  [{}]", frozen::described(freeze));
    }
    line
}

/// A command that was run, in a line.
fn line(address: &str, run: &Run) -> String {
    let how = match run.exit_code {
        Some(code) => format!("exit code {code}"),
        None => "did not end".to_owned(),
    };
    let command = clean(&run.command.join(" "));
    format!(
        "{address}  {}  {}  {}  {how}  {command}\n",
        run.time,
        run.author.split(" <").next().unwrap_or_default(),
        run.service
    )
}
