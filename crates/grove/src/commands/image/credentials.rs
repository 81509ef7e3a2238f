//! `grove image credentials`.

use clap_complete::ArgValueCandidates;
use zeroize::Zeroizing;

use super::fleet;
use crate::{
    cli::Global,
    commands::{candidates, rollback},
    error::{CommandError, Exit, Result},
    output::Output,
    secrets::Secrets,
    workspace::Workspace,
};

/// Print the credentials that an image is built with.
///
/// For the builder's secret `netrc`, in the form of a `.netrc`, which Python's installers, Git and curl
/// read. It holds passwords: give it to the builder by the environment or a pipe, as the last line of
/// `grove image context` does, and keep it nowhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image credentials prod/uni")]
pub(super) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = fleet(&workspace, output)?;
    let instance = rollback::find(&fleet, &rollback::address(&arguments.instance)?)?;
    let secrets = Secrets::new(&workspace, &fleet);
    let mut text = Zeroizing::new(String::new());
    for (host, login) in &instance.build.credentials {
        let name = &login.password;
        let reference = instance.secrets.get(name).ok_or_else(|| {
            CommandError::new(
                Exit::Bug,
                format!("a checked fleet lacks the secret `{name}`"),
            )
        })?;
        let password = secrets.value(reference)?;
        // A word ends at a blank, and readers do not agree on how a quote is written.
        let is_word = |c: char| c.is_ascii_graphic() && !"\"'\\#".contains(c);
        if password.expose().is_empty() || !password.expose().chars().all(is_word) {
            return Err(CommandError::new(
                Exit::No,
                format!("the value of `{name}` cannot stand in a `.netrc`"),
            )
            .hint("tokens of forges and indexes have letters, digits and dashes; blanks, quotes and `#` do not pass"));
        }
        // It names no port.
        let machine = host.split(':').next().unwrap_or(host);
        for word in [
            "machine ",
            machine,
            " login ",
            &login.user,
            " password ",
            password.expose(),
            "\n",
        ] {
            text.push_str(word);
        }
    }
    if text.is_empty() {
        return Err(
            CommandError::refused(format!("{} states no credentials", instance.address))
                .hint("`build: {credentials: {HOST: {user: …, password: {secret: NAME}}}}`"),
        );
    }
    output.print(&text)?;
    Ok(Exit::Done)
}
