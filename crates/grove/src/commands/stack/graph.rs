//! `grove stack graph`.

use std::collections::BTreeSet;

use grove_stack::{Graph, stack::Address};
use serde_json::{Value, json};

use crate::{
    cli::Global,
    error::{Exit, Result},
    output::Output,
    stacks::{Program, StackSelection, Stacks},
    workspace::{Workspace, is_json},
};

/// Show which stack reads whose outputs, in the order in which they are applied.
///
/// Each level needs only what stands above it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack graph prod\n\
    \x20 grove stack graph --dot")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Write the language of Graphviz.
    #[arg(long)]
    dot: bool,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &Program::none(), output)?;
    let selected = arguments.selection.select(&stacks.fleet)?;
    let chosen: BTreeSet<&Address> = selected.iter().collect();
    let graph = stacks.graph();
    let levels = levels(&graph, &chosen)?;
    if arguments.dot {
        let nodes = chosen
            .iter()
            .map(|address| format!("  {:?};\n", address.to_string()));
        let edges = chosen.iter().flat_map(|address| {
            let reads = graph.reads(address);
            reads.map(|read| format!("  {:?} -> {:?};\n", address.to_string(), read.to_string()))
        });
        let body: String = nodes.chain(edges).collect();
        output.print(&format!("digraph stacks {{\n{body}}}\n"))?;
    } else if is_json(output) {
        let levels: Vec<Value> = levels
            .iter()
            .map(|level| {
                let stacks = level.iter().map(|address| {
                    let reads = graph.reads(address).map(Address::to_string);
                    json!({"stack": address.to_string(), "reads": reads.collect::<Vec<_>>()})
                });
                Value::Array(stacks.collect())
            })
            .collect();
        output.json(&json!({"version": 1, "levels": levels}))?;
    } else {
        let lines = levels.iter().enumerate().flat_map(|(number, level)| {
            let graph = &graph;
            level.iter().map(move |address| {
                let reads: Vec<String> = graph.reads(address).map(Address::to_string).collect();
                let reads = if reads.is_empty() {
                    String::new()
                } else {
                    format!("  reads {}", reads.join(", "))
                };
                format!("{} {address}{reads}\n", number + 1)
            })
        });
        output.print(&lines.collect::<String>())?;
    }
    Ok(Exit::Done)
}

/// The chosen stacks in levels; a circle is a finding, so that there is none in a sound fleet.
pub(super) fn levels<'a>(
    graph: &'a Graph,
    chosen: &BTreeSet<&'a Address>,
) -> Result<Vec<Vec<&'a Address>>> {
    graph.levels(chosen).map_err(|_| {
        crate::error::CommandError::new(Exit::Bug, "a checked fleet has a circle of stacks")
    })
}
