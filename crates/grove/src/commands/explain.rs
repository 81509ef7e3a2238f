//! `grove explain`.

use clap_complete::ArgValueCandidates;
use grove_operations::fleet::explain::{self, Effect, Outcome, Request};

use crate::{
    around, candidates,
    error::{Error, Exit, Kind, Result},
    global::Global,
    output::{Output, is_json},
};

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
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
        path: arguments.path.clone(),
    };
    show(&explain::read(&around, &request)?, output)?;
    Ok(Exit::Done)
}

/// Shows a value, and each layer that has one.
pub(super) fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    if is_json(output) {
        let value =
            serde_json::to_value(outcome).map_err(|error| Error::from_error(Kind::Bug, &error))?;
        output.json(&value)?;
        return Ok(());
    }
    match &outcome.value {
        Some(value) => output.print(&grove_yaml::emit(value))?,
        None => output.print("(nothing)\n")?,
    }
    for layer in outcome.layers.iter().rev() {
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
            layer.file, layer.line, layer.layer
        ))?;
    }
    for given in &outcome.outputs {
        let value = match (&given.value, &given.why) {
            (Some(value), _) => value.to_string(),
            (None, why) => format!("no value: {}", why.as_deref().unwrap_or_default()),
        };
        let file = given.file.as_deref().unwrap_or("no stack");
        output.print(&format!("  {file}  output {}: {value}\n", given.output))?;
    }
    Ok(())
}
