//! `grove completions`.

use clap_complete::{Shell, env::Shells};

use crate::{
    error::{Error, Exit, Result},
    output::Output,
};

/// The variable with which the script asks for what may come next, such as names of the fleet.
pub(crate) const VARIABLE: &str = "GROVE_COMPLETE";

/// Print a shell's completion script.
///
/// It completes commands, options, and names of the fleet that is here.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove completions bash > ~/.local/share/bash-completion/completions/grove\n\
    \x20 grove completions fish > ~/.config/fish/completions/grove.fish")]
pub(crate) struct Arguments {
    /// The shell to write for.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let mut script = Vec::new();
    let shell = arguments.shell.to_string();
    Shells::builtins()
        .completer(&shell)
        .ok_or_else(|| Error::usage(format!("there is no script for `{shell}`")))?
        .write_registration(VARIABLE, "grove", "grove", "grove", &mut script)?;
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
