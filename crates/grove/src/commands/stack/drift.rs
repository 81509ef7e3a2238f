//! `grove stack drift`.

use serde_json::{Value, json};

use super::{Bounds, each, fail};
use crate::{
    cli::Global,
    error::{Exit, Result},
    output::{Output, count},
    stacks::{Looked, Options, Program, StackSelection, Stacks},
    surroundings,
    workspace::{Workspace, is_json},
};

/// Look what others changed of what stacks made.
///
/// Asks providers what there is and compares it with the states; changes nothing. `grove status` shows
/// what was found last. Ends with exit code 1 where anything differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack drift\n\
    \x20 grove stack drift prod --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let options = Options {
        destroy: false,
        refresh_only: true,
        lock_timeout: arguments.bounds.lock_timeout.clone(),
    };
    let mut ready = Vec::new();
    for address in arguments.selection.select(&stacks.fleet)? {
        // What was never applied cannot have been changed.
        let is_applied = stacks.get(&address)?.outputs.is_some();
        if let (true, Ok(root)) = (is_applied, stacks.root(stacks.get(&address)?)?) {
            ready.push(stacks.ready(&address, root)?);
        }
    }
    let runner = stacks.runner();
    let looked = each(arguments.bounds.parallel, ready, |mut ready| {
        output.progress(&format!("looking at {}", ready.address));
        let planned = runner.plan(&mut ready, &options, &|text| output.note(text));
        planned
            .map(|planned| (ready.address.clone(), planned.record.changes.drift))
            .map_err(|error| runner.explain(&ready.address, error))
    })?;
    output.progress_done();
    let now = surroundings::now()?;
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    for looked in looked {
        match looked {
            Ok((address, drift)) => {
                let seen = Looked {
                    time: now,
                    drift: drift.iter().map(|change| change.address.clone()).collect(),
                };
                seen.keep(&runner.directory, &address)?;
                rows.push((address, drift));
            }
            Err(error) => errors.push(error),
        }
    }
    let drifted = rows.iter().filter(|(_, drift)| !drift.is_empty()).count();
    if is_json(output) {
        let stacks: Vec<Value> = rows
            .iter()
            .map(|(address, drift)| json!({"stack": address.to_string(), "drift": drift}))
            .collect();
        output.json(&json!({"version": 1, "stacks": stacks}))?;
    } else {
        for (address, drift) in rows.iter().filter(|(_, drift)| !drift.is_empty()) {
            output.print(&format!("{address}:\n"))?;
            for change in drift {
                output.print(&format!(
                    "  {}: {}\n",
                    change.address,
                    change.actions.join(" and ")
                ))?;
            }
        }
        if drifted == 0 && errors.is_empty() {
            output.print(&format!("{}: no drift\n", count(rows.len(), "stack")))?;
        }
    }
    fail(errors, output)?;
    Ok(if drifted == 0 { Exit::Done } else { Exit::No })
}
