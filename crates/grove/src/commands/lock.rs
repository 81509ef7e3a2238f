//! `grove lock`.

use clap_complete::ArgValueCandidates;
use grove_operations::fleet::lock::{self, Request};

use crate::{
    around, candidates,
    error::{Error, Exit, Kind, Result},
    global::Global,
    output::Output,
    terminal,
};

/// Resolve a distribution to exact, hashed packages.
///
/// Resolves its Tutor, plugins and packages to exact versions with hashes, and writes them beside
/// it. Commit the lock: environments are made from it alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove lock verawood-1\n\
    \x20 grove lock verawood-1 --check")]
pub(crate) struct Arguments {
    /// The distribution: `NAME` of `distributions/NAME.yaml`.
    #[arg(add = ArgValueCandidates::new(candidates::distributions))]
    name: String,
    /// Say whether the lock would change, and change nothing; exit code 1 if it would.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(Error::usage(
            "`grove lock` writes to the work tree; leave `--rev` out",
        ));
    }
    let around = around::of(global, output, &[])?;
    let request = Request {
        id: global.request_id(),
        name: arguments.name.clone(),
    };
    let plan = lock::plan(&around, &request)?;
    let outcome = plan.outcome();
    let path = around.fleet()?.join(&outcome.file);
    if !outcome.is_changed {
        output.note(&format!("{} is current", path.display()));
        return Ok(Exit::Done);
    }
    if arguments.check {
        output.note(&format!("{} would change", path.display()));
        return Ok(Exit::Kind(Kind::No));
    }
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    output.note(&format!("wrote {}", path.display()));
    Ok(Exit::Done)
}
