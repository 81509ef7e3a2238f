//! `grove data list`.

use grove_operations::jobs::data::list::{self, Row};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::Selection,
    output::{Output, is_json},
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

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = list::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    let outcome = list::read(&around, &request)?;
    output.outcome(&outcome, || outcome.data.iter().map(line).collect())?;
    if outcome.data.is_empty() && !is_json(output) {
        output.note("all data is in the instances' namespaces");
    }
    Ok(Exit::Done)
}

fn line(row: &Row) -> String {
    let server = row.server.as_deref().unwrap_or(&row.host);
    let user = row.user.as_deref();
    let user = user.map(|user| format!(" as {user}")).unwrap_or_default();
    let rotating = if row.rotating {
        ", rotation not finished"
    } else {
        ""
    };
    format!(
        "{}: {} {} on {server}{user} ({}{rotating})\n",
        row.instance, row.engine, row.name, row.manage
    )
}
