//! `grove explain`.

use clap_complete::ArgValueCandidates;
use grove_fleet::{
    layer::{self, Effect},
    load,
};

use crate::{
    cli::Global,
    commands::{candidates, rollback},
    error::{CommandError, Exit, Result, from_error},
    output::Output,
    workspace::{Workspace, is_json},
};

from_error!(layer::ExplainError, |error| match error {
    layer::ExplainError::NoInstance { .. } => Exit::Usage,
    layer::ExplainError::NoValue { .. } => Exit::No,
});

/// Show where a value comes from and what it overrode.
///
/// Prints a value of an instance, the file and line that it comes from, and each layer's value that
/// it overrode: fleet defaults, ring, cluster, groups, instance.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove explain prod/uni\n\
    \x20 grove explain prod/uni config.PLATFORM_NAME\n\
    \x20 grove explain prod/uni 'domains.\"shop.uni.example\"'")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// The value, as `config.PLATFORM_NAME`; everything where nothing is said. A key that holds dots
    /// stands in double quotes: `domains."shop.uni.example"`.
    #[arg(default_value = "")]
    path: String,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let documents = load::documents(&workspace.snapshot);
    let address = rollback::address(&arguments.instance)?;
    let explanation = layer::explain(&documents, &address, &arguments.path)?;
    let fleet = load::fleet(&documents);
    let given = explanation
        .value
        .as_ref()
        .map(|value| load::given(&fleet, &address, value))
        .unwrap_or_default();
    if is_json(output) {
        let mut value = serde_json::to_value(&explanation)
            .map_err(|error| CommandError::from_error(Exit::Bug, &error))?;
        value["outputs"] = serde_json::to_value(&given)
            .map_err(|error| CommandError::from_error(Exit::Bug, &error))?;
        output.json(&value)?;
        return Ok(Exit::Done);
    }
    match &explanation.value {
        Some(value) => output.print(&grove_yaml::emit(value))?,
        None => output.print("(nothing)\n")?,
    }
    for layer in explanation.layers.iter().rev() {
        let effect = match layer.effect {
            Effect::Used => "",
            Effect::Overridden => "  overridden",
            Effect::Removed => "  taken away",
        };
        let mut value = layer.value.to_string();
        if value.chars().count() > 60 {
            value = value.chars().take(57).chain("…".chars()).collect();
        }
        output.print(&format!(
            "  {}:{}  {}: {value}{effect}\n",
            layer.place.file, layer.place.line, layer.layer
        ))?;
    }
    for given in &given {
        let value = match (&given.value, &given.why) {
            (Some(value), _) => value.to_string(),
            (None, why) => format!("no value: {}", why.as_deref().unwrap_or_default()),
        };
        let file = given.file.as_deref().unwrap_or("no stack");
        output.print(&format!("  {file}  output {}: {value}\n", given.output))?;
    }
    Ok(Exit::Done)
}
