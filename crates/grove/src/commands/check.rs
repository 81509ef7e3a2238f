//! `grove check`.

use grove_check::Report;
use grove_operations::{
    check::{Counts, Outcome, Request, read},
    text::count,
};

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::Remotes,
    output::{Output, is_json},
};

/// Check the fleet and show what is wrong with it.
///
/// Looks at every file of the fleet and at how they fit together; nothing is rendered, and no key
/// is needed. Each finding names its rule, its place and what to do; `grove rule ID` says more. The
/// exit code is 1 where there is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove check\n\
    \x20 grove check --strict --format json\n\
    \x20 grove check --rev origin/main")]
pub(crate) struct Arguments {
    /// Let warnings fail the check, too.
    #[arg(long)]
    strict: bool,
    /// Check against what was released, too: fetches the deploy branches.
    #[arg(long)]
    released: bool,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.remotes])?;
    let request = Request {
        revision: global.rev.clone(),
        released: arguments.released,
    };
    let outcome = read(&around, &request)?;
    show(&outcome, output)?;
    let Counts { errors, warnings } = outcome.summary;
    Ok(if errors > 0 || (arguments.strict && warnings > 0) {
        Exit::Kind(Kind::No)
    } else {
        Exit::Done
    })
}

/// Shows the findings.
pub(super) fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    let Counts { errors, warnings } = outcome.summary;
    let shown = &outcome.shown;
    if is_json(output) {
        output.json(&Report::new(&shown.findings))?;
    } else {
        output.print(&grove_check::text(
            &shown.findings,
            &shown.snapshot,
            output.colour(),
        ))?;
        output.note(&format!(
            "{}, {}, {}: {}, {}",
            count(shown.clusters, "cluster"),
            count(shown.instances, "instance"),
            count(shown.distributions, "distribution"),
            count(errors, "error"),
            count(warnings, "warning"),
        ));
    }
    Ok(())
}
