//! `grove seal rotate`.

use std::collections::BTreeMap;

use clap_complete::ArgValueCandidates;
use grove_fleet::layout;
use grove_seal::{
    Secret,
    keys::{KeyPair, SEALING_BITS, new_key_pair},
};

use crate::{
    cli::Global,
    commands::{candidates, rollback::find_cluster},
    error::{CommandError, Exit, Result},
    output::Output,
    releasing::{SEALING_KEY, retired_key},
    secrets::{Place, Secrets},
    surroundings,
    workspace::Workspace,
};

/// Give a cluster a new sealing key, and keep the older ones.
///
/// The new key pair goes into the fleet; the older private keys stay in the cluster's secrets, so that
/// a cluster that is bootstrapped anew opens every old object.
///
/// Then, in this order: commit; `grove cluster bootstrap`, which installs the new key beside the older
/// ones; `grove deploy`, which seals everything again. No pod restarts: names of sealed objects are
/// made of their values.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove seal rotate prod")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    cluster: String,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let cluster = find_cluster(&fleet, &arguments.cluster)?;
    let lacks = |what: &str| {
        CommandError::new(Exit::No, format!("{} has no {what}", cluster.name))
            .hint("restore it from Git's history")
    };
    let certificate = cluster
        .sealing
        .as_ref()
        .ok_or_else(|| lacks("`sealing.pem`"))?;
    let reference = cluster
        .secrets
        .get(SEALING_KEY)
        .ok_or_else(|| lacks(&format!("`cluster.{SEALING_KEY}` among its secrets")))?;
    let secrets = Secrets::new(&workspace, &fleet);
    let (private, own) = KeyPair::split(&secrets.value(reference)?);
    let file = layout::sealing(&cluster.name);
    // A rotation before this one may have been interrupted between its two files: it is finished, and
    // no further key is made.
    let new = match own {
        Some(own) if own.trim() != certificate.pem.trim() => own,
        _ => {
            output.progress("making the sealing key");
            let new = new_key_pair(SEALING_BITS, "sealed-secret", surroundings::now()?)?;
            output.progress_done();
            let old = KeyPair {
                private,
                certificate: certificate.pem.clone(),
            };
            let place = Place {
                file: layout::cluster_secrets(&cluster.name),
                below: vec!["cluster".to_owned()],
            };
            let values: BTreeMap<String, Secret> = [
                (retired_key(&certificate.pem)?, old.join()),
                (SEALING_KEY.to_owned(), new.join()),
            ]
            .into();
            secrets.write(&place, &values)?;
            new.certificate
        }
    };
    surroundings::write_atomically(&workspace.root.join(&file), &new)?;
    output.print(&format!("{}: a new sealing key in {file}\n", cluster.name))?;
    output.note(&format!(
        "next: commit it, `grove cluster bootstrap {0}`, `grove deploy {0}`",
        cluster.name
    ));
    Ok(Exit::Done)
}
