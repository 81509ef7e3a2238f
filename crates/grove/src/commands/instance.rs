//! `grove instance`: what an instance does, changed over what runs.

mod maintenance;
mod start;
mod stop;

use grove_operations::deploy::state::{self, Request};

use super::deploy;
use crate::{
    around,
    error::Result,
    global::Global,
    options::{Agreement, Branches, Instances, Places, Selection, Wait},
    output::Output,
    surroundings,
    terminal::{self, Agreed},
};

/// Stop and start instances, and put them into maintenance.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Maintenance(maintenance::Arguments),
    Stop(stop::Arguments),
    Start(start::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Maintenance(arguments) => maintenance::run(arguments, global, output),
        Command::Stop(arguments) => stop::run(arguments, global, output),
        Command::Start(arguments) => start::run(arguments, global, output),
    }
}

/// What every change of state needs.
#[derive(Clone, Debug, clap::Args)]
struct Change {
    /// What it is for; stands in the commits and in the releases.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    branches: Branches,
}

/// Changes the state of instances, in the fleet and in their clusters.
fn carry_out(change: &Change, to: state::Change, global: &Global, output: &Output) -> Result {
    let places: [&dyn Places; 2] = [&change.branches, &change.wait.reach];
    let around = around::of(global, output, &places)?;
    let instances = Instances {
        agreement: change.agreement,
        selection: change.selection.clone(),
    };
    let request = Request {
        id: surroundings::request_id(),
        target: instances.request(global.rev.as_deref()),
        change: to,
        message: change.message.clone(),
        wait: change.wait.seconds(),
    };
    let plan = state::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    deploy::carry_out(plan.commit(&consent)?, &Agreed::default(), output)
}
