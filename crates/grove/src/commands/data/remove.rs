//! `grove data remove`.

use clap_complete::ArgValueCandidates;
use grove_operations::jobs::data::remove;

use crate::{
    around, candidates,
    error::Result,
    global::Global,
    options::{Patience, Reach, Remotes},
    output::Output,
    terminal,
};

/// Remove the databases, users and buckets of one instance, with all that is in them.
///
/// Only what Grove made: a database that was adopted stays, and its user goes. The instance has to be
/// stopped, or never to have run. When it is done it is verified that nothing is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data remove prod/old --confirm prod/old")]
pub(crate) struct Arguments {
    /// Which instance: `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::selectors))]
    instance: String,
    /// The instance's name once more: what is removed cannot be brought back.
    #[arg(long, value_name = "INSTANCE")]
    confirm: Option<String>,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.reach, &arguments.remotes])?;
    let request = remove::Request {
        id: global.request_id(),
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
        timeout: arguments.patience.timeout,
    };
    let needs = remove::look(&around, &request)?;
    let consent = terminal::named(&needs, arguments.confirm.as_deref(), output)?;
    let plan = remove::plan(&around, &request)?;
    super::show(plan.carry_out(&consent)?, output)
}
