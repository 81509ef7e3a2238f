//! `grove cluster down`.

use clap_complete::ArgValueCandidates;
use grove_operations::{
    cluster::down,
    consent::{Consent, Need, Needs},
};

use crate::{
    around, candidates,
    commands::stack,
    error::{Error, Result},
    global::Global,
    options::Program,
    output::Output,
    terminal::{self},
};

/// Take down a cluster that its stacks made: instances first, states last.
///
/// Stops Argo CD, removes the namespaces of the cluster's instances and every load balancer and volume,
/// and waits until they are gone: nothing else knows of these. Then it destroys the stacks of instances
/// and the cluster's own, each after those that read from it. The fleet's files and every release stay,
/// so that `grove cluster up` makes it again, empty. What databases hold is lost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster down sandbox\n\
    \x20 grove cluster down sandbox --confirm sandbox --expect 3")]
pub(super) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// The cluster's name again: agreement to lose it.
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// How many instances it is expected to have; another number is refused.
    #[arg(long, value_name = "N")]
    expect: Option<usize>,
    /// Go on where the cluster does not answer: its load balancers and volumes may stay at the provider.
    #[arg(long)]
    unreachable: bool,
    /// Go on although load balancers or volumes are left after the time is over.
    #[arg(long)]
    leave: bool,
    /// How long each part may take, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    timeout: u64,
    /// Do not commit that outputs are gone.
    #[arg(long)]
    no_commit: bool,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(Error::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let around = around::of(global, output, &[&arguments.program])?;
    let request = down::Request {
        id: global.request_id(),
        cluster: arguments.name.clone(),
        expect: arguments.expect,
        unreachable: arguments.unreachable,
        leave: arguments.leave,
        timeout: arguments.timeout,
        commit: !arguments.no_commit,
    };
    let plan = down::plan(&around, &request)?;
    let consent = consent(arguments, plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    for row in &outcome.stacks {
        output.print(&format!("{}: {}\n", row.stack, row.state))?;
    }
    stack::fail(outcome.failures, output)
}

/// Refuses without the cluster's name and the number of its instances.
fn consent(arguments: &Arguments, needs: &Needs, output: &Output) -> Result<Consent> {
    let is_agreed = |need: &Need| match need {
        Need::Cluster {
            cluster, instances, ..
        } => {
            arguments.confirm.as_ref() == Some(cluster)
                && (arguments.expect.is_some() || instances.is_empty())
        }
        _ => false,
    };
    if needs.iter().all(is_agreed) {
        return Ok(Consent::to(needs.clone()));
    }
    terminal::consent(needs, output)
}
