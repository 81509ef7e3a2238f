//! `grove cluster deploy`.

use std::collections::BTreeMap;

use clap_complete::ArgValueCandidates;
use grove_release::{
    Changes, DeployBranch, Diff, Draft, Hold, Id, Message, Origin, RECORD_VERSION, SharedRecord,
    SharedRelease, diff, refuse,
};
use grove_render::SharedTree;

use crate::{
    cli::Global,
    commands::{bundle, candidates, rollback::find_cluster},
    error::{CommandError, Exit, Result},
    following::{self, Wait},
    origin,
    output::Output,
    releasing::{self, Remotes},
    report,
    sharing::{self, Released},
    surroundings,
    workspace::{Workspace, is_json},
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
    /// End a hold that a rollback left, and deploy.
    #[arg(long)]
    unhold: bool,
    #[command(flatten)]
    lock: bundle::Lock,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let (workspace, origin) = origin::read(arguments.local, global)?;
    let fleet = workspace.sound(output)?;
    let cluster = find_cluster(&fleet, &arguments.name)?;
    if arguments.local {
        let all = fleet.instances.values();
        origin::refuse_production(all.filter(|one| one.address.cluster == cluster.name))?;
    }
    let mut tree = sharing::render(&workspace, &fleet, cluster, &arguments.lock.bundle()?)?;
    output.progress(&format!("fetching the deploy branch of {}", cluster.name));
    if arguments.create_remote && !arguments.dry_run {
        let remotes = &arguments.remotes;
        remotes.create(&workspace, &fleet, &cluster.name, output)?;
    }
    let mut branch = arguments.remotes.open(&workspace, &fleet, &cluster.name)?;
    output.progress_done();
    let running = branch.view()?.shared_latest()?;
    if !arguments.allow_older {
        let running = running.as_ref().map(|record| &record.source);
        origin::check_order(&workspace, &origin, running)?;
    }
    let before = match &running {
        Some(record) => Released::read(&branch, record)?,
        None => Released::default(),
    };
    refuse_removals(&arguments.remove, &tree, running.as_ref())?;
    let kept = match &running {
        Some(record) => sharing::keep(&mut tree, record, &before, &arguments.remove),
        None => Vec::new(),
    };
    for part in &kept {
        output.warn(&format!(
            "{part} is no longer in `cluster.yaml` and keeps running; `--remove {part}` takes it out of the deploy tree"
        ));
    }
    let after = Released::of(&tree);
    let changes = Change::between(&before, &after);
    let hold = branch.view()?.shared_hold()?;
    if let Some(hold) = &hold
        && !arguments.unhold
        && !changes.is_empty()
        && stays_held(&branch, hold, &after)?
    {
        return Err(CommandError::refused(format!(
            "what the instances of {} share is held at {:04}: {}",
            cluster.name, hold.release, hold.reason
        ))
        .hint("a change of `cluster.yaml` ends the hold, or `--unhold`"));
    }
    let mut released = running.as_ref().map(|record| record.release);
    if !changes.is_empty() && !arguments.dry_run {
        let number = released.unwrap_or_default() + 1;
        let release = Release {
            workspace: &workspace,
            origin: &origin,
            message: arguments.message.as_deref(),
            number,
            ends_hold: hold.is_some(),
        };
        output.progress(&format!("pushing to {}", branch.remote()));
        release.push(&mut branch, tree, after)?;
        output.progress_done();
        released = Some(number);
    }
    let mut waits = (Vec::new(), Exit::Done);
    if let Some(tip) = branch
        .tip()
        .filter(|_| arguments.wait.wait && !arguments.dry_run && released.is_some())
    {
        let releases = following::Release::shared(&branch, cluster, tip)?;
        waits = following::follow(&arguments.wait, &fleet.clusters, &releases, output)?;
    }
    if is_json(output) {
        output.json(&serde_json::json!({
            "version": 1, "cluster": cluster.name, "dry_run": arguments.dry_run,
            "release": released, "changed": !changes.is_empty(), "kept": kept,
            "diff": changes, "waits": waits.0,
        }))?;
        return Ok(waits.1);
    }
    let name = released.map_or_else(|| "none".to_owned(), |number| format!("{number:04}"));
    if changes.is_empty() {
        output.print(&format!("{}: nothing changed, runs {name}\n", cluster.name))?;
    } else if arguments.dry_run {
        output.print(&format!(
            "{}: would release: {}\n",
            cluster.name,
            changes.summary()
        ))?;
    } else {
        output.print(&format!(
            "{}: released {name}: {}\n",
            cluster.name,
            changes.summary()
        ))?;
        if released == Some(1) && !arguments.wait.wait {
            output.note(&format!(
                "the first release of its kind: `grove cluster bootstrap {}` makes Argo CD read it",
                cluster.name
            ));
        }
    }
    for part in arguments.remove.iter().filter(|_| !arguments.dry_run) {
        output.note(&format!(
            "Argo CD keeps what is gone: `kubectl --namespace {} delete application grove-{part}` ends its syncing and leaves its objects",
            cluster.argocd_namespace
        ));
    }
    following::print(&waits.0, output)?;
    Ok(waits.1)
}

/// Only a part that runs and is gone from the fleet can be removed.
fn refuse_removals(
    parts: &[String],
    tree: &SharedTree,
    running: Option<&SharedRecord>,
) -> Result<()> {
    for part in parts {
        if tree.parts.contains_key(part) {
            return Err(
                CommandError::usage(format!("{part} is still in `cluster.yaml`"))
                    .hint("take it out there first"),
            );
        }
        if !running.is_some_and(|record| record.parts.contains_key(part)) {
            return Err(CommandError::usage(format!("no part `{part}` runs")));
        }
    }
    Ok(())
}

/// Whether a hold stands: until the deploy would bring something else than what was left.
fn stays_held(branch: &DeployBranch, hold: &Hold, after: &Released) -> Result<bool> {
    let view = branch.view()?;
    for left in &hold.left {
        if Released::read(branch, &view.shared_record(*left)?)? == *after {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a release of the shared part changes.
#[derive(Debug, serde::Serialize)]
pub(super) struct Change {
    /// In `cluster/`.
    pub(super) objects: Diff,
    /// Paths in `charts/` that are new, other or gone, with `+`, `~` or `-`.
    pub(super) charts: BTreeMap<String, char>,
}

impl Change {
    pub(super) fn between(before: &Released, after: &Released) -> Self {
        let mut charts = BTreeMap::new();
        for (path, bytes) in &after.charts {
            match before.charts.get(path) {
                None => charts.insert(path.clone(), '+'),
                Some(old) if old != bytes => charts.insert(path.clone(), '~'),
                Some(_) => None,
            };
        }
        for path in before.charts.keys() {
            if !after.charts.contains_key(path) {
                charts.insert(path.clone(), '-');
            }
        }
        Self {
            objects: diff(&before.cluster, &after.cluster),
            charts,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.charts.is_empty()
    }

    pub(super) fn summary(&self) -> String {
        let files = match self.charts.len() {
            0 => String::new(),
            files => format!("; {} of charts", crate::output::count(files, "file")),
        };
        format!("{}{files}", report::summary(&self.objects))
    }
}

/// A release that is to be pushed.
struct Release<'a> {
    workspace: &'a Workspace,
    origin: &'a Origin,
    message: Option<&'a str>,
    number: u32,
    ends_hold: bool,
}

impl Release<'_> {
    fn push(self, branch: &mut DeployBranch, tree: SharedTree, after: Released) -> Result<()> {
        let time = surroundings::now()?;
        let author = releasing::author(self.workspace)?;
        let record = SharedRecord {
            version: RECORD_VERSION,
            release: self.number,
            time,
            author: author.to_string(),
            message: self.message.map(str::to_owned),
            source: self.origin.clone(),
            tree: Id::empty_tree(),
            charts: Id::empty_tree(),
            parts: tree.parts,
            forward_only: tree.forward_only,
            rollback_of: None,
            request: None,
            grove: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let subject = self
            .message
            .and_then(|message| message.lines().next())
            .map_or_else(
                || format!("Release {:04} of what instances share", self.number),
                str::to_owned,
            );
        push(branch, record, after, subject, author, |changes| {
            if self.ends_hold {
                changes.unhold_shared();
            }
        })
    }
}

/// Pushes a release of the shared part; `more` adds a hold, or ends one.
pub(super) fn push(
    branch: &mut DeployBranch,
    record: SharedRecord,
    after: Released,
    subject: String,
    author: grove_release::Author,
    more: impl FnOnce(&mut Changes),
) -> Result<()> {
    let mut changes = Changes::default();
    let message = Message {
        subject,
        text: None,
        source: record.source.commit,
        local: record.source.local,
        releases: vec![("_cluster".to_owned(), record.release)],
        request: record.request.clone(),
        grove: record.grove.clone(),
    };
    let time = record.time;
    changes.release_shared(SharedRelease {
        record,
        cluster: after.cluster,
        charts: after.charts,
    })?;
    more(&mut changes);
    branch.commit(
        Draft {
            changes,
            message,
            author,
            time,
        },
        refuse,
    )?;
    Ok(())
}
