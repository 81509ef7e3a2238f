//! `grove deploy`.

use grove_operations::{
    deploy::{
        outcome::{Action, Outcome, Row},
        plan::{self, Plan},
        request::{self, Request},
    },
    release::follow,
};

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::{Agreement, Beginning, Branches, Instances, Places, Selection, Wait},
    output::{Output, is_json},
    surroundings,
    terminal::{self, Agreed},
    waits,
};

/// Release instances: check, render, seal, and commit to the deploy repository.
///
/// Pushes one commit a cluster. An instance whose objects stay as they are gets no release, and one
/// that is held is passed over.
///
/// The source is the commit that is checked out, which the fleet's upstream must have.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove deploy prod/uni --dry-run\n\
    \x20 grove deploy prod/uni -m \"Another name\"\n\
    \x20 grove deploy prod/uni --wait\n\
    \x20 grove deploy @canary --expect 3")]
pub(crate) struct Arguments {
    /// Show what would be released, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// What the releases are for; stands in their records and in the commit.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Deploy the work tree as it is, with changes that are in no commit; refused for production.
    #[arg(long, conflicts_with = "rev")]
    local: bool,
    /// Deploy a source that does not descend from the one that runs.
    #[arg(long)]
    allow_older: bool,
    /// Change nothing but this, over the source of the running release; a hold stays.
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with_all = ["local", "allow_older"])]
    only: Option<Only>,
    #[command(flatten)]
    agreement: Agreement,
    /// Confirms that this deploy deletes N volumes, hosts and other objects.
    #[arg(long, value_name = "N")]
    confirm_deletes: Option<usize>,
    /// Make deploy repositories that are missing; local paths only.
    #[arg(long)]
    create_remote: bool,
    #[command(flatten)]
    beginning: Beginning,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    branches: Branches,
}

/// What a deploy can be confined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// How instances are operated: `state`, `maintenance`, `autoscaling`, replicas, values of secrets.
    /// No Job runs.
    Operational,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let places: [&dyn Places; 2] = [&arguments.branches, &arguments.wait.reach];
    let around = around::of(global, output, &places)?;
    let instances = Instances {
        agreement: arguments.agreement,
        selection: arguments.selection.clone(),
    };
    let mut request = Request {
        id: surroundings::request_id(),
        target: instances.request(global.rev.as_deref()),
        message: arguments.message.clone(),
        local: arguments.local,
        allow_older: arguments.allow_older,
        only: arguments
            .only
            .map(|Only::Operational| request::Only::Operational),
        // A dry run makes nothing, so it shows nothing of a repository that is not there.
        create_remote: arguments.create_remote && !arguments.dry_run,
        wait: arguments.wait.seconds(),
    };
    if arguments.dry_run {
        let plan = plan::plan(&around, &request)?;
        return show(plan.outcome(), false, output);
    }
    request.target = terminal::agreed(request.target.clone(), output, |_| {
        plan::look(&around, &request)
    })?;
    if request.create_remote {
        plan::create_remotes(&around, &request)?;
    }
    let plan = plan::plan(&around, &request)?;
    let agreed = Agreed {
        deletions: arguments.confirm_deletes,
        first_release: arguments.beginning.first_release,
        ..Agreed::default()
    };
    carry_out(plan, &agreed, output)
}

/// Carries a deploy out where what it needs was agreed to, and says what became of each instance.
pub(super) fn carry_out(plan: Plan<'_>, agreed: &Agreed<'_>, output: &Output) -> Result {
    let consent = terminal::consent_beside(plan.needs(), agreed, output)?;
    let mut outcome = plan.carry_out(&consent)?;
    let failure = outcome.failure.take();
    let exit = show(&outcome, failure.is_some(), output)?;
    failure.map_or(Ok(exit), Err)
}

/// Shows what became of each instance, and gives the exit code that it means.
fn show(outcome: &Outcome, has_failed: bool, output: &Output) -> Result {
    output.outcome(outcome, || {
        let rows = outcome.instances.iter();
        rows.map(|row| line(row, outcome.dry_run)).collect()
    })?;
    if !is_json(output) {
        if !outcome.has(Action::Released) && !has_failed {
            output.note("nothing changed; nothing was released");
        } else if outcome.dry_run && outcome.confirm_deletes > 0 {
            output.note(&format!(
                "to deploy this, say `--confirm-deletes {}`",
                outcome.confirm_deletes
            ));
        }
        waits::print(&outcome.waits, output)?;
    }
    let (is_held, is_frozen) = (outcome.has(Action::Held), outcome.has(Action::Frozen));
    if is_held {
        output.note("held instances follow the fleet again after `grove unhold`, or when what they would get changes");
    }
    if is_frozen {
        output.note("frozen instances follow the fleet again with the first deploy after the freeze, or after `grove unfreeze`");
    }
    Ok(match follow::verdict(&outcome.waits) {
        Some(kind) => Exit::Kind(kind),
        None if is_held || is_frozen => Exit::Kind(Kind::Refused),
        None => Exit::Done,
    })
}

fn line(row: &Row, dry_run: bool) -> String {
    let release = row
        .release
        .map(|release| format!("{release:04}"))
        .unwrap_or_default();
    let reason = row.reason.as_deref();
    match row.action {
        Action::Released => format!(
            "{}: {} {release} (+{} ~{} -{})\n",
            row.instance,
            if dry_run { "would release" } else { "released" },
            row.added,
            row.changed,
            row.removed
        ),
        Action::Unchanged => format!("{}: nothing changed, runs {release}\n", row.instance),
        Action::Held => format!(
            "{}: held at {release}: {}\n",
            row.instance,
            reason.unwrap_or("no reason given")
        ),
        Action::Frozen => format!(
            "{}: {}; stays at {release}\n",
            row.instance,
            reason.unwrap_or("frozen")
        ),
    }
}
