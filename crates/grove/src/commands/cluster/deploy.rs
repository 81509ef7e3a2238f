//! `grove cluster deploy`.

use clap_complete::ArgValueCandidates;
use grove_operations::{
    release::follow,
    shared::deploy::{self, Outcome},
};

use crate::{
    around, candidates,
    error::Result,
    global::Global,
    options::{Beginning, Branches, Lock, Places, Wait},
    output::{Output, is_json},
    surroundings,
    terminal::{self, Agreed},
    waits,
};

/// Release what a cluster's instances share: Harmony, its definitions, add-ons.
///
/// Each part becomes an Argo CD Application, in waves: custom resource definitions, Harmony, add-ons.
/// Instances have releases of their own, which this does not touch.
///
/// A part that is no longer in `cluster.yaml` keeps running; `--remove` takes it out of the deploy
/// tree.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster deploy prod --dry-run\n\
    \x20 grove cluster deploy prod --wait -m \"Harmony 0.11.1\"")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// Show what would be released, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// What the release is for; stands in its record and in the commit.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Deploy the work tree as it is; refused where an instance is in production.
    #[arg(long, conflicts_with = "rev")]
    local: bool,
    /// Deploy a source that does not descend from the one that runs.
    #[arg(long)]
    allow_older: bool,
    /// Take a part out of the deploy tree that is no longer in `cluster.yaml`.
    #[arg(long, value_name = "PART")]
    remove: Vec<String>,
    /// Make the deploy repository where it is missing; local paths only.
    #[arg(long)]
    create_remote: bool,
    #[command(flatten)]
    beginning: Beginning,
    /// End a hold that a rollback left, and deploy.
    #[arg(long)]
    unhold: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let places: [&dyn Places; 2] = [&arguments.branches, &arguments.wait.reach];
    let around = around::of(global, output, &places)?;
    let request = deploy::Request {
        id: surroundings::request_id(),
        cluster: arguments.name.clone(),
        revision: global.rev.clone(),
        message: arguments.message.clone(),
        local: arguments.local,
        allow_older: arguments.allow_older,
        remove: arguments.remove.clone(),
        create_remote: arguments.create_remote && !arguments.dry_run,
        unhold: arguments.unhold,
        wait: arguments.wait.seconds(),
    };
    let plan = deploy::plan(&around, &request, arguments.lock.lock.as_deref())?;
    let outcome = if arguments.dry_run {
        plan.outcome().clone()
    } else {
        // `--remove` names each part that goes.
        let agreed = Agreed {
            first_release: arguments.beginning.first_release,
            ..Agreed::default()
        };
        let consent = terminal::consent_but_for_parts(plan.needs(), &agreed, output)?;
        plan.carry_out(&consent)?
    };
    show(arguments, &outcome, output)?;
    Ok(follow::verdict(&outcome.waits).into())
}

fn show(arguments: &Arguments, outcome: &Outcome, output: &Output) -> Result<()> {
    let name = &outcome.cluster;
    output.outcome(outcome, || {
        let release = outcome
            .release
            .map_or_else(|| "none".to_owned(), |number| format!("{number:04}"));
        if !outcome.changed {
            format!("{name}: nothing changed, runs {release}\n")
        } else if outcome.dry_run {
            format!("{name}: would release: {}\n", outcome.diff.summary())
        } else {
            format!("{name}: released {release}: {}\n", outcome.diff.summary())
        }
    })?;
    if is_json(output) {
        return Ok(());
    }
    let is_new = outcome.changed && !outcome.dry_run && outcome.release == Some(1);
    if is_new && !arguments.wait.wait {
        output.note(&format!(
            "the first release of its kind: `grove cluster bootstrap {name}` makes Argo CD read it"
        ));
    }
    for part in arguments.remove.iter().filter(|_| !outcome.dry_run) {
        output.note(&format!(
            "Argo CD keeps what is gone: `kubectl --namespace {} delete application grove-{part}` ends its syncing and leaves its objects",
            outcome.argocd_namespace
        ));
    }
    waits::print(&outcome.waits, output)
}
