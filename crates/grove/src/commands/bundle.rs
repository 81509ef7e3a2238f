//! `grove bundle`.

use std::path::PathBuf;

use grove_operations::{
    shared::bundle::{self, Listed, Outcome},
    text::count,
};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::Lock,
    output::Output,
};

/// Fetch what `grove cluster bootstrap` installs.
///
/// A bundle is a lock file: names, versions, upstream's addresses and SHA-256 of install manifests.
/// Grove carries one; each file is kept in the cache once it is what the lock says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove bundle pull\n\
    \x20 grove bundle pull --from /media/bundle")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Pull(Pull),
    List(List),
}

/// Bring the bundle's files into the cache.
///
/// From upstream's addresses by `curl`, or from a directory that holds
/// `<name>/<version>/<file>`, for a network without the internet. A file whose SHA-256 is not the
/// lock's is refused.
#[derive(Debug, clap::Args)]
struct Pull {
    /// Take the files from this directory.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Only this version of this engine, as `argocd@3.6.1`; may be given several times.
    ///
    /// Default: the versions that a cluster gets which states none.
    #[arg(long, value_name = "NAME@VERSION")]
    only: Vec<String>,
    #[command(flatten)]
    lock: Lock,
}

/// List what the bundle has, and what of it is here.
#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    lock: Lock,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Pull(arguments) => pull(arguments, global, output),
        Command::List(arguments) => list(arguments, global, output),
    }
}

fn pull(arguments: &Pull, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = bundle::Request {
        only: arguments.only.clone(),
    };
    let lock = arguments.lock.lock.as_deref();
    let outcome = bundle::pull(&around, &request, lock, arguments.from.as_deref())?;
    show(&outcome, output)?;
    Ok(Exit::Done)
}

/// Shows what was brought.
pub(super) fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    output.outcome(outcome, || {
        format!(
            "{}, {} of them new\n",
            count(outcome.files, "file"),
            outcome.fetched
        )
    })
}

fn list(arguments: &List, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let outcome = bundle::list(&around, arguments.lock.lock.as_deref())?;
    output.outcome(&outcome, || outcome.files.iter().map(line).collect())?;
    Ok(Exit::Done)
}

fn line(file: &Listed) -> String {
    format!(
        "{} {}{}  {}  {}\n",
        file.name,
        file.version,
        if file.default { " (default)" } else { "" },
        file.file,
        if file.here { "here" } else { "not pulled" },
    )
}
