//! `grove stack list`.

use grove_stack::stack::{Source, Stack};
use serde_json::{Value, json};

use crate::{
    cli::Global,
    error::{Exit, Result},
    output::Output,
    stacks::{Program, StackSelection, Stacks, state_of},
    workspace::{Workspace, is_json},
};

/// List stacks: what each waits for, and whether it is what was applied.
///
/// Reads the fleet alone; what others changed meanwhile is what `grove stack drift` shows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack list\n\
    \x20 grove stack list prod --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let stacks = Stacks::open(&workspace, &Program::none(), output)?;
    let selected = arguments.selection.select(&stacks.fleet)?;
    let mut rows = Vec::new();
    for address in &selected {
        let stack = stacks.get(address)?;
        let (state, why) = state_of(&stacks.fleet, stack)?;
        rows.push(Row { stack, state, why });
    }
    if is_json(output) {
        let stacks: Vec<Value> = rows.iter().map(Row::json).collect();
        output.json(&json!({"version": 1, "stacks": stacks}))?;
        return Ok(Exit::Done);
    }
    let width = rows
        .iter()
        .map(|row| row.stack.address.to_string().len())
        .max();
    let width = width.unwrap_or_default();
    for row in &rows {
        let address = row.stack.address.to_string();
        let serial = row
            .stack
            .outputs
            .as_ref()
            .map(|outputs| format!(", serial {}", outputs.serial));
        let why = row.why.as_ref().map(|why| format!(": {why}"));
        output.print(&format!(
            "{address:width$}  {:<9}  {}{}{}\n",
            row.origin(),
            row.state,
            serial.unwrap_or_default(),
            why.unwrap_or_default()
        ))?;
    }
    if rows.is_empty() {
        output.note("the fleet has no stacks");
    }
    Ok(Exit::Done)
}

struct Row<'a> {
    stack: &'a Stack,
    state: &'static str,
    why: Option<String>,
}

impl Row<'_> {
    /// Whose files it is made of.
    fn origin(&self) -> &'static str {
        match &self.stack.source {
            Source::Stated(_) => "fleet",
            Source::Module {
                is_generated: true, ..
            } => "grove",
            Source::Module { .. } => "own",
        }
    }

    fn json(&self) -> Value {
        let module = self.stack.module();
        let variables = module.into_iter().flat_map(|module| &module.variables);
        let variables: Vec<Value> = variables
            .map(|(name, variable)| {
                json!({
                    "name": name,
                    "type": variable.holds.to_string(),
                    "required": variable.is_required,
                    "sensitive": variable.is_sensitive,
                })
            })
            .collect();
        let outputs = self.stack.outputs.as_ref();
        json!({
            "stack": self.stack.address.to_string(),
            "origin": self.origin(),
            "state": self.state,
            "why": self.why,
            "serial": outputs.map(|outputs| outputs.serial),
            "reads": self.stack.references().map(|(_, reference)| reference.to_string()).collect::<Vec<_>>(),
            "variables": variables,
            "outputs": module.map(|module| module.outputs.keys().collect::<Vec<_>>()),
        })
    }
}
