//! `grove stack`.

pub(super) mod apply;
mod drift;
mod graph;
mod list;
mod output;
mod plan;
mod run;
mod unlock;

use rayon::prelude::*;

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
};

/// Plan and apply infrastructure: a root module and a state for each stack.
///
/// A stack is one OpenTofu root module with one state: those that Grove has for the cluster's provider,
/// and your own below `stacks/` of a cluster or instance. What one gives is kept in the fleet, where
/// others read it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack list\n\
    \x20 grove stack plan prod\n\
    \x20 grove stack apply prod:network\n\
    \x20 grove stack run prod:network -- state list")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Arguments),
    Graph(graph::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Output(output::Arguments),
    Drift(drift::Arguments),
    Unlock(unlock::Arguments),
    Run(run::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::List(arguments) => list::run(arguments, global, output),
        Command::Graph(arguments) => graph::run(arguments, global, output),
        Command::Plan(arguments) => plan::run(arguments, global, output),
        Command::Apply(arguments) => apply::run(arguments, global, output),
        Command::Output(arguments) => output::run(arguments, global, output),
        Command::Drift(arguments) => drift::run(arguments, global, output),
        Command::Unlock(arguments) => unlock::run(arguments, global, output),
        Command::Run(arguments) => run::run(arguments, global, output),
    }
}

/// How many stacks are worked on at once, and how long a lock is awaited.
#[derive(Debug, clap::Args)]
struct Bounds {
    /// How many stacks are worked on at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    parallel: usize,
    /// How long to wait for a state that somebody else has locked.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    lock_timeout: String,
}

/// A time as the program takes it: `30s`, `5m`.
fn duration(text: &str) -> std::result::Result<String, String> {
    let number = text.strip_suffix(['s', 'm', 'h']);
    match number.map(str::parse::<u32>) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err("a number and `s`, `m` or `h`, such as `30s`".to_owned()),
    }
}

/// Does something with each of several, some at once, in their order.
fn each<T: Send, R: Send>(
    parallel: usize,
    list: Vec<T>,
    work: impl Fn(T) -> R + Send + Sync,
) -> Result<Vec<R>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(parallel.clamp(1, 64))
        .build()
        .map_err(|error| CommandError::from_error(Exit::Tool, &error))?;
    Ok(pool.install(|| list.into_par_iter().map(work).collect()))
}

/// Shows all errors but the last, which is returned.
pub(super) fn fail(mut errors: Vec<CommandError>, output: &Output) -> Result {
    let Some(last) = errors.pop() else {
        return Ok(Exit::Done);
    };
    for error in &errors {
        output.error(error);
    }
    Err(last)
}
