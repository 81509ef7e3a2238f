//! `grove new distribution`.

use grove_operations::fleet::new::distribution::{self, Request};

use crate::{
    error::{Exit, Result},
    global::Global,
    output::Output,
    surroundings, terminal,
};

/// A distribution: which Tutor, which plugins.
///
/// Several instances share one. What was released with it stays: another set is a new distribution.
/// `grove lock` resolves it to exact packages.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove new distribution verawood-1\n\
    \x20 grove new distribution verawood-2 --plugin tutor-mfe==22.1.0 --plugin tutor-forum==22.0.0")]
pub(super) struct Arguments {
    /// Its name; a new set is a new name, so end it in a number: `verawood-1`.
    name: String,
    /// The Open edX release, in lower case.
    #[arg(long, default_value = distribution::RELEASE)]
    release: String,
    /// Tutor's version.
    #[arg(long, default_value = distribution::TUTOR)]
    tutor: String,
    /// A plugin's package and version, as `tutor-mfe==22.1.0`; may be given several times.
    #[arg(long = "plugin", value_name = "PACKAGE==VERSION", default_values = distribution::PLUGINS)]
    plugins: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = surroundings::around(global, output, &[])?;
    let request = Request {
        id: None,
        name: arguments.name.clone(),
        release: arguments.release.clone(),
        tutor: arguments.tutor.clone(),
        plugins: arguments.plugins.clone(),
    };
    let plan = distribution::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    output.note(&format!("next: `grove lock {}`", arguments.name));
    Ok(Exit::Done)
}
