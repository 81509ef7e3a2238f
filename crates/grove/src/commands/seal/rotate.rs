//! `grove seal rotate`.

use clap_complete::ArgValueCandidates;
use grove_operations::secrets::sealing_key::{self, Request};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    output::Output,
    terminal,
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
    global.must_be_work_tree()?;
    let around = around::of(global, output, &[])?;
    let request = Request {
        id: global.request_id(),
        cluster: arguments.cluster.clone(),
    };
    let plan = sealing_key::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    output.print(&format!(
        "{}: a new sealing key in {}\n",
        outcome.cluster, outcome.file
    ))?;
    output.note(&format!(
        "next: commit it, `grove cluster bootstrap {0}`, `grove deploy {0}`",
        outcome.cluster
    ));
    Ok(Exit::Done)
}
