//! `grove stack run`.

use std::{io::IsTerminal as _, time::Duration};

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    stacks::{Program, StackSelection, Stacks},
    workspace::Workspace,
};

/// How long such a run may take.
const LIMIT: Duration = Duration::from_hours(12);

/// Run the program in a stack's root module, for all that Grove has no command for.
///
/// It finds back end, inputs and credentials as Grove's own runs do. On a terminal it talks to you;
/// elsewhere its output is cleaned of the credentials that it was given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack run prod:network -- state list\n\
    \x20 grove stack run prod:data -- import digitalocean_database_db.x id")]
pub(super) struct Arguments {
    /// The stack: `cluster:stack` or `cluster/instance:stack`.
    #[arg(value_name = "STACK")]
    stack: String,
    /// What the program is told.
    #[arg(value_name = "ARGUMENTS", last = true, required = true)]
    words: Vec<String>,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let selection = StackSelection {
        selectors: vec![arguments.stack.clone()],
        ..StackSelection::default()
    };
    let selected = selection.select(&stacks.fleet)?;
    let [address] = selected.as_slice() else {
        let names: Vec<String> = selected.iter().map(ToString::to_string).collect();
        return Err(
            CommandError::usage("this runs in one stack at a time").hint(format!(
                "`{}` are {}",
                arguments.stack,
                names.join(", ")
            )),
        );
    };
    let root = stacks.runnable(address)?;
    let mut ready = stacks.ready(address, root)?;
    let runner = stacks.runner();
    let work = runner.open(&mut ready, &|text| output.note(text))?;
    let run = work.run(&runner.program, &ready.environment);
    if std::io::stdin().is_terminal() {
        let status = run.interact(&arguments.words)?;
        return Ok(if status.success() {
            Exit::Done
        } else {
            Exit::Tool
        });
    }
    let words: Vec<&str> = arguments.words.iter().map(String::as_str).collect();
    let mut printed = Ok(());
    let ran = run.follow(
        &words,
        LIMIT,
        |id| work.note_running(id),
        |line| {
            if printed.is_ok() {
                printed = output.print(&format!("{line}\n"));
            }
        },
    );
    work.note_ended();
    ran.map_err(|error| runner.explain(address, error))?;
    printed?;
    Ok(Exit::Done)
}
