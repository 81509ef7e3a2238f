//! `grove cluster up`.

use std::{collections::BTreeSet, path::Path, time::Duration};

use clap::Parser as _;
use clap_complete::ArgValueCandidates;
use grove_fleet::{Address as InstanceAddress, layout};
use grove_stack::{
    root::{Resolved, resolve},
    stack::{Address, Reference},
};

use crate::{
    cli::{Cli, Global},
    commands::{self, candidates, rollback::find_cluster, stack::apply},
    error::{CommandError, Exit, Result},
    fleet_commit::{self, git},
    output::Output,
    stacks::{Program, Stacks},
    surroundings,
    workspace::Workspace,
};

/// The stack whose outputs say how a cluster is reached, and their names.
pub(super) const CLUSTER: &str = "cluster";
const SERVER: &str = "server";
const KUBECONFIG: &str = "kubeconfig";

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
    program: Program,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "outputs are written to the work tree; leave `--rev` out",
        ));
    }
    let name = &arguments.name;
    let instances = instances(arguments, global, output)?;
    refuse_edited(arguments, global)?;

    // The cluster's own stacks, then what they gave.
    stage(output, name, "stacks");
    let own = |address: &Address| address.cluster == *name && address.instance.is_none();
    let kubeconfig = stacks(arguments, global, output, &own)?;
    keep(
        arguments,
        global,
        &format!("What the stacks of {name} gave"),
        output,
    )?;

    stage(output, name, "bootstrap");
    let minutes = (arguments.timeout * 60).to_string();
    let reach: Vec<String> = kubeconfig
        .iter()
        .flat_map(|file| ["--kubeconfig".to_owned(), file.path().display().to_string()])
        .collect();
    let mut words = vec!["cluster", "bootstrap", name, "--timeout", &minutes];
    words.extend(reach.iter().map(String::as_str));
    command(&words, global, output)?;
    keep(
        arguments,
        global,
        &format!("{name} is the cluster that was bootstrapped"),
        output,
    )?;

    if instances.is_empty() {
        output.note(&format!(
            "{name} has no instance yet: `grove new instance {name}/NAME`"
        ));
        return Ok(Exit::Done);
    }
    stage(output, name, "stacks of instances");
    let of_instances = |address: &Address| {
        let instance = address.instance.as_ref();
        address.cluster == *name && instance.is_some_and(|instance| instances.contains(instance))
    };
    drop(stacks(arguments, global, output, &of_instances)?);
    keep(
        arguments,
        global,
        &format!("What the stacks of instances of {name} gave"),
        output,
    )?;

    stage(output, name, "instances");
    let selected: Vec<String> = instances
        .iter()
        .map(|instance| format!("{name}/{instance}"))
        .collect();
    let expected = selected.len().to_string();
    let mut words = vec!["deploy"];
    words.extend(selected.iter().map(String::as_str));
    words.extend(["--wait", "--timeout", &minutes]);
    if arguments.yes {
        words.extend(["--expect", &expected]);
    }
    if arguments.create_remote {
        words.push("--create-remote");
    }
    words.extend(reach.iter().map(String::as_str));
    // Bootstrap's second root needs what is deployed; it is there now.
    command(&words, global, output)
}

pub(super) fn stage(output: &Output, name: &str, what: &str) {
    output.note(&format!("{name}: {what}"));
}

/// The instances that are brought up.
fn instances(arguments: &Arguments, global: &Global, output: &Output) -> Result<BTreeSet<String>> {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    find_cluster(&fleet, &arguments.name)?;
    for instance in &arguments.instances {
        let address = InstanceAddress::new(&arguments.name, instance);
        if !fleet.instances.contains_key(&address) {
            return Err(CommandError::usage(format!(
                "there is no instance `{address}`"
            )));
        }
    }
    if !arguments.instances.is_empty() {
        return Ok(arguments.instances.iter().cloned().collect());
    }
    let all = fleet
        .instances
        .keys()
        .filter(|address| address.cluster == arguments.name);
    Ok(all.map(|address| address.instance.clone()).collect())
}

/// Applies stacks, records where the API server is, and writes the kubeconfig that they gave to a file
/// that only this process uses; none where the user's own is meant.
fn stacks(
    arguments: &Arguments,
    global: &Global,
    output: &Output,
    wanted: &dyn Fn(&Address) -> bool,
) -> Result<Option<tempfile::NamedTempFile>> {
    let workspace = Workspace::open(global)?;
    let mut stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let selected: Vec<Address> = stacks
        .fleet
        .stacks
        .keys()
        .filter(|one| wanted(one))
        .cloned()
        .collect();
    let how = apply::How {
        force: false,
        destroy: false,
        yes: arguments.yes,
        confirmed: BTreeSet::new(),
        limit: Duration::from_secs(arguments.timeout * 60),
        parallel: 4,
        lock_timeout: "0s".to_owned(),
    };
    let mut rows = Vec::new();
    let errors = apply::apply(&mut stacks, &selected, &how, &mut rows)?;
    for row in &rows {
        output.note(&format!("{}: {}", row.address, row.state));
    }
    commands::stack::fail(errors, output)?;
    record(&stacks, &arguments.name, &workspace)?;
    kubeconfig(&stacks, &arguments.name)
}

fn reference(output: &str) -> Reference {
    Reference {
        stack: CLUSTER.to_owned(),
        output: output.to_owned(),
    }
}

/// Refuses to begin while `cluster.yaml` has changes that are the user's to commit: this command commits
/// what it writes there.
fn refuse_edited(arguments: &Arguments, global: &Global) -> Result<()> {
    let workspace = Workspace::open(global)?;
    let file = layout::cluster(&arguments.name);
    let now = fs_err::read_to_string(workspace.root.join(&file))?;
    let head = git(&workspace.root, &["show", &format!("HEAD:./{file}")]);
    // Which cluster it is may have been written by a run that was stopped.
    let own =
        |text: &str| grove_yaml::remove(text, &["kubernetes"]).unwrap_or_else(|_| text.to_owned());
    if arguments.no_commit || head.is_ok_and(|head| own(&head).trim() == own(&now).trim()) {
        return Ok(());
    }
    Err(
        CommandError::refused(format!("`{file}` has changes that are in no commit"))
            .hint("commit them first: this command commits what stacks give, beside them"),
    )
}

/// Writes the address of the API server into `cluster.yaml`, where its stack gave one.
fn record(stacks: &Stacks<'_>, name: &str, workspace: &Workspace) -> Result<()> {
    let server = match resolve(&reference(SERVER), name, None, &stacks.fleet.stacks) {
        Ok(Resolved::Plain(serde_json::Value::String(server))) if !server.is_empty() => server,
        _ => return Ok(()),
    };
    let stated = stacks
        .fleet
        .clusters
        .get(name)
        .and_then(|cluster| cluster.server.as_ref());
    if stated == Some(server) {
        return Ok(());
    }
    let file = layout::cluster(name);
    let path = workspace.root.join(&file);
    let text = fs_err::read_to_string(&path)?;
    let text = grove_yaml::set(&text, &["kubernetes", "server"], &server.as_str().into()).map_err(
        |error| {
            CommandError::from_error(Exit::No, &error).context(format!("`{file}` cannot be edited"))
        },
    )?;
    surroundings::write_atomically(&path, &text)
}

/// The kubeconfig that the cluster's stack gave.
pub(super) fn kubeconfig(
    stacks: &Stacks<'_>,
    name: &str,
) -> Result<Option<tempfile::NamedTempFile>> {
    let address = Address::of_cluster(name, CLUSTER);
    let text = match resolve(&reference(KUBECONFIG), name, None, &stacks.fleet.stacks) {
        Ok(Resolved::Sensitive { .. }) => {
            let kept = stacks.sensitive(&address, KUBECONFIG)?;
            serde_json::from_str::<String>(kept.expose()).map_err(|error| {
                CommandError::from_error(Exit::No, &error)
                    .context(format!("`{KUBECONFIG}` of `{address}` is no text"))
            })?
        }
        _ => return Ok(None),
    };
    let mut file = tempfile::Builder::new()
        .prefix("grove-kubeconfig-")
        .tempfile()?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(Some(file))
}

/// Runs another command of Grove's, as a user would.
fn command(words: &[&str], global: &Global, output: &Output) -> Result {
    let mut line = vec!["grove".to_owned()];
    line.extend(words.iter().map(|word| (*word).to_owned()));
    let mut cli = Cli::try_parse_from(line)
        .map_err(|error| CommandError::new(Exit::Bug, error.to_string()))?;
    cli.global = global.clone();
    match commands::run(&cli, output)? {
        Exit::Done => Ok(Exit::Done),
        exit => Err(CommandError::new(
            exit,
            format!("`grove {}` did not end well", words.join(" ")),
        )
        .hint("run this command again: it goes on from there")),
    }
}

/// Commits what was written of the fleet, where anything was and the user lets it.
fn keep(arguments: &Arguments, global: &Global, message: &str, output: &Output) -> Result<()> {
    if !arguments.no_commit {
        return commit(global, &arguments.name, message, output);
    }
    let workspace = Workspace::open(global)?;
    let files = written(&workspace, &arguments.name)?;
    if files.is_empty() {
        return Ok(());
    }
    Err(
        CommandError::refused(format!("not committed: {}", files.join(", ")))
            .hint("commit and push it, then run this command again"),
    )
}

/// Commits what these commands write of a cluster's files, and pushes it where the branch has an upstream:
/// a deploy takes nothing else.
pub(super) fn commit(global: &Global, name: &str, message: &str, output: &Output) -> Result<()> {
    let workspace = Workspace::open(global)?;
    let root = &workspace.root;
    let files = written(&workspace, name)?;
    if files.is_empty() {
        return Ok(());
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    fleet_commit::commit(Path::new(top.trim()), &files, message, output)
}

/// The files of a cluster that changed and are these commands' own, from the repository's root.
fn written(workspace: &Workspace, name: &str) -> Result<Vec<String>> {
    let directory = format!("clusters/{name}");
    let words = [
        "status",
        "--porcelain",
        "--untracked-files=all",
        "--",
        &directory,
    ];
    let changed = git(&workspace.root, &words)?;
    let files = changed.lines().filter_map(|line| line.get(3..));
    Ok(files
        .map(|file| file.trim_matches('"').to_owned())
        .filter(|file| is_written(file))
        .collect())
}

/// Whether a changed file is one that stacks and a bootstrap write; what else was edited is the user's to
/// commit.
fn is_written(file: &str) -> bool {
    file.contains("/outputs/")
        || file.ends_with(".terraform.lock.hcl")
        || file.ends_with("/cluster.yaml")
}
