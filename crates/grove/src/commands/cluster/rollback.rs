//! `grove cluster rollback`.

use clap_complete::ArgValueCandidates;
use grove_operations::{
    release::follow,
    shared::rollback::{self, Outcome},
};

use crate::{
    around, candidates,
    error::Result,
    global::Global,
    options::{Branches, Places, Wait},
    output::{Output, is_json},
    surroundings, terminal, waits,
};

/// Go back to an older release of what a cluster's instances share, and hold it there.
///
/// The older release's files come back as a new release; nothing is rendered. Charts that bring custom
/// resource definitions go forward only: an older version of one is refused.
///
/// While the hold stands, another rollback says where it goes (`--to`), or what it leaves (`--from`): a
/// script that says `--from` may say it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster rollback prod --dry-run\n\
    \x20 grove cluster rollback prod --to 3 --wait")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
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
        cluster: arguments.name.clone(),
        revision: global.rev.clone(),
        from: arguments.from,
        to: arguments.to,
        message: arguments.message.clone(),
        wait: arguments.wait.seconds(),
    };
    let plan = rollback::plan(&around, &request)?;
    let outcome = if arguments.dry_run {
        plan.outcome().clone()
    } else {
        let consent = terminal::consent(plan.needs(), output)?;
        plan.carry_out(&consent)?
    };
    show(&outcome, output)?;
    Ok(follow::verdict(&outcome.waits).into())
}

fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    output.outcome(outcome, || {
        if outcome.repeated {
            return format!(
                "{}: rolled back from {:04} to {:04} already, as release {:04}; nothing was done\n",
                outcome.cluster, outcome.from, outcome.to, outcome.release
            );
        }
        format!(
            "{}: {} from {:04} to {:04}, as release {:04}; held\n",
            outcome.cluster,
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
    if is_json(output) {
        return Ok(());
    }
    output.note(&outcome.diff.summary());
    waits::print(&outcome.waits, output)
}
