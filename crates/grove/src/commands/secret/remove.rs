//! `grove secret remove`.

use std::collections::BTreeMap;

use super::set::place;
use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    secrets::Secrets,
    workspace::Workspace,
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
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let place = place(&workspace, &fleet, &arguments.owner, arguments.cluster_only)?;
    let bytes = workspace.snapshot.bytes(&place.file);
    let root = bytes.and_then(|bytes| grove_yaml::parse(bytes, grove_yaml::Limits::default()).root);
    let below: Vec<&str> = place.below.iter().map(String::as_str).collect();
    let map = root.as_ref().and_then(|root| root.at(&below));
    if map.and_then(|map| map.get(&arguments.name)).is_none() {
        return Err(CommandError::usage(format!(
            "`{}` has no secret `{}` of that owner",
            place.file, arguments.name
        )));
    }
    let secrets = Secrets::new(&workspace, &fleet);
    secrets.change(&place, &BTreeMap::new(), &[&arguments.name])?;
    output.note(&format!("removed {} from {}", arguments.name, place.file));
    Ok(Exit::Done)
}
