//! `grove secret show`.

use clap_complete::ArgValueCandidates;
use grove_operations::secrets::show::{self, Request};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    output::{Output, is_json},
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
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
    };
    if let Some(name) = &arguments.name {
        let value = show::open(&around, &request, name)?;
        if is_json(output) {
            let row = serde_json::json!({"version": 1, "name": name, "value": value.expose()});
            output.json(&row)?;
        } else {
            output.print(&format!("{}\n", value.expose()))?;
        }
        return Ok(Exit::Done);
    }
    let outcome = show::read(&around, &request)?;
    output.outcome(&outcome, || {
        let rows = outcome.secrets.iter();
        let lines: Vec<String> = rows
            .map(|row| format!("{:<40} {}\n", row.name, row.file))
            .collect();
        lines.concat()
    })?;
    Ok(Exit::Done)
}
