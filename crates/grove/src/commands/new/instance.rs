//! `grove new instance`.

use clap::builder::PossibleValuesParser;
use grove_fleet::model::Environment;
use grove_operations::fleet::new::instance::{self, Request};

use crate::{
    error::{Exit, Result},
    global::Global,
    output::Output,
    surroundings, terminal,
};

/// An instance, with its identity, which never changes.
///
/// What runs is named after its identity, so a change of that is refused. `grove secret generate`
/// makes its secrets.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove new instance prod/uni --distribution verawood-1 --host learn.uni.example\n\
    \x20 grove new instance prod/uni-next --ring canary --group unis --client uni")]
pub(super) struct Arguments {
    /// Where, as `cluster/instance`.
    address: String,
    /// Whom it belongs to; the instance's name where nothing is said.
    #[arg(long)]
    client: Option<String>,
    /// What it is for.
    #[arg(
        long,
        default_value = instance::ENVIRONMENT,
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
    #[arg(long, default_value = instance::PLATFORM_NAME)]
    platform_name: String,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = surroundings::around(global, output, &[])?;
    let request = Request {
        id: None,
        address: arguments.address.clone(),
        client: arguments.client.clone(),
        environment: arguments.environment.clone(),
        groups: arguments.groups.clone(),
        ring: arguments.ring.clone(),
        distribution: arguments.distribution.clone(),
        host: arguments.host.clone(),
        platform_name: arguments.platform_name.clone(),
    };
    let plan = instance::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    output.note(&format!(
        "next: `grove secret generate {}`, `grove check`",
        arguments.address
    ));
    Ok(Exit::Done)
}
