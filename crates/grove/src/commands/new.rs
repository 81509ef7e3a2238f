//! `grove new`.

use std::collections::BTreeMap;

use clap::builder::PossibleValuesParser;
use grove_fleet::{
    model::{Environment, Identity},
    scaffold::{self, Files, NewDistribution, NewInstance},
};
use grove_seal::keys::new_token;

use crate::{
    cli::Global,
    commands::{cluster, init, rollback},
    error::{CommandError, Exit, Result},
    output::Output,
    workspace::Workspace,
};

/// Make a new cluster, distribution, group or instance.
///
/// Writes commented, valid files. Nothing that is there is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove new cluster prod\n\
    \x20 grove new distribution verawood-1\n\
    \x20 grove new instance prod/uni --distribution verawood-1 --host learn.uni.example")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(after_help = "Examples:\n\
        \x20 grove new cluster prod\n\
        \x20 grove new cluster prod --provider aws --domain prod.acme.example")]
    Cluster(cluster::new::Arguments),
    Distribution(DistributionArguments),
    Group(GroupArguments),
    Instance(InstanceArguments),
}

/// A distribution: which Tutor, which plugins.
///
/// Several instances share one. What was released with it stays: another set is a new distribution.
/// `grove lock` resolves it to exact packages.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove new distribution verawood-1\n\
    \x20 grove new distribution verawood-2 --plugin tutor-mfe==22.1.0 --plugin tutor-forum==22.0.0")]
struct DistributionArguments {
    /// Its name; a new set is a new name, so end it in a number: `verawood-1`.
    name: String,
    /// The Open edX release, in lower case.
    #[arg(long, default_value = "verawood")]
    release: String,
    /// Tutor's version.
    #[arg(long, default_value = "22.0.3")]
    tutor: String,
    /// A plugin's package and version, as `tutor-mfe==22.1.0`; may be given several times.
    #[arg(long = "plugin", value_name = "PACKAGE==VERSION", default_values = ["tutor-mfe==22.1.0", "tutor-indigo==22.0.0"])]
    plugins: Vec<String>,
}

/// A group: settings that instances share.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n\
    \x20 grove new group unis")]
struct GroupArguments {
    /// Its name: lower-case letters, digits and dashes.
    name: String,
}

/// An instance, with its identity, which never changes.
///
/// What runs is named after its identity, so a change of that is refused. `grove secret generate`
/// makes its secrets.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove new instance prod/uni --distribution verawood-1 --host learn.uni.example\n\
    \x20 grove new instance prod/uni-next --ring canary --group unis --client uni")]
struct InstanceArguments {
    /// Where, as `cluster/instance`.
    address: String,
    /// Whom it belongs to; the instance's name where nothing is said.
    #[arg(long)]
    client: Option<String>,
    /// What it is for.
    #[arg(
        long,
        default_value = "staging",
        value_parser = PossibleValuesParser::new(Environment::ALL.map(Environment::name))
    )]
    environment: String,
    /// A group whose settings it shares; may be given several times.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Its ring.
    #[arg(long)]
    ring: Option<String>,
    /// Its distribution, where no earlier layer names one.
    #[arg(long)]
    distribution: Option<String>,
    /// The LMS's host; Studio and the MFEs get `studio.` and `apps.` in front of it.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// The site's name.
    #[arg(long, default_value = "Open edX")]
    platform_name: String,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    match &arguments.command {
        Command::Cluster(arguments) => cluster::new::make(arguments, &workspace, output)?,
        Command::Distribution(arguments) => {
            valid(&arguments.name)?;
            let plugins = arguments
                .plugins
                .iter()
                .map(|plugin| {
                    let (package, version) = plugin.split_once("==").ok_or_else(|| {
                        CommandError::usage(format!("`{plugin}` is not `PACKAGE==VERSION`"))
                    })?;
                    Ok((package.to_owned(), version.to_owned()))
                })
                .collect::<Result<BTreeMap<_, _>>>()?;
            let files = scaffold::distribution(NewDistribution {
                name: &arguments.name,
                release: &arguments.release,
                tutor: &arguments.tutor,
                plugins: &plugins,
            });
            write(&workspace, &files, output)?;
            output.note(&format!("next: `grove lock {}`", arguments.name));
        }
        Command::Group(arguments) => {
            valid(&arguments.name)?;
            write(&workspace, &scaffold::group(&arguments.name), output)?;
        }
        Command::Instance(arguments) => instance(arguments, &workspace, output)?,
    }
    Ok(Exit::Done)
}

fn instance(arguments: &InstanceArguments, workspace: &Workspace, output: &Output) -> Result<()> {
    let address = rollback::address(&arguments.address)?;
    valid(&address.instance)?;
    let fleet = workspace.check()?.fleet;
    let cluster = rollback::find_cluster(&fleet, &address.cluster)?;
    let environment = Environment::from_name(&arguments.environment).ok_or_else(|| {
        CommandError::usage(format!("`{}` is not an environment", arguments.environment))
    })?;
    let lms = match (&arguments.host, &cluster.domain) {
        (Some(host), _) => host.clone(),
        (None, Some(domain)) => format!("{}.{domain}", address.instance),
        (None, None) => {
            return Err(CommandError::usage("say the LMS's host with `--host`")
                .hint("a cluster with a `domain` gives its instances hosts below it"));
        }
    };
    let groups: Vec<&str> = arguments.groups.iter().map(String::as_str).collect();
    let identity = Identity {
        namespace: address.instance.clone(),
        id: new_token(24).expose().to_owned(),
    };
    let files = scaffold::instance(NewInstance {
        address: &address,
        client: arguments.client.as_deref().unwrap_or(&address.instance),
        environment,
        groups: &groups,
        ring: arguments.ring.as_deref(),
        distribution: arguments.distribution.as_deref(),
        identity: &identity,
        lms: &lms,
        plugins: &["mfe", "indigo"],
        platform_name: &arguments.platform_name,
    });
    write(workspace, &files, output)?;
    output.note(&format!(
        "next: `grove secret generate {address}`, `grove check`"
    ));
    Ok(())
}

/// Writes new files of a fleet that the check finds nothing wrong with.
pub(super) fn write(workspace: &Workspace, files: &Files, output: &Output) -> Result<()> {
    init::refuse_existing(&workspace.root, files.keys().map(String::as_str))?;
    init::refuse_unsound(&workspace.snapshot, files, output)?;
    init::write(&workspace.root, files, output)
}

/// Names become names of Kubernetes objects and directories.
pub(super) fn valid(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
        && !name.ends_with('-')
        && name.len() <= 40
    {
        return Ok(());
    }
    Err(CommandError::usage(format!("`{name}` cannot be a name"))
        .hint("at most 40 lower-case letters, digits and dashes, beginning with a letter"))
}
