//! `grove secret show`.

use clap_complete::ArgValueCandidates;

use crate::{
    cli::Global,
    commands::{candidates, rollback},
    error::{CommandError, Exit, Result},
    output::Output,
    secrets::Secrets,
    workspace::{Workspace, is_json},
};

/// List the names of an instance's secrets and where they come from, or show one value.
///
/// Names need no key. A value is only printed where its name is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret show prod/uni\n\
    \x20 grove secret show prod/uni MYSQL_ROOT_PASSWORD")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// Print the value of this secret; needs a key that opens its file.
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let instance = rollback::find(&fleet, &rollback::address(&arguments.instance)?)?;
    if let Some(name) = &arguments.name {
        let reference = instance.secrets.get(name).ok_or_else(|| {
            CommandError::usage(format!("{} has no secret `{name}`", instance.address))
                .hint("without a name, the names are listed")
        })?;
        let value = Secrets::new(&workspace, &fleet).value(reference)?;
        if is_json(output) {
            let row = serde_json::json!({"version": 1, "name": name, "value": value.expose()});
            output.json(&row)?;
        } else {
            output.print(&format!("{}\n", value.expose()))?;
        }
        return Ok(Exit::Done);
    }
    if is_json(output) {
        let rows: Vec<_> = instance
            .secrets
            .iter()
            .map(|(name, reference)| serde_json::json!({"name": name, "file": reference.file}))
            .collect();
        output.json(&serde_json::json!({"version": 1, "secrets": rows}))?;
    } else {
        for (name, reference) in &instance.secrets {
            output.print(&format!("{name:<40} {}\n", reference.file))?;
        }
    }
    Ok(Exit::Done)
}
