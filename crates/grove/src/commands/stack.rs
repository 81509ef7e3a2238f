//! `grove stack`.

mod apply;
mod drift;
mod graph;
mod list;
mod output;
mod plan;
mod run;
mod unlock;

use grove_operations::stacks::bounds;
use grove_stack::stack::Address;

use crate::{
    error::{Error, Exit, Result},
    global::Global,
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
    lock_timeout: u64,
}

impl Bounds {
    /// What a request has of it.
    fn request(&self) -> bounds::Bounds {
        bounds::Bounds {
            parallel: self.parallel,
            lock_timeout: self.lock_timeout,
        }
    }
}

/// Seconds of a time as it is typed: `30s`, `5m`.
fn duration(text: &str) -> std::result::Result<u64, String> {
    let number = text.strip_suffix(['s', 'm', 'h']);
    let Some(Ok(number)) = number.map(str::parse::<u32>) else {
        return Err("a number and `s`, `m` or `h`, such as `30s`".to_owned());
    };
    Ok(u64::from(number)
        * match text.as_bytes().last() {
            Some(b'h') => 3600,
            Some(b'm') => 60,
            _ => 1,
        })
}

/// Shows all failures but the last, which is returned.
pub(super) fn fail(mut failures: Vec<Error>, output: &Output) -> Result {
    let Some(last) = failures.pop() else {
        return Ok(Exit::Done);
    };
    for failure in failures {
        output.error(&failure);
    }
    Err(last)
}

/// A stack's place in the order of addresses: a cluster's own stacks come before those of its instances.
fn place(stack: &str) -> Option<Address> {
    stack.parse().ok()
}
