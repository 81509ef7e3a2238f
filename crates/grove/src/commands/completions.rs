//! `grove completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    cli::Cli,
    error::{Exit, Result},
    output::Output,
};

/// Print a shell's completion script.
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
    clap_complete::generate(arguments.shell, &mut Cli::command(), "grove", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
