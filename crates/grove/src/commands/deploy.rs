//! `grove deploy`.

mod operational;

use std::{borrow::Cow, collections::BTreeSet};

use grove_fleet::model::State;
use grove_fleet::{
    Fleet,
    check::{self, Released},
    model::{Distribution, Instance},
};
use grove_release::{
    Changes, DeployBranch, DistributionRef, Draft, Freeze, Hold, Id, InitTasks, Message, Objects,
    Origin, RECORD_VERSION, Record, Release, compose, compose_without_jobs, diff, refuse, thaw,
};
use grove_render::Tree;
use operational::Operational;
use serde::Serialize;

use crate::{
    cli::Global,
    commands::{
        init_task,
        selection::{Agreement, Selection},
    },
    data_applied,
    error::{CommandError, Exit, Result},
    following::{self, Wait},
    freezing, origin,
    output::{Output, count},
    own_certificates,
    pipeline::Pipeline,
    releasing::{self, Remotes, Sealed, Sealer},
    report,
    secrets::Secrets,
    sharing, surroundings,
    workspace::{Workspace, is_json},
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
    selection: Selection,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    remotes: Remotes,
}

/// What a deploy can be confined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// How instances are operated: `state`, `maintenance`, `autoscaling`, replicas, values of secrets.
    /// No Job runs.
    Operational,
}

impl Arguments {
    /// A deploy of how instances are operated.
    pub(crate) fn operational(
        message: String,
        agreement: Agreement,
        selection: Selection,
        wait: Wait,
        remotes: Remotes,
    ) -> Self {
        Self {
            dry_run: false,
            message: Some(message),
            local: false,
            allow_older: false,
            only: Some(Only::Operational),
            agreement,
            confirm_deletes: None,
            create_remote: false,
            selection,
            wait,
            remotes,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let (workspace, origin) = origin::read(arguments.local, global)?;
    // What is operated is rendered from a fleet that was sound; the errors of today are not its own.
    let fleet = match arguments.only {
        Some(Only::Operational) => workspace.check()?.fleet,
        None => workspace.sound(output)?,
    };
    let instances = arguments.selection.select(&fleet)?;
    if !arguments.dry_run || arguments.agreement.expect.is_some() {
        arguments.agreement.ask(&instances, output)?;
    }
    if arguments.local {
        origin::refuse_production(instances.iter().copied())?;
    }

    // Every cluster is prepared before the first one is written to: a failure leaves all as they are.
    let mut prepared = Vec::new();
    let clusters: BTreeSet<&str> = instances
        .iter()
        .map(|instance| instance.address.cluster.as_str())
        .collect();
    let deploy = Deploy {
        arguments,
        workspace: &workspace,
        fleet: &fleet,
        origin: &origin,
        secrets: Secrets::new(&workspace, &fleet),
        output,
    };
    let mut branches = Vec::new();
    let mut released = Released::default();
    for cluster in clusters {
        let branch = deploy.open(cluster)?;
        releasing::released(&branch, &mut released)?;
        branches.push(branch);
    }
    output.progress_done();
    let operational = arguments
        .only
        .map(|Only::Operational| Operational::read(&workspace, &branches, &instances, output))
        .transpose()?;
    let instances = match &operational {
        Some(operational) => operational.instances(),
        None => instances,
    };
    let pipeline = Pipeline::new(output, true)?;
    output.progress("rendering");
    // What Argo CD reads is what the fleet says; `--deploy-remote` only says where this pushes.
    let remote = &fleet.deploy_remote;
    let trees = match &operational {
        Some(operational) => operational.trees(&pipeline, remote)?,
        None => pipeline.trees(&fleet, &instances, remote)?,
    };
    output.progress_done();
    let checked = workspace.check_against(Some(released))?;
    // What runs and is gone from the fleet shows only beside the branch: say so here.
    let gone: Vec<_> = checked
        .findings
        .iter()
        .filter(|finding| finding.rule == "instance-gone")
        .cloned()
        .collect();
    output.must_see(&check::text(
        &gone,
        &workspace.snapshot,
        output.colour_on_stderr(),
    ));
    if arguments.only.is_none() {
        workspace.sound_of(checked, output)?;
    }
    for branch in branches {
        let cluster = branch.cluster().to_owned();
        let chosen = instances
            .iter()
            .filter(|instance| instance.address.cluster == cluster);
        let mut items = Vec::new();
        for instance in chosen {
            if let Some(tree) = trees.get(&instance.address) {
                items.push(deploy.prepare(&branch, instance, tree).map_err(|error| {
                    error.context(format!("cannot release {}", instance.address))
                })?);
            }
        }
        prepared.push((branch, items));
    }
    let deletions = deploy.confirm_deletions(&prepared)?;

    let mut rows = Vec::new();
    let mut followed = Vec::new();
    for (mut branch, items) in prepared {
        let cluster = branch.cluster().to_owned();
        match deploy.release(&mut branch, items) {
            Ok(released) => rows.extend(released),
            Err(error) => {
                // What was pushed to other clusters stays, and must be known.
                print(&rows, &[], arguments.dry_run, deletions, output)?;
                return Err(error.context(format!("nothing was released on {cluster}")));
            }
        }
        if arguments.wait.wait && !arguments.dry_run {
            followed.extend(to_follow(&branch, &instances, &rows)?);
        }
    }
    let (waits, waited) = following::follow(&arguments.wait, &fleet.clusters, &followed, output)?;
    let exit = print(&rows, &waits, arguments.dry_run, deletions, output)?;
    Ok(if waited == Exit::Done { exit } else { waited })
}

/// What of a cluster's branch is to be followed: all that was chosen and is not held.
fn to_follow(
    branch: &DeployBranch,
    instances: &[&Instance],
    rows: &[Row],
) -> Result<Vec<following::Release>> {
    let Some(tip) = branch.tip() else {
        return Ok(Vec::new());
    };
    let is_running = |instance: &&&Instance| {
        instance.address.cluster == branch.cluster()
            && rows.iter().any(|row| {
                row.instance == instance.address.to_string()
                    && !matches!(row.action, Action::Held | Action::Frozen)
            })
    };
    instances
        .iter()
        .filter(is_running)
        .map(|instance| following::Release::new(branch, instance, tip))
        .collect()
}

/// What a deploy does with one instance.
struct Item<'a> {
    instance: &'a Instance,
    tree: Cow<'a, Tree>,
    init: InitTasks,
    sealed: Sealed,
    running: Option<Record>,
    hold: Option<Hold>,
    frozen: Option<Freeze>,
    /// Whether there is what is left of a freeze.
    has_thawed: bool,
    objects: Objects,
    diff: grove_release::Diff,
    action: Action,
    /// Whether today's ciphertexts are not those of the branch.
    resealed: bool,
    /// See [`Record::init_pending`].
    init_pending: bool,
}

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    /// It gets a release.
    Released,
    /// It is as it should be.
    Unchanged,
    /// It is held, and the hold stands.
    Held,
    /// It is frozen.
    Frozen,
}

/// One instance's line of the result.
#[derive(Debug, Serialize)]
struct Row {
    instance: String,
    action: Action,
    release: Option<u32>,
    commit: Option<Id>,
    added: usize,
    changed: usize,
    removed: usize,
    secrets: BTreeSet<String>,
    reason: Option<String>,
}

struct Deploy<'a> {
    arguments: &'a Arguments,
    workspace: &'a Workspace,
    fleet: &'a Fleet,
    origin: &'a Origin,
    secrets: Secrets<'a>,
    output: &'a Output,
}

impl<'a> Deploy<'a> {
    fn open(&self, cluster: &str) -> Result<DeployBranch> {
        self.output
            .progress(&format!("fetching the deploy branch of {cluster}"));
        let remotes = &self.arguments.remotes;
        if self.arguments.create_remote && !self.arguments.dry_run {
            remotes.create(self.workspace, self.fleet, cluster, self.output)?;
        }
        let branch = remotes.open(self.workspace, self.fleet, cluster)?;
        if let Some(lost) = branch.rewritten() {
            self.output.warn(&format!(
                "{} was rewritten: its history lacks {}, where it was last seen",
                branch.name(),
                lost.short()
            ));
        }
        Ok(branch)
    }

    fn prepare(
        &self,
        branch: &DeployBranch,
        instance: &'a Instance,
        tree: &'a Tree,
    ) -> Result<Item<'a>> {
        let name = &instance.address.instance;
        let view = branch.view()?;
        let running = view.latest(name)?;
        if !self.arguments.allow_older {
            let running = running.as_ref().map(|record| &record.source);
            origin::check_order(self.workspace, self.origin, running)?;
        }
        let hold = view.hold(name)?;
        let frozen = freezing::in_force(&view, &instance.address)?;
        let before = view.objects(name)?;
        let cluster = self
            .fleet
            .clusters
            .get(&instance.address.cluster)
            .ok_or_else(|| {
                CommandError::new(Exit::Bug, "an instance stands on an unknown cluster")
            })?;
        let sealer = Sealer {
            cluster,
            secrets: &self.secrets,
        };
        sharing::refuse_missing(&view, instance, &tree.needs)?;
        let previous = releasing::ciphertexts(&view, name)?;
        let mut init = running
            .as_ref()
            .map(|record| record.init.clone())
            .unwrap_or_default();
        let tree = init_task::retried(tree, &init);
        let mut sealed = sealer.seal(instance, &tree, previous.as_ref())?;
        init_task::skip(&mut sealed.objects, &mut init);
        let is_operational = self.arguments.only.is_some();
        let was_pending = running.as_ref().is_some_and(|record| record.init_pending);
        let is_stopped = instance.state == State::Stopped;
        let runs_jobs = !is_stopped && (!is_operational || was_pending);
        own_certificates::refuse_mismatch(
            instance,
            &sealed.changed,
            before.as_ref(),
            &self.secrets,
        )?;
        data_applied::refuse_unapplied(&view, instance, &sealed.changed, runs_jobs)?;
        let objects = if runs_jobs {
            compose(sealed.objects.clone(), before.as_ref())
        } else {
            compose_without_jobs(sealed.objects.clone(), before.as_ref())
        };
        if is_operational
            && !runs_jobs
            && !sealed.changed.is_empty()
            && brings_jobs(&sealed.objects, before.as_ref())
        {
            let changed: Vec<&str> = sealed.changed.iter().map(String::as_str).collect();
            self.output.warn(&format!(
                "{}: {} changed, and init tasks that may have to hand it on do not run: a deploy without `--only` runs them",
                instance.address,
                changed.join(", ")
            ));
        }
        let init_pending = !runs_jobs
            && (was_pending || !is_operational && brings_jobs(&sealed.objects, before.as_ref()));
        let action = match &hold {
            // What is operated is what is held.
            Some(hold)
                if !is_operational
                    && Self::stays_held(
                        branch,
                        name,
                        hold,
                        &tree,
                        &instance.identity.namespace,
                    )? =>
            {
                Action::Held
            }
            _ if running.is_some()
                && before.as_ref() == Some(&objects)
                && thaw(&view.apps(name)?, name) == tree.apps =>
            {
                Action::Unchanged
            }
            _ if frozen.is_some() => Action::Frozen,
            _ => Action::Released,
        };
        let diff = diff(&before.unwrap_or_default(), &objects);
        let resealed = previous.as_ref() != Some(&sealed.ciphertexts);
        Ok(Item {
            instance,
            tree,
            init,
            sealed,
            running,
            hold,
            has_thawed: frozen.is_none() && view.freeze(name)?.is_some(),
            frozen,
            objects,
            diff,
            action,
            resealed,
            init_pending,
        })
    }

    /// Whether a hold stands: one by hand always does, one of a rollback until the deploy would
    /// bring something else than what was left. Values of secrets do not count: a rotation is no
    /// reason to ship again what was left.
    fn stays_held(
        branch: &DeployBranch,
        instance: &str,
        hold: &Hold,
        tree: &Tree,
        namespace: &str,
    ) -> Result<bool> {
        if hold.left.is_empty() {
            return Ok(true);
        }
        let view = branch.view()?;
        for left in &hold.left {
            let left = branch.objects_of(view.record(instance, *left)?.tree)?;
            if releasing::is_same_but_values(&left, tree, namespace)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn confirm_deletions(&self, prepared: &[(DeployBranch, Vec<Item<'_>>)]) -> Result<usize> {
        let mut total = 0;
        let mut reasons = Vec::new();
        for item in prepared.iter().flat_map(|(_, items)| items) {
            if item.action != Action::Released {
                continue;
            }
            let deletions = &item.diff.deletions;
            if deletions.need_confirmation() {
                total += deletions.count();
                reasons.push(format!(
                    "{}: {}",
                    item.instance.address,
                    report::summary(&item.diff)
                ));
            }
        }
        if total == 0 || self.arguments.dry_run || self.arguments.confirm_deletes == Some(total) {
            return Ok(total);
        }
        let mut error = CommandError::refused(match self.arguments.confirm_deletes {
            Some(stated) => {
                let verb = if stated == 1 { "was" } else { "were" };
                format!(
                    "{} {verb} confirmed, this deploy makes {total}",
                    count(stated, "deletion")
                )
            }
            None => format!("this deploy deletes {}", count(total, "object")),
        });
        error.messages.extend(reasons);
        Err(error.hint(format!("if that is meant, say `--confirm-deletes {total}`")))
    }

    fn release(&self, branch: &mut DeployBranch, items: Vec<Item<'_>>) -> Result<Vec<Row>> {
        let time = surroundings::now()?;
        let author = releasing::author(self.workspace)?;
        let grove = env!("CARGO_PKG_VERSION").to_owned();
        let mut changes = Changes::default();
        let mut releases = Vec::new();
        let mut rows = Vec::new();
        for item in items {
            let name = item.instance.address.instance.clone();
            let number = item.running.as_ref().map_or(1, |record| record.release + 1);
            let mut row = Row {
                instance: item.instance.address.to_string(),
                action: item.action,
                release: item.running.as_ref().map(|record| record.release),
                commit: None,
                added: item.diff.added.len(),
                changed: item.diff.changed.len(),
                removed: item.diff.removed.len(),
                secrets: item.sealed.changed.clone(),
                reason: match item.action {
                    Action::Frozen => item.frozen.as_ref().map(freezing::described),
                    _ => item.hold.as_ref().map(|hold| hold.reason.clone()),
                },
            };
            if item.action == Action::Released {
                let record = Record {
                    version: RECORD_VERSION,
                    instance: name.clone(),
                    identity: Some(item.instance.identity.clone()),
                    release: number,
                    time,
                    author: format!("{} <{}>", author.name, author.email),
                    message: self.arguments.message.clone(),
                    source: self.origin.clone(),
                    operational: None,
                    tree: Id::empty_tree(),
                    apps: None,
                    distribution: distribution(self.fleet, item.instance),
                    images: item.tree.images.clone(),
                    secrets: item.tree.secrets.clone(),
                    scan: item.sealed.scan,
                    marks: item.tree.marks.clone(),
                    init_pending: item.init_pending,
                    init: item.init,
                    rollback_of: None,
                    grove: grove.clone(),
                };
                let record = match (&item.running, self.arguments.only) {
                    (Some(running), Some(Only::Operational)) => Record {
                        source: running.source.clone(),
                        operational: Some(self.origin.clone()),
                        distribution: running.distribution.clone(),
                        rollback_of: running.rollback_of,
                        ..record
                    },
                    _ => record,
                };
                changes.release(Release {
                    record,
                    objects: item.objects,
                    apps: item.tree.apps.clone(),
                    sealed: Some(releasing::ciphertexts_value(&item.sealed.ciphertexts)?),
                })?;
                if item.hold.is_some() && self.arguments.only.is_none() {
                    changes.unhold(&name);
                }
                releases.push((name.clone(), number));
                row.release = Some(number);
                row.reason = None;
            }
            if item.action == Action::Unchanged && item.has_thawed {
                // What is left of a freeze that is over would be in force again in a year.
                changes.unfreeze(&name, &item.tree.apps);
            }
            if item.action == Action::Unchanged && item.resealed {
                // The same values from files that were encrypted anew: the next deploy needs no key.
                let value = releasing::ciphertexts_value(&item.sealed.ciphertexts)?;
                changes.write(
                    &format!("releases/{name}/sealed.yaml"),
                    grove_yaml::emit(&value),
                );
            }
            rows.push(row);
        }
        if changes.is_empty() || self.arguments.dry_run {
            return Ok(rows);
        }
        self.output
            .progress(&format!("pushing to {}", branch.remote()));
        let draft = Draft {
            changes,
            message: Message {
                subject: subject(self.arguments.message.as_deref(), &releases),
                text: None,
                source: self.origin.commit,
                local: self.origin.local,
                releases,
                grove,
            },
            author,
            time,
        };
        let outcome = branch.commit(draft, refuse)?;
        self.output.progress_done();
        for row in rows.iter_mut().filter(|row| row.action == Action::Released) {
            row.commit = outcome.commit;
        }
        Ok(rows)
    }
}

/// Whether there is a Job among new objects that the running release does not have.
fn brings_jobs(new: &Objects, running: Option<&Objects>) -> bool {
    new.iter().any(|(file, object)| {
        object.get("kind").is_some_and(|kind| kind == "Job")
            && running.is_none_or(|running| !running.contains_key(file))
    })
}

fn subject(message: Option<&str>, releases: &[(String, u32)]) -> String {
    if releases.is_empty() {
        return "Note that secrets were encrypted anew, or that freezes are over".to_owned();
    }
    let names: Vec<String> = releases
        .iter()
        .take(3)
        .map(|(name, number)| format!("{name} {number:04}"))
        .collect();
    let more = releases.len().saturating_sub(names.len());
    let list = match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    match message.and_then(|message| message.lines().next()) {
        Some(message) => format!("Release {list}: {message}"),
        None => format!("Release {list}"),
    }
}

/// The distribution of an instance, as its record names it.
fn distribution(fleet: &Fleet, instance: &Instance) -> DistributionRef {
    let distribution = fleet.distributions.get(&instance.distribution);
    DistributionRef {
        name: instance.distribution.clone(),
        input: distribution.map(Distribution::input).unwrap_or_default(),
        lock: distribution
            .and_then(|distribution| distribution.lock.as_ref())
            .map(|lock| lock.digest.clone())
            .unwrap_or_default(),
    }
}

fn print(
    rows: &[Row],
    waits: &[following::Row],
    dry_run: bool,
    deletions: usize,
    output: &Output,
) -> Result {
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "dry_run": dry_run, "confirm_deletes": deletions, "instances": rows, "waits": waits}))?;
    } else {
        for row in rows {
            let release = row
                .release
                .map(|release| format!("{release:04}"))
                .unwrap_or_default();
            let text = match row.action {
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
                    row.reason.as_deref().unwrap_or("no reason given")
                ),
                Action::Frozen => format!(
                    "{}: {}; stays at {release}\n",
                    row.instance,
                    row.reason.as_deref().unwrap_or("frozen")
                ),
            };
            output.print(&text)?;
        }
        let released = rows
            .iter()
            .filter(|row| row.action == Action::Released)
            .count();
        if released == 0 {
            output.note("nothing changed; nothing was released");
        } else if dry_run && deletions > 0 {
            output.note(&format!(
                "to deploy this, say `--confirm-deletes {deletions}`"
            ));
        }
        following::print(waits, output)?;
    }
    let any = |action| rows.iter().any(|row| row.action == action);
    if any(Action::Held) {
        output.note("held instances follow the fleet again after `grove unhold`, or when what they would get changes");
    }
    if any(Action::Frozen) {
        output.note("frozen instances follow the fleet again with the first deploy after the freeze, or after `grove unfreeze`");
    }
    Ok(if any(Action::Held) || any(Action::Frozen) {
        Exit::Refused
    } else {
        Exit::Done
    })
}
