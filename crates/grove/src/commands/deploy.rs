//! `grove deploy`.

mod operational;
mod prepare;
mod release;
mod result;

use std::collections::BTreeSet;

use grove_fleet::{
    Fleet,
    check::{self, Released},
    model::Instance,
};
use grove_release::{DeployBranch, Origin};
use operational::Operational;
use result::{Action, Row, print};

use crate::{
    cli::Global,
    commands::selection::{Agreement, Selection},
    error::{Exit, Result},
    following::{self, Wait},
    origin,
    output::Output,
    pipeline::Pipeline,
    releasing::{self, Remotes},
    secrets::Secrets,
    workspace::Workspace,
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

struct Deploy<'a> {
    arguments: &'a Arguments,
    workspace: &'a Workspace,
    fleet: &'a Fleet,
    origin: &'a Origin,
    secrets: Secrets<'a>,
    output: &'a Output,
}

impl Deploy<'_> {
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
}
