//! `grove new`.

use clap::builder::PossibleValuesParser;
use grove_fleet::model::Environment;
use grove_operations::fleet::new::{distribution, group, instance};

use super::cluster;
use crate::{
    around,
    error::{Error, Exit, Result},
    global::Global,
    output::Output,
    terminal,
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
        return Err(Error::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let around = around::of(global, output, &[])?;
    let (plan, next) = match &arguments.command {
        Command::Cluster(arguments) => return cluster::new::run(arguments, global, output),
        Command::Distribution(arguments) => (
            distribution::plan(&around, &arguments.request(global))?,
            Some(format!("`grove lock {}`", arguments.name)),
        ),
        Command::Group(arguments) => (group::plan(&around, &arguments.request(global))?, None),
        Command::Instance(arguments) => (
            instance::plan(&around, &arguments.request(global))?,
            Some(format!(
                "`grove secret generate {}`, `grove check`",
                arguments.address
            )),
        ),
    };
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    if let Some(next) = next {
        output.note(&format!("next: {next}"));
    }
    Ok(Exit::Done)
}

impl DistributionArguments {
    fn request(&self, global: &Global) -> distribution::Request {
        distribution::Request {
            id: global.request_id(),
            name: self.name.clone(),
            release: self.release.clone(),
            tutor: self.tutor.clone(),
            plugins: self.plugins.clone(),
        }
    }
}

impl GroupArguments {
    fn request(&self, global: &Global) -> group::Request {
        group::Request {
            id: global.request_id(),
            name: self.name.clone(),
        }
    }
}

impl InstanceArguments {
    fn request(&self, global: &Global) -> instance::Request {
        instance::Request {
            id: global.request_id(),
            instance: self.address.clone(),
            client: self.client.clone(),
            environment: self.environment.clone(),
            groups: self.groups.clone(),
            ring: self.ring.clone(),
            distribution: self.distribution.clone(),
            host: self.host.clone(),
            platform_name: self.platform_name.clone(),
        }
    }
}
