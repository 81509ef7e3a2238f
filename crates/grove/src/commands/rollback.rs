//! `grove rollback`.

use clap_complete::ArgValueCandidates;
use grove_operations::release::{
    difference, follow,
    rollback::{self, Outcome},
};

use crate::{
    around, candidates,
    error::Result,
    global::Global,
    options::{Branches, Places, Wait},
    output::{Output, is_json},
    surroundings,
    terminal::{self, Agreed},
    waits,
};

/// Go back to an older release, and hold the instance there.
///
/// The older release's manifests come back with today's secrets, as a new release. Nothing is
/// rendered or built.
///
/// The instance is then held, so that the next deploy does not ship again what was left; a change
/// of its source, or `grove unhold`, ends that. While it is held so, another rollback says where it goes
/// (`--to`), or what it leaves (`--from`): a script that says `--from` may say it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove rollback prod/uni\n\
    \x20 grove rollback prod/uni --wait\n\
    \x20 grove rollback prod/uni --from 14\n\
    \x20 grove rollback prod/uni --to 12 -m \"The theme broke\"")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// The release that is left: where another runs, it is refused, and where a rollback left it already,
    /// nothing is done.
    #[arg(long, value_name = "N")]
    from: Option<u32>,
    /// The release to go back to; the one before the running one where nothing is said.
    #[arg(long, value_name = "N")]
    to: Option<u32>,
    /// Why; stands in the hold, the record and the commit.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Go back across a mark that data cannot follow, such as an older Open edX release or database.
    #[arg(long)]
    accept_data_risk: bool,
    /// Show what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let places: [&dyn Places; 2] = [&arguments.branches, &arguments.wait.reach];
    let around = around::of(global, output, &places)?;
    let request = rollback::Request {
        id: surroundings::request_id(),
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
        from: arguments.from,
        to: arguments.to,
        message: arguments.message.clone(),
        wait: arguments.wait.seconds(),
    };
    let plan = rollback::plan(&around, &request)?;
    let agreed = Agreed {
        data_risk: arguments.accept_data_risk,
        ..Agreed::default()
    };
    let consent = terminal::consent_beside(plan.needs(), &agreed, output)?;
    let outcome = if arguments.dry_run {
        plan.outcome().clone()
    } else {
        plan.carry_out(&consent)?
    };
    show(&outcome, output)?;
    Ok(follow::verdict(&outcome.waits).into())
}

/// Shows what became of it.
pub(super) fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    output.outcome(outcome, || {
        if outcome.repeated {
            return format!(
                "{}: rolled back from {:04} to {:04} already, as release {:04}; nothing was done\n",
                outcome.instance, outcome.from, outcome.to, outcome.release
            );
        }
        format!(
            "{}: {} from {:04} to {:04}, as release {:04}; held\n",
            outcome.instance,
            if outcome.dry_run {
                "would roll back"
            } else {
                "rolled back"
            },
            outcome.from,
            outcome.to,
            outcome.release,
        )
    })?;
    if !is_json(output) {
        output.note(&difference::summary(&outcome.diff));
        output.note("a deploy of the same source stays held; `grove unhold` ends that");
        waits::print(&outcome.waits, output)?;
    }
    Ok(())
}
