//! `grove cluster up`.

use std::path::Path;

use clap_complete::ArgValueCandidates;
use grove_operations::{
    Around,
    cluster::up::{self, Given, StackStage, Stage},
    deploy::{plan, request::Request},
    release::follow,
    shared::bootstrap::Plan,
};

use super::bootstrap;
use crate::{
    around, candidates,
    commands::deploy,
    error::{Error, Exit, Kind, Result},
    global::Global,
    options::{Beginning, Program},
    output::Output,
    surroundings,
    terminal::{self, Agreed},
};

/// Make a cluster and its instances, from nothing or from wherever it stands.
///
/// Applies the cluster's stacks in their order, commits what they gave, installs what the cluster needs
/// to deploy by itself (as `grove cluster bootstrap` does), applies the stacks of its instances, and
/// deploys these. Each part looks first and does only what is missing: whatever stops it, the same
/// command goes on from there.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster up prod\n\
    \x20 grove cluster up prod --instance uni --yes")]
pub(super) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// Bring up this instance only; may be given several times. All of the cluster's otherwise.
    #[arg(long = "instance", value_name = "NAME")]
    instances: Vec<String>,
    /// Apply and deploy without asking; what would destroy anything is still refused.
    #[arg(long, short)]
    yes: bool,
    /// Do not commit what stacks gave: stop there, for you to do so.
    #[arg(long)]
    no_commit: bool,
    /// How long each part may take, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    timeout: u64,
    /// Make the deploy repository where it is missing; local paths only.
    #[arg(long)]
    create_remote: bool,
    #[command(flatten)]
    beginning: Beginning,
    #[command(flatten)]
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(Error::usage(
            "outputs are written to the work tree; leave `--rev` out",
        ));
    }
    let around = around::of(global, output, &[&arguments.program])?;
    let request = up::Request {
        id: surroundings::request_id(),
        cluster: arguments.name.clone(),
        instances: arguments.instances.clone(),
        commit: !arguments.no_commit,
        timeout: arguments.timeout,
        create_remote: arguments.create_remote,
    };
    let mut up = up::begin(&around, &request)?;
    loop {
        let kubeconfig = up.kubeconfig();
        let Some(stage) = up.next()? else {
            return Ok(Exit::Done);
        };
        let given = match stage {
            Stage::Stacks(stacks) => apply(stacks, arguments, &around, output)?,
            Stage::Bootstrap(plan) => {
                let line = format!("cluster bootstrap {}", arguments.name);
                let line = Line::new(&line, arguments).kubeconfig(kubeconfig.as_deref());
                line.must_be_done(bootstrapped(plan, output)?)?;
                Given::default()
            }
            Stage::Instances { around, request } => {
                let selectors = request.target.selection.selectors.join(" ");
                let line = format!("deploy {selectors} --wait");
                let line = Line::new(&line, arguments)
                    .agreed(request.target.selection.selectors.len(), arguments)
                    .kubeconfig(kubeconfig.as_deref());
                line.must_be_done(deployed(around, request, arguments, output)?)?;
                Given::default()
            }
        };
        up.keep(&given)?;
    }
}

fn apply(
    mut stacks: StackStage<'_>,
    arguments: &Arguments,
    around: &Around,
    output: &Output,
) -> Result<Given> {
    let agreed = Agreed {
        to_apply: arguments.yes,
        ..Agreed::default()
    };
    while let Some(mut level) = stacks.next()? {
        let consent = terminal::level(around, &mut level, &agreed, output);
        level.carry_out(&consent)?;
    }
    stacks.end()
}

fn bootstrapped(plan: Plan<'_>, output: &Output) -> Result {
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent)?;
    bootstrap::show(&outcome, output)?;
    Ok(follow::verdict(&outcome.waits).into())
}

fn deployed(
    around: &Around,
    mut request: Request,
    arguments: &Arguments,
    output: &Output,
) -> Result {
    if arguments.yes {
        request.target.expect = Some(request.target.selection.selectors.len());
    }
    request.target = terminal::agreed(request.target.clone(), output, |_| {
        plan::look(around, &request)
    })?;
    let agreed = Agreed {
        first_release: arguments.beginning.first_release,
        ..Agreed::default()
    };
    deploy::carry_out(plan::plan(around, &request)?, &agreed, output)
}

/// A stage as the command that does the same.
struct Line(Vec<String>);

impl Line {
    fn new(command: &str, arguments: &Arguments) -> Self {
        let seconds = arguments.timeout * 60;
        Self(vec![format!("{command} --timeout {seconds}")])
    }

    fn agreed(mut self, instances: usize, arguments: &Arguments) -> Self {
        if arguments.yes {
            self.0.push(format!("--expect {instances}"));
        }
        if arguments.create_remote {
            self.0.push("--create-remote".to_owned());
        }
        if arguments.beginning.first_release {
            self.0.push("--first-release".to_owned());
        }
        self
    }

    fn kubeconfig(mut self, file: Option<&Path>) -> Self {
        let file = file.map(|file| format!("--kubeconfig {}", file.display()));
        self.0.extend(file);
        self
    }

    /// Refuses to go on where it did not end well.
    fn must_be_done(&self, exit: Exit) -> Result<()> {
        let kind = match exit {
            Exit::Done => return Ok(()),
            Exit::Kind(kind) => kind,
            Exit::Command(_) => Kind::Tool,
        };
        Err(Error::new(
            kind,
            format!("`grove {}` did not end well", self.0.join(" ")),
        )
        .hint("run this command again: it goes on from there"))
    }
}
