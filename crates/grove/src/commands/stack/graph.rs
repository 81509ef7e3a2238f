//! `grove stack graph`.

use grove_operations::stacks::graph::{self, Node, Outcome};

use super::place;
use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::StackSelection,
    output::Output,
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
    let around = around::of(global, output, &[])?;
    let request = graph::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    let outcome = graph::read(&around, &request)?;
    if arguments.dot {
        output.print(&dot(&outcome))?;
    } else {
        output.outcome(&outcome, || text(&outcome))?;
    }
    Ok(Exit::Done)
}

fn dot(outcome: &Outcome) -> String {
    let mut all: Vec<&Node> = outcome.levels.iter().flatten().collect();
    all.sort_by_cached_key(|node| place(&node.stack));
    let nodes = all.iter().map(|node| format!("  {:?};\n", node.stack));
    let edges = all.iter().flat_map(|node| {
        let reads = node.reads.iter();
        reads.map(|read| format!("  {:?} -> {read:?};\n", node.stack))
    });
    let body: String = nodes.chain(edges).collect();
    format!("digraph stacks {{\n{body}}}\n")
}

fn text(outcome: &Outcome) -> String {
    let lines = outcome
        .levels
        .iter()
        .enumerate()
        .flat_map(|(number, level)| {
            level.iter().map(move |node| {
                let reads = if node.reads.is_empty() {
                    String::new()
                } else {
                    format!("  reads {}", node.reads.join(", "))
                };
                format!("{} {}{reads}\n", number + 1, node.stack)
            })
        });
    lines.collect()
}
