//! `grove state verify`.

use std::path::PathBuf;

use grove_operations::{
    state::verify::{self, Outcome},
    text::count,
};

use super::around;
use crate::{
    error::{Exit, Kind, Result},
    global::Global,
    output::Output,
};

/// Plan each part of a split, and demand that nothing would change.
///
/// Each directory of a part needs its configuration (`*.tf`) beside its state. `init` and `plan` run
/// there with your environment, so that providers find their credentials; nothing is applied. Ends with
/// exit code 1 where a plan changes anything.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state verify parts\n\
    \x20 grove state verify parts --program terraform --offline")]
pub(super) struct Arguments {
    /// The directory that `grove state split` wrote.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The program that plans; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// Plan on the state alone, without asking providers what there is.
    #[arg(long)]
    offline: bool,
    /// How many plans run at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    parallel: usize,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around(arguments.program.as_ref(), global, output)?;
    let request = verify::Request {
        offline: arguments.offline,
        parallel: arguments.parallel,
    };
    show(
        &verify::read(&around, &request, &arguments.directory)?,
        output,
    )
}

/// Shows what plans would change.
pub(super) fn show(outcome: &Outcome, output: &Output) -> Result {
    let is_fine = outcome.is_fine();
    output.outcome(outcome, || {
        if is_fine {
            return format!("{}: no changes\n", count(outcome.stacks.len(), "plan"));
        }
        let changed = outcome.stacks.iter().filter(|row| !row.changes.is_empty());
        let lines = changed.flat_map(|row| {
            let changes = row.changes.iter().map(|change| format!("  {change}\n"));
            std::iter::once(format!("{}:\n", row.stack)).chain(changes)
        });
        lines.collect()
    })?;
    Ok(if is_fine {
        Exit::Done
    } else {
        Exit::Kind(Kind::No)
    })
}
