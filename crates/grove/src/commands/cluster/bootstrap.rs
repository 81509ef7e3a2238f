//! `grove cluster bootstrap`.

use clap_complete::ArgValueCandidates;
use grove_operations::{
    release::follow,
    shared::bootstrap::{self, Outcome},
    text::count,
};

use crate::{
    around, candidates,
    error::Result,
    global::Global,
    options::{Lock, Places, Reach, Remotes},
    output::{Output, is_json},
    terminal, waits,
};

/// Install what a cluster needs to deploy by itself.
///
/// From an empty API server: the fleet's sealing key, Sealed Secrets, Argo CD, the root Applications.
///
/// Looks first and does only what is missing: a run that was interrupted is mended by the next one,
/// and a second one changes nothing. Versions stand in `cluster.yaml`, or are the bundle's defaults;
/// an upgrade is a change there and the same command.
///
/// The first run records in `cluster.yaml` which cluster it is. Every later command that writes to
/// the cluster refuses another one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster bootstrap prod --plan\n\
    \x20 grove cluster bootstrap prod --context do-ams3-prod")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// Show what would be done, and write nothing.
    #[arg(long)]
    plan: bool,
    /// How long it may take, in seconds; a later run goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
    /// Take over fields that others manage, instead of stopping there.
    #[arg(long)]
    take_over: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let places: [&dyn Places; 2] = [&arguments.remotes, &arguments.reach];
    let around = around::of(global, output, &places)?;
    let request = bootstrap::Request {
        id: global.request_id(),
        cluster: arguments.name.clone(),
        revision: global.rev.clone(),
        timeout: arguments.timeout,
        take_over: arguments.take_over,
    };
    let plan = bootstrap::plan(&around, &request, arguments.lock.lock.as_deref())?;
    let outcome = if arguments.plan {
        plan.preview()?
    } else {
        let consent = terminal::consent(plan.needs(), output)?;
        plan.carry_out(&consent)?
    };
    show(&outcome, output)?;
    Ok(follow::verdict(&outcome.waits).into())
}

/// Says what each step did, or would do.
pub(crate) fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    if is_json(output) {
        return output.outcome(outcome, String::new);
    }
    for step in &outcome.steps {
        let (create, change) = if outcome.plan {
            ("would create", "would change")
        } else {
            ("created", "changed")
        };
        let mut parts = Vec::new();
        for (verb, objects) in [
            (create, &step.created),
            (change, &step.changed),
            ("later", &step.later),
        ] {
            if !objects.is_empty() {
                parts.push(format!("{verb} {}", count(objects.len(), "object")));
            }
        }
        if parts.is_empty() {
            parts.push("nothing to do".to_owned());
        }
        output.print(&format!("{}: {}\n", step.step, parts.join(", ")))?;
        for object in step
            .created
            .iter()
            .chain(&step.changed)
            .filter(|_| outcome.plan)
        {
            output.note(&format!("  {object}"));
        }
    }
    waits::print(&outcome.waits, output)
}
