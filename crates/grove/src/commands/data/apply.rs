//! `grove data apply`.

use grove_operations::jobs::data::apply;

use crate::{
    around,
    error::Result,
    global::Global,
    options::{Agreement, Branches, Instances, Patience, Reach, Selection},
    output::Output,
    surroundings, terminal,
};

/// Make what instances need on their servers, and verify it with their own credentials.
///
/// Databases and users that are there already stay, passwords become those of the fleet, and a user whom a
/// rotation has retired goes. A database with content whose user is not there is refused: it may be
/// somebody else's.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data apply prod/uni\n\
    \x20 grove data apply prod --expect 12")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.request().must_be_stated()?;
    let around = around::of(global, output, &[&arguments.reach, &arguments.branches])?;
    let instances = Instances {
        agreement: arguments.agreement,
        selection: arguments.selection.clone(),
    };
    let request = apply::Request {
        id: surroundings::request_id(),
        target: terminal::target(&around, &instances, global, output)?,
        timeout: arguments.patience.timeout,
    };
    let plan = apply::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    super::show(plan.carry_out(&consent)?, output)
}
