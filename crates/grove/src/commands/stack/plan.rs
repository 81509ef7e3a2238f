//! `grove stack plan`.

use std::collections::BTreeSet;

use grove_stack::stack::Address;
use serde_json::{Value, json};

use super::{Bounds, each, fail, graph::levels};
use crate::{
    cli::Global,
    error::Result,
    output::{Output, count},
    stacks::{Options, Program, Record, StackSelection, Stacks},
    workspace::{Workspace, is_json},
};

/// Plan stacks and keep the plans for `grove stack apply`.
///
/// A stack whose module, inputs and providers are what was applied is stepped over. One that reads what
/// another has not given yet is blocked: nothing is ever planned with a made-up value.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack plan prod\n\
    \x20 grove stack plan 'prod/*:instance' --parallel 8")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Plan what is unchanged, too.
    #[arg(long)]
    force: bool,
    /// Plan to destroy everything of the selected stacks.
    #[arg(long)]
    destroy: bool,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    program: Program,
}

/// What became of one stack.
struct Row {
    address: Address,
    state: &'static str,
    why: Option<String>,
    record: Option<Record>,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let selected = arguments.selection.select(&stacks.fleet)?;
    let chosen: BTreeSet<&Address> = selected.iter().collect();
    let graph = stacks.graph();
    let options = Options {
        destroy: arguments.destroy,
        refresh_only: false,
        lock_timeout: arguments.bounds.lock_timeout.clone(),
    };
    let runner = stacks.runner();
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    for level in levels(&graph, &chosen)? {
        let mut ready = Vec::new();
        for address in level {
            let stack = stacks.get(address)?;
            let row = |state, why| Row {
                address: address.clone(),
                state,
                why,
                record: None,
            };
            match stacks.root(stack)? {
                Err(grove_stack::root::Blocked::Stated) => rows.push(row("stated", None)),
                Err(blocked) => rows.push(row("blocked", Some(blocked.to_string()))),
                Ok(root) => {
                    let known = stack.outputs.as_ref().map(|outputs| &outputs.inputs);
                    let is_unchanged = known == Some(&root.digest) && !options.destroy;
                    if is_unchanged && !arguments.force {
                        rows.push(row("unchanged", None));
                    } else {
                        ready.push(stacks.ready(address, root)?);
                    }
                }
            }
        }
        let planned = each(arguments.bounds.parallel, ready, |mut ready| {
            output.progress(&format!("planning {}", ready.address));
            let planned = runner.plan(&mut ready, &options, &|text| output.note(text));
            let address = ready.address.clone();
            planned
                .map(|planned| (address.clone(), planned.record))
                .map_err(|error| runner.explain(&address, error))
        })?;
        output.progress_done();
        for planned in planned {
            match planned {
                Ok((address, record)) => rows.push(Row {
                    state: if record.changes.is_empty() {
                        "no changes"
                    } else {
                        "planned"
                    },
                    why: None,
                    record: Some(record),
                    address,
                }),
                Err(error) => errors.push(error),
            }
        }
    }
    show(&rows, output)?;
    fail(errors, output)
}

fn show(rows: &[Row], output: &Output) -> Result<()> {
    if is_json(output) {
        let stacks: Vec<Value> = rows
            .iter()
            .map(|row| {
                let changes = row.record.as_ref().map(|record| &record.changes);
                json!({
                    "stack": row.address.to_string(),
                    "state": row.state,
                    "why": row.why,
                    "changes": changes,
                })
            })
            .collect();
        return output.json(&json!({"version": 1, "stacks": stacks}));
    }
    for row in rows {
        output.print(&format!("{}: {}{}\n", row.address, row.state, row.why()))?;
        for line in row.record.iter().flat_map(|record| record.changes.lines()) {
            output.print(&format!("  {line}\n"))?;
        }
    }
    let planned = rows.iter().filter(|row| row.state == "planned").count();
    if planned > 0 {
        output.note(&format!(
            "{} kept: `grove stack apply` carries out what is planned here",
            count(planned, "plan")
        ));
    }
    Ok(())
}

impl Row {
    fn why(&self) -> String {
        match (&self.record, &self.why) {
            (Some(record), _) if !record.changes.is_empty() => {
                format!(" {}", record.changes.counts())
            }
            (_, Some(why)) => format!(": {why}"),
            _ => String::new(),
        }
    }
}
