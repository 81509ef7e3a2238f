//! `grove rollback`.

use std::collections::BTreeSet;

use clap_complete::ArgValueCandidates;
use grove_fleet::{
    Address, Fleet,
    model::{Cluster, Instance},
    near::nearest,
};
use grove_release::{
    Changes, DeployBranch, Draft, Hold, Id, Message, RECORD_VERSION, Record, Release,
    compose_rollback, diff, forward_only, refuse,
};

use crate::{
    cli::Global,
    commands::candidates,
    error::{CommandError, Exit, Result},
    following::{self, Wait},
    freezing,
    output::Output,
    releasing::{self, Remotes, Sealer, release_name},
    report,
    secrets::Secrets,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Go back to an older release, and hold the instance there.
///
/// The older release's manifests come back with today's secrets, as a new release. Nothing is
/// rendered or built.
///
/// The instance is then held, so that the next deploy does not ship again what was left; a change
/// of its source, or `grove unhold`, ends that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove rollback prod/uni\n\
    \x20 grove rollback prod/uni --wait\n\
    \x20 grove rollback prod/uni --to 12 -m \"The theme broke\"")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// The release to go back to; the one before the running one where nothing is said.
    #[arg(long, value_name = "N")]
    to: Option<u32>,
    /// Why; stands in the hold, the record and the commit.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Go back across a mark that data cannot follow, such as an older Open edX release or database.
    #[arg(long)]
    accept_data_risk: bool,
    /// Show what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    // At night the fleet may have errors that are none of this instance's; what is needed of it is
    // its secrets and its cluster's certificate.
    let fleet = workspace.check()?.fleet;
    let address = address(&arguments.instance)?;
    let instance = find(&fleet, &address)?;
    output.progress(&format!(
        "fetching the deploy branch of {}",
        address.cluster
    ));
    let mut branch = arguments
        .remotes
        .open(&workspace, &fleet, &address.cluster)?;
    output.progress_done();

    freezing::refuse_frozen(&branch.view()?, &address)?;
    let plan = plan(arguments, &branch, &address)?;
    let (cluster, view) = (
        fleet
            .clusters
            .get(&address.cluster)
            .ok_or_else(|| CommandError::new(Exit::Bug, "an instance on an unknown cluster"))?,
        branch.view()?,
    );
    let secrets = Secrets::new(&workspace, &fleet);
    let previous = releasing::ciphertexts(&view, &address.instance)?;
    refuse_lost_secrets(instance, &plan.older)?;
    let sealed = Sealer {
        cluster,
        secrets: &secrets,
    }
    .seal_again(
        instance,
        &plan.older.secrets,
        &branch.objects_of(plan.older.tree)?,
        previous.as_ref(),
    )?;
    let leaving = branch.objects_of(plan.running.tree)?;
    let objects = compose_rollback(sealed.objects, &leaving);
    let changes = diff(&leaving, &objects);

    let time = surroundings::now()?;
    let author = releasing::author(&workspace)?;
    let by = format!("{} <{}>", author.name, author.email);
    let reason = arguments.message.clone().unwrap_or_else(|| {
        format!(
            "rolled back from {:04} to {:04}",
            plan.running.release, plan.older.release
        )
    });
    let record = Record {
        version: RECORD_VERSION,
        release: plan.running.release + 1,
        time,
        author: by.clone(),
        message: Some(reason.clone()),
        tree: Id::empty_tree(),
        scan: sealed.scan,
        rollback_of: Some(plan.older.release),
        request: None,
        grove: env!("CARGO_PKG_VERSION").to_owned(),
        // The Jobs of the release that is left stay, retried ones too.
        init: plan.running.init.clone(),
        // The order of sources goes on from the release that is left: what it shipped was seen.
        source: plan.running.source.clone(),
        ..plan.older.clone()
    };
    let number = record.release;
    let mut waits = (Vec::new(), Exit::Done);
    let mut result = serde_json::json!({
        "version": 1,
        "instance": address,
        "from": plan.running.release,
        "to": plan.older.release,
        "release": number,
        "dry_run": arguments.dry_run,
        "diff": changes,
    });
    if !arguments.dry_run {
        let mut draft = Changes::default();
        let apps = view.apps(&address.instance)?;
        draft.release(Release {
            record,
            objects,
            apps,
            sealed: Some(releasing::ciphertexts_value(&sealed.ciphertexts)?),
        })?;
        let hold = hold(
            view.hold(&address.instance)?,
            plan.running.release,
            Hold {
                version: RECORD_VERSION,
                reason: reason.clone(),
                since: time,
                by,
                release: number,
                left: Vec::new(),
            },
        );
        draft.hold(&address.instance, &hold);
        let message = Message {
            subject: format!(
                "Roll {} back to {:04}: {}",
                address.instance,
                plan.older.release,
                reason.lines().next().unwrap_or_default()
            ),
            text: None,
            source: plan.running.source.commit,
            local: plan.running.source.local,
            releases: vec![(address.instance.clone(), number)],
            request: None,
            grove: env!("CARGO_PKG_VERSION").to_owned(),
        };
        output.progress(&format!("pushing to {}", branch.remote()));
        branch.commit(
            Draft {
                changes: draft,
                message,
                author,
                time,
            },
            refuse,
        )?;
        output.progress_done();
        if let Some(tip) = branch.tip().filter(|_| arguments.wait.wait) {
            let release = following::Release::new(&branch, instance, tip)?;
            waits = following::follow(&arguments.wait, &fleet.clusters, &[release], output)?;
        }
    }
    if is_json(output) {
        if let Some(result) = result.as_object_mut() {
            result.insert("waits".to_owned(), serde_json::json!(waits.0));
        }
        output.json(&result)?;
    } else {
        output.print(&format!(
            "{address}: {} from {:04} to {:04}, as release {number:04}; held\n",
            if arguments.dry_run {
                "would roll back"
            } else {
                "rolled back"
            },
            plan.running.release,
            plan.older.release,
        ))?;
        output.note(&report::summary(&changes));
        output.note("a deploy of the same source stays held; `grove unhold` ends that");
        following::print(&waits.0, output)?;
    }
    Ok(waits.1)
}

/// Which release is left, and which one comes back.
struct Plan {
    running: Record,
    older: Record,
}

fn plan(arguments: &Arguments, branch: &DeployBranch, address: &Address) -> Result<Plan> {
    let view = branch.view()?;
    let running = view.latest(&address.instance)?.ok_or_else(|| {
        CommandError::usage(format!("{address} was never released"))
            .hint("`grove deploy` makes its first release")
    })?;
    let number = match arguments.to {
        Some(number) => number,
        None => before(
            &view
                .history(&address.instance)?
                .iter()
                .map(|record| (record.release, record.rollback_of))
                .collect::<Vec<_>>(),
        )
        .ok_or_else(|| {
            CommandError::refused(format!(
                "there is no release before {} that was not left by a rollback",
                release_name(&address.cluster, &running)
            ))
            .hint("`grove history` lists the releases; `--to` names one")
        })?,
    };
    if number == running.release {
        return Err(CommandError::refused(format!(
            "{address} runs release {number:04} already"
        )));
    }
    let older = view.record(&address.instance, number)?;
    let crossed = forward_only(&running.marks, &older.marks);
    if !crossed.is_empty() && !arguments.accept_data_risk {
        let mut error = CommandError::refused(format!(
            "release {number:04} is behind a mark that data cannot follow"
        ));
        error.messages.extend(
            crossed
                .iter()
                .map(|crossed| format!("{}: {} → {}", crossed.mark, crossed.from, crossed.to)),
        );
        return Err(error.hint(
            "restore a backup that fits, or say `--accept-data-risk` if the data is known to fit",
        ));
    }
    Ok(Plan { running, older })
}

/// The release to go back to where none is named: the newest one before what runs that was made by a
/// deploy and not left by a rollback since. `history` is newest first: each release, and of which it
/// was a rollback.
pub(crate) fn before(history: &[(u32, Option<u32>)]) -> Option<u32> {
    let find = |number| history.iter().find(|(release, _)| *release == number);
    let mut origin = history.first()?;
    while let Some(older) = origin.1.and_then(find) {
        origin = older;
    }
    let was_left = |number: u32| find(number + 1).is_some_and(|(_, of)| of.is_some());
    history
        .iter()
        .filter(|(release, of)| *release < origin.0 && of.is_none())
        .map(|(release, _)| *release)
        .find(|number| !was_left(*number))
}

/// The hold after a rollback that left the release `left`. One by hand stays what it is; one of a
/// rollback before this remembers what that left, too.
fn hold(existing: Option<Hold>, left: u32, new: Hold) -> Hold {
    match existing {
        Some(hold) if hold.left.is_empty() => Hold {
            release: new.release,
            ..hold
        },
        Some(hold) => Hold {
            left: hold.left.into_iter().chain([left]).collect(),
            ..new
        },
        None => Hold {
            left: vec![left],
            ..new
        },
    }
}

/// A release that needs a secret which the fleet no longer has cannot come back.
pub(crate) fn refuse_lost_secrets(instance: &Instance, older: &Record) -> Result<()> {
    let held: BTreeSet<&str> = instance.secrets.keys().map(String::as_str).collect();
    let lost: Vec<&str> = older
        .secrets
        .iter()
        .map(String::as_str)
        .filter(|name| {
            !held.contains(name)
                && grove_seal::derive::parents(name)
                    .is_none_or(|parents| parents.iter().any(|parent| !held.contains(parent)))
        })
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(CommandError::refused(format!(
        "release {:04} needs secrets that the fleet no longer has: {}",
        older.release,
        lost.join(", ")
    ))
    .hint("`grove secret set` brings one back"))
}

/// Reads `cluster/instance`.
pub(crate) fn address(text: &str) -> Result<Address> {
    match text.split_once('/') {
        Some((cluster, instance))
            if !cluster.is_empty() && !instance.is_empty() && !instance.contains('/') =>
        {
            Ok(Address::new(cluster, instance))
        }
        _ => Err(CommandError::usage(format!(
            "`{text}` is not `cluster/instance`"
        ))),
    }
}

/// An instance of the fleet.
pub(crate) fn find<'a>(fleet: &'a Fleet, address: &Address) -> Result<&'a Instance> {
    fleet.instances.get(address).ok_or_else(|| {
        let all: Vec<String> = fleet.instances.keys().map(ToString::to_string).collect();
        let near = nearest(&address.to_string(), all.iter().map(String::as_str));
        CommandError::usage(format!("the fleet has no instance `{address}`")).hint(
            near.map_or_else(
                || "`grove check` shows what cannot be read".to_owned(),
                |near| format!("did you mean `{near}`?"),
            ),
        )
    })
}

/// A cluster of the fleet.
pub(crate) fn find_cluster<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Cluster> {
    fleet.clusters.get(name).ok_or_else(|| {
        let names: Vec<&str> = fleet.clusters.keys().map(String::as_str).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("`grove new cluster {name}` makes it"),
            None => format!("there are: {}", names.join(", ")),
        };
        CommandError::usage(format!("the fleet has no cluster `{name}`")).hint(hint)
    })
}
