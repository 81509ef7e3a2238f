//! `grove check`.

use grove_fleet::check::{self, Report, Summary};

use crate::{
    cli::Global,
    error::{Exit, Result},
    output::Output,
    workspace::{Workspace, is_json},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Let warnings fail the check, too.
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let checked = workspace.check()?;
    let Summary { errors, warnings } = Summary::new(&checked.findings);
    if is_json(output) {
        output.json(&Report::new(&checked.findings))?;
    } else {
        output.print(&check::text(&checked.findings, &workspace.snapshot, output.colour()))?;
        output.note(&format!(
            "{} clusters, {} instances, {} distributions: {errors} errors, {warnings} warnings",
            checked.fleet.clusters.len(),
            checked.fleet.instances.len(),
            checked.fleet.distributions.len(),
        ));
    }
    Ok(if errors > 0 || (arguments.strict && warnings > 0) { Exit::No } else { Exit::Done })
}
