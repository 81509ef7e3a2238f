//! `grove cluster diff`.

use std::fmt::Write as _;

use clap_complete::ArgValueCandidates;
use grove_operations::{
    Kind,
    release::difference::summary,
    shared::difference::{self, Outcome},
};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    options::{Lock, Remotes},
    output::{Output, is_json},
    report,
};

/// Show what `grove cluster deploy` would change.
///
/// Compares the fleet as it is here with the running release of what the cluster's instances share.
///
/// Where `helm` is on PATH, charts that travel with the deploy tree are rendered as they run and as
/// they would, and their objects are compared, too. Secrets that a chart makes anew at each rendering
/// are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster diff prod\n\
    \x20 grove cluster diff prod --exit-code")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// Exit with 1 where there is a difference, for scripts.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.remotes])?;
    let request = difference::Request {
        cluster: arguments.name.clone(),
        revision: global.rev.clone(),
    };
    let outcome = difference::read(&around, &request, arguments.lock.lock.as_deref())?;
    if outcome.diff.is_empty() && !is_json(output) {
        output.note(&format!("{}: no difference", outcome.cluster));
        return Ok(Exit::Done);
    }
    output.outcome(&outcome, || text(&outcome, output.colour()))?;
    Ok(if arguments.exit_code && !outcome.diff.is_empty() {
        Exit::Kind(Kind::No)
    } else {
        Exit::Done
    })
}

fn text(outcome: &Outcome, colour: bool) -> String {
    let changes = &outcome.diff;
    let mut text = format!("{}: {}\n", outcome.cluster, changes.summary());
    text.push_str(&report::text(&changes.objects, colour));
    for (path, change) in &changes.charts {
        let _written = writeln!(text, "{change} charts/{path}");
    }
    for (part, diff) in outcome.charts.iter().filter(|(_, diff)| !diff.is_empty()) {
        let _written = writeln!(text, "\n{part} makes of it: {}", summary(diff));
        text.push_str(&report::text(diff, colour));
    }
    text
}
