//! `grove stack output`.

use grove_stack::{
    outputs::OutputValue,
    stack::{Address, Input, Source},
};
use serde_json::{Map, Value, json};

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    stacks::{Program, StackSelection, Stacks},
    workspace::{Workspace, is_json},
};

/// Show what stacks gave when they were applied.
///
/// Sensitive outputs are named and not shown, unless one stack is asked for with `--sensitive`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack output prod:network\n\
    \x20 grove stack output prod:cluster --sensitive --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Show the values of sensitive outputs, too; of one stack at a time.
    #[arg(long)]
    sensitive: bool,
    /// Write the outputs anew from the state.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let mut stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let selected = arguments.selection.select(&stacks.fleet)?;
    if arguments.sensitive && selected.len() != 1 {
        return Err(
            CommandError::usage("`--sensitive` is for one stack at a time")
                .hint("name it: `cluster:stack`"),
        );
    }
    if arguments.write {
        arguments.selection.must_be_stated()?;
        stacks.must_be_writable()?;
        for address in &selected {
            write(&mut stacks, address)?;
        }
    }
    let mut all = Map::new();
    for address in &selected {
        let values = values(&stacks, address, arguments.sensitive)?;
        if !is_json(output) {
            for (name, value) in &values {
                output.print(&format!("{address}.{name} = {value}\n"))?;
            }
        }
        all.insert(address.to_string(), Value::Object(values));
    }
    if is_json(output) {
        output.json(&json!({"version": 1, "stacks": all}))?;
    }
    Ok(Exit::Done)
}

/// Reads the outputs from the state. Inputs may have changed since it was applied, so nothing is known
/// of what they were.
fn write(stacks: &mut Stacks<'_>, address: &Address) -> Result<()> {
    if stacks.get(address)?.module().is_none() {
        return Ok(());
    }
    let root = stacks.runnable(address)?;
    let before = stacks.get(address)?.outputs.as_ref();
    let inputs = before.map_or_else(String::new, |outputs| outputs.inputs.clone());
    let mut ready = stacks.ready(address, root)?;
    let runner = stacks.runner();
    let work = runner.open(&mut ready, &|text| stacks.output.note(text))?;
    let head = runner.head(&work, &ready)?;
    let head = head.ok_or_else(|| {
        CommandError::refused(format!("`{address}` was never applied"))
            .hint(format!("`grove stack apply {address}` makes it"))
    })?;
    drop(work);
    stacks.write_outputs(address, head, inputs)?;
    Ok(())
}

/// What a stack gave, by name.
fn values(stacks: &Stacks<'_>, address: &Address, sensitive: bool) -> Result<Map<String, Value>> {
    let stack = stacks.get(address)?;
    let hidden = || json!("(sensitive)");
    let mut values = Map::new();
    if let Source::Stated(outputs) = &stack.source {
        for (name, input) in outputs {
            let value = match input {
                Input::Value(value) => value.clone(),
                _ => hidden(),
            };
            values.insert(name.clone(), value);
        }
    }
    for (name, output) in stack.outputs.iter().flat_map(|outputs| &outputs.outputs) {
        let value = match output {
            OutputValue::Plain { value } => value.clone(),
            OutputValue::Sensitive { .. } if sensitive => {
                let kept = stacks.sensitive(address, name)?;
                serde_json::from_str(kept.expose()).map_err(|error| {
                    CommandError::from_error(Exit::No, &error)
                        .context(format!("`{name}` cannot be read"))
                })?
            }
            OutputValue::Sensitive { .. } => hidden(),
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}
