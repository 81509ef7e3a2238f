//! `grove secret set`.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Read as _},
};

use grove_fleet::{Fleet, layout};
use grove_seal::Secret;

use crate::{
    cli::Global,
    commands::rollback,
    error::{CommandError, Exit, Result},
    output::Output,
    secrets::{Place, Secrets},
    workspace::Workspace,
};

/// The longest value that is read.
const LIMIT: u64 = 1 << 20;

/// Set one value; it is read from standard input, never from the command line.
///
/// On a terminal the value is asked for and not shown. What the file holds beside it stays as it
/// is; a file that is missing is made.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret set prod/uni SMTP_PASSWORD\n\
    \x20 grove secret set group:unis SMTP_PASSWORD < password.txt")]
pub(crate) struct Arguments {
    /// Whose secret: `cluster/instance`, `cluster` (for all of its instances), or `group:NAME`.
    owner: String,
    /// The name, as Tutor or a plugin has it: `SMTP_PASSWORD`.
    name: String,
    /// A secret of the cluster itself, which no instance may read.
    #[arg(long)]
    cluster_only: bool,
    /// Keep a line break at the end of the value; one is taken away otherwise.
    #[arg(long)]
    keep_newline: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let name = &arguments.name;
    let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.chars().all(is_plain) {
        return Err(
            CommandError::usage(format!("`{name}` cannot be the name of a secret"))
                .hint("names are upper-case letters, digits and `_`, as Tutor's keys"),
        );
    }
    let place = place(&workspace, &fleet, &arguments.owner, arguments.cluster_only)?;
    let value = read(arguments)?;
    let secrets = Secrets::new(&workspace, &fleet);
    secrets.write(&place, &BTreeMap::from([(name.clone(), value)]))?;
    output.note(&format!("set {name} in {}", place.file));
    Ok(Exit::Done)
}

/// Where the secrets of an owner are.
pub(super) fn place(
    workspace: &Workspace,
    fleet: &Fleet,
    owner: &str,
    cluster_only: bool,
) -> Result<Place> {
    if let Some(group) = owner.strip_prefix("group:") {
        if workspace.snapshot.bytes(&layout::group(group)).is_none() {
            return Err(
                CommandError::usage(format!("the fleet has no group `{group}`"))
                    .hint(format!("`grove new group {group}` makes it")),
            );
        }
        return Ok(Place {
            file: layout::group_secrets(group),
            below: Vec::new(),
        });
    }
    if owner.contains('/') {
        let address = rollback::address(owner)?;
        rollback::find(fleet, &address)?;
        return Ok(Place {
            file: layout::instance_secrets(&address),
            below: Vec::new(),
        });
    }
    if !fleet.clusters.contains_key(owner) {
        return Err(
            CommandError::usage(format!("the fleet has no cluster `{owner}`"))
                .hint("an owner is `cluster/instance`, `cluster`, or `group:NAME`"),
        );
    }
    let below = if cluster_only { "cluster" } else { "instances" };
    Ok(Place {
        file: layout::cluster_secrets(owner),
        below: vec![below.to_owned()],
    })
}

fn read(arguments: &Arguments) -> Result<Secret> {
    let mut text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{}: ", arguments.name))?
    } else {
        let mut text = String::new();
        std::io::stdin().take(LIMIT + 1).read_to_string(&mut text)?;
        text
    };
    if text.len() as u64 > LIMIT {
        return Err(CommandError::usage("a secret is at most 1 MiB"));
    }
    if !arguments.keep_newline && text.ends_with('\n') {
        text.pop();
    }
    if text.is_empty() {
        return Err(CommandError::usage("no value came on standard input"));
    }
    Ok(Secret::new(text))
}
