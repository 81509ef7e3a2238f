//! `grove data list`.

use grove_fleet::{
    Address,
    model::{Engine, credentials},
};
use serde::Serialize;

use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{Exit, Result},
    output::Output,
    workspace::{Workspace, is_json},
};

/// List what instances have outside of their namespaces: server, names and who makes them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data list prod\n\
    \x20 grove data list --all --format json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
}

/// One database, number or bucket.
#[derive(Debug, Serialize)]
struct Row {
    instance: Address,
    engine: &'static str,
    server: Option<String>,
    host: String,
    application: String,
    name: String,
    user: Option<String>,
    manage: &'static str,
    /// Whether a rotation of its user stands between its two steps.
    rotating: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let mut rows = Vec::new();
    for instance in arguments.selection.select(&fleet)? {
        for (engine, outside) in &instance.data.outside {
            for (application, name) in &outside.databases {
                let of = match engine {
                    Engine::Mysql => application.as_str(),
                    _ => "openedx",
                };
                let names = credentials(*engine, of);
                rows.push(Row {
                    instance: instance.address.clone(),
                    engine: engine.name(),
                    server: outside.server.clone(),
                    host: outside.host.clone(),
                    application: application.clone(),
                    name: name.clone(),
                    user: outside.users.get(of).cloned(),
                    manage: outside.manage.name(),
                    rotating: instance.secrets.contains_key(&names.previous),
                });
            }
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "data": rows}))?;
        return Ok(Exit::Done);
    }
    for row in &rows {
        let server = row.server.as_deref().unwrap_or(&row.host);
        let user = row
            .user
            .as_deref()
            .map(|user| format!(" as {user}"))
            .unwrap_or_default();
        let rotating = if row.rotating {
            ", rotation not finished"
        } else {
            ""
        };
        output.print(&format!(
            "{}: {} {} on {server}{user} ({}{rotating})\n",
            row.instance, row.engine, row.name, row.manage
        ))?;
    }
    if rows.is_empty() {
        output.note("all data is in the instances' namespaces");
    }
    Ok(Exit::Done)
}
