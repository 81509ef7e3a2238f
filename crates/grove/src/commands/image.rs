//! `grove image`.

mod context;
mod credentials;
mod plan;

use crate::{error::Result, global::Global, output::Output};

/// See what images are built from, and hand it to a builder.
///
/// Grove builds no image: any CI can, from the directory that `context` writes. An image is named by what
/// it is built from, so instances that need the same share one; its digest says which build it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image plan prod\n\
    \x20 grove image context prod/uni openedx --out context\n\
    \x20 grove image credentials prod/uni")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Plan(plan::Arguments),
    Context(context::Arguments),
    Credentials(credentials::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Plan(arguments) => plan::run(arguments, global, output),
        Command::Context(arguments) => context::run(arguments, global, output),
        Command::Credentials(arguments) => credentials::run(arguments, global, output),
    }
}
