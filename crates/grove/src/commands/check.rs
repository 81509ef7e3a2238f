//! `grove check`.

use grove_fleet::check::{self, Released, Report, Summary};

use crate::{
    cli::Global,
    error::{Exit, Result},
    output::{Output, count},
    releasing::{self, Remotes},
    workspace::{Workspace, is_json},
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
    let workspace = Workspace::open(global)?;
    let mut checked = workspace.check()?;
    if arguments.released {
        let mut released = Released::default();
        for cluster in checked.fleet.clusters.keys() {
            output.progress(&format!("fetching the deploy branch of {cluster}"));
            let branch = arguments
                .remotes
                .open(&workspace, &checked.fleet, cluster)?;
            releasing::released(&branch, &mut released)?;
        }
        output.progress_done();
        checked = workspace.check_against(Some(released))?;
    }
    let Summary { errors, warnings } = Summary::new(&checked.findings);
    if is_json(output) {
        output.json(&Report::new(&checked.findings))?;
    } else {
        output.print(&check::text(
            &checked.findings,
            &workspace.snapshot,
            output.colour(),
        ))?;
        output.note(&format!(
            "{}, {}, {}: {}, {}",
            count(checked.fleet.clusters.len(), "cluster"),
            count(checked.fleet.instances.len(), "instance"),
            count(checked.fleet.distributions.len(), "distribution"),
            count(errors, "error"),
            count(warnings, "warning"),
        ));
    }
    Ok(if errors > 0 || (arguments.strict && warnings > 0) {
        Exit::No
    } else {
        Exit::Done
    })
}
