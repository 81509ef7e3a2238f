//! `grove diff`.

use grove_operations::release::difference::{Outcome, Request, read, summary};

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::{Remotes, Selection},
    output::{Output, is_json},
    report,
};

/// Show what a deploy would change, object by object.
///
/// Compares the fleet as it is here with the running releases. Secrets are shown by name only, and
/// no key is needed. Without a selection, every instance is compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove diff\n\
    \x20 grove diff prod/uni --stat\n\
    \x20 grove diff @canary --exit-code")]
pub(crate) struct Arguments {
    /// Only count, show no text.
    #[arg(long)]
    stat: bool,
    /// Exit with 1 where there is a difference, for scripts.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.remotes])?;
    let request = Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    let mut outcome = read(&around, &request)?;
    let failure = outcome.failure.take();
    // Half a document says nothing to a script.
    if failure.is_none() || !is_json(output) {
        show(&outcome, arguments.stat, output)?;
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    let differs = outcome.instances.iter().any(|row| !row.diff.is_empty());
    Ok(if differs && arguments.exit_code {
        Exit::Kind(Kind::No)
    } else {
        Exit::Done
    })
}

/// Shows what would change of each instance.
pub(super) fn show(outcome: &Outcome, only_count: bool, output: &Output) -> Result<()> {
    if is_json(output) {
        return output.outcome(outcome, String::new);
    }
    for row in &outcome.instances {
        if row.diff.is_empty() {
            output.note(&format!("{}: no difference", row.instance));
            continue;
        }
        output.print(&format!("{}: {}\n", row.instance, summary(&row.diff)))?;
        if !only_count {
            output.print(&report::text(&row.diff, output.colour()))?;
        }
    }
    Ok(())
}
