//! `grove secret remove`.

use grove_operations::secrets::remove::{self, Request};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    output::Output,
    terminal,
};

/// Take a secret out of its file.
///
/// What still needs it is a finding of `grove check`. Git's history keeps the encrypted value: where it was
/// known to somebody who should not have it, change it wherever it opens something.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret remove prod/uni MYSQL_ROOT_PASSWORD\n\
    \x20 grove secret remove prod DB_ADMIN --cluster-only")]
pub(crate) struct Arguments {
    /// Whose secret: `cluster/instance`, `cluster` (for all of its instances), or `group:NAME`.
    owner: String,
    /// The name, as the file has it.
    name: String,
    /// A secret of the cluster itself, which no instance may read.
    #[arg(long)]
    cluster_only: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    global.must_be_work_tree()?;
    let around = around::of(global, output, &[])?;
    let request = Request {
        id: global.request_id(),
        owner: arguments.owner.clone(),
        name: arguments.name.clone(),
        cluster_only: arguments.cluster_only,
    };
    let plan = remove::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    output.note(&format!("removed {} from {}", arguments.name, outcome.file));
    Ok(Exit::Done)
}
