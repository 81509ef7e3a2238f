//! `grove cluster down`.

use std::{
    collections::BTreeSet,
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use clap_complete::ArgValueCandidates;
use grove_cluster::teardown;
use grove_fleet::{layout, model::Cluster};
use grove_stack::stack::Address;

use super::up;
use crate::{
    cli::Global,
    commands::{self, candidates, rollback::find_cluster, stack::apply},
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    output::{Output, count},
    stacks::{Program, Stacks},
    surroundings,
    workspace::Workspace,
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
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let name = &arguments.name;
    let workspace = Workspace::open(global)?;
    let mut stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let cluster = find_cluster(&stacks.fleet, name)?.clone();
    let instances: Vec<&grove_fleet::model::Instance> = stacks
        .fleet
        .instances
        .values()
        .filter(|instance| instance.address.cluster == *name)
        .collect();
    agree(arguments, instances.len(), output)?;
    let namespaces: BTreeSet<String> = instances
        .iter()
        .map(|instance| instance.identity.namespace.clone())
        .collect();

    let made = stacks
        .fleet
        .stacks
        .get(&Address::of_cluster(name, up::CLUSTER));
    // One that somebody else made is not emptied: others may live there.
    if made.is_some_and(|stack| stack.module().is_some() && stack.outputs.is_some()) {
        up::stage(output, name, "what runs there");
        let kubeconfig = up::kubeconfig(&stacks, name)?;
        let reach = Reach {
            kubeconfig: kubeconfig.as_ref().map(|file| file.path().to_owned()),
            context: None,
        };
        empty(arguments, &reach, &cluster, &namespaces, output)?;
    }

    for (what, of_instances) in [("stacks of instances", true), ("stacks", false)] {
        up::stage(output, name, what);
        let selected: Vec<Address> = stacks
            .fleet
            .stacks
            .iter()
            .filter(|(address, stack)| {
                address.cluster == *name
                    && address.instance.is_some() == of_instances
                    && stack.module().is_some()
                    && stack.outputs.is_some()
            })
            .map(|(address, _)| address.clone())
            .collect();
        let how = apply::How {
            force: false,
            destroy: true,
            yes: true,
            confirmed: selected.iter().map(ToString::to_string).collect(),
            limit: Duration::from_secs(arguments.timeout * 60),
            parallel: 4,
            lock_timeout: "0s".to_owned(),
        };
        let mut rows = Vec::new();
        let errors = apply::apply(&mut stacks, &selected, &how, &mut rows)?;
        for row in &rows {
            output.print(&format!("{}: {}\n", row.address, row.state))?;
        }
        commands::stack::fail(errors, output)?;
    }
    // The next cluster of this name is another one.
    let file = layout::cluster(name);
    let path = workspace.root.join(&file);
    let text = fs_err::read_to_string(&path)?;
    if (cluster.uid.is_some() || cluster.server.is_some()) && made_by_stack(&stacks, name) {
        let text = grove_yaml::remove(&text, &["kubernetes"]).map_err(|error| {
            CommandError::from_error(Exit::No, &error).context(format!("`{file}` cannot be edited"))
        })?;
        surroundings::write_atomically(&path, &text)?;
    }
    if !arguments.no_commit {
        up::commit(global, name, &format!("{name} was taken down"), output)?;
    }
    Ok(Exit::Done)
}

fn made_by_stack(stacks: &Stacks<'_>, name: &str) -> bool {
    let stack = stacks
        .fleet
        .stacks
        .get(&Address::of_cluster(name, up::CLUSTER));
    stack.is_some_and(|stack| stack.module().is_some())
}

/// Refuses without the cluster's name and the number of its instances.
fn agree(arguments: &Arguments, instances: usize, output: &Output) -> Result<()> {
    let name = &arguments.name;
    if let Some(expected) = arguments.expect
        && expected != instances
    {
        return Err(CommandError::refused(format!(
            "`{name}` has {}, {expected} were expected",
            count(instances, "instance")
        )));
    }
    if arguments.confirm.as_ref() == Some(name) && (arguments.expect.is_some() || instances == 0) {
        return Ok(());
    }
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        output.warn(&format!(
            "this destroys `{name}` with {} and everything that they hold",
            count(instances, "instance")
        ));
        let mut stderr = anstream::stderr();
        write!(stderr, "Type the cluster's name to go on: ")?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if answer.trim() == name {
            return Ok(());
        }
    }
    Err(CommandError::refused(format!(
        "nobody agreed to destroy `{name}` with {}",
        count(instances, "instance")
    ))
    .hint(format!(
        "in a script, say `--confirm {name} --expect {instances}`"
    )))
}

/// Takes down what the cluster made at its provider, and proves that it is gone.
fn empty(
    arguments: &Arguments,
    reach: &Reach,
    cluster: &Cluster,
    namespaces: &BTreeSet<String>,
    output: &Output,
) -> Result<()> {
    let limit = Duration::from_secs(arguments.timeout * 60);
    let emptied = block_on(async {
        let connection = reach.connect(cluster).await?;
        let say = |text: &str| output.progress(text);
        let argocd = &cluster.argocd_namespace;
        Ok(teardown::empty(&connection, argocd, namespaces, limit, &say).await?)
    });
    output.progress_done();
    match emptied {
        Ok(left) if left.is_empty() => Ok(()),
        Ok(left) if arguments.leave => {
            output.warn(&format!("left: {left}"));
            Ok(())
        }
        Ok(left) => Err(CommandError::new(
            Exit::OutOfTime,
            format!("still there: {left}; nothing of the stacks was destroyed"),
        )
        .hint("remove them by hand and run this again; `--leave` goes on without")),
        Err(error) if arguments.unreachable && error.exit == Exit::Tool => {
            output.warn(&format!("{error}: what it made at the provider may stay there"));
            Ok(())
        }
        Err(error) => Err(error.hint(
            "`--unreachable` goes on without the cluster: its load balancers and volumes may stay at the provider",
        )),
    }
}
