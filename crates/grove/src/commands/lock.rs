//! `grove lock`.

use clap_complete::ArgValueCandidates;

use crate::{
    cli::Global,
    commands::candidates,
    error::{CommandError, Exit, Result},
    output::Output,
    pipeline::{Steps, cache},
    surroundings,
    workspace::Workspace,
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
        return Err(CommandError::usage(
            "`grove lock` writes to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let distribution = fleet.distributions.get(&arguments.name).ok_or_else(|| {
        let names: Vec<_> = fleet.distributions.keys().map(String::as_str).collect();
        CommandError::usage(format!(
            "no distribution `{}` that can be read",
            arguments.name
        ))
        .hint(if names.is_empty() {
            "`grove new distribution NAME` makes one; `grove check` shows what is wrong".to_owned()
        } else {
            format!(
                "there are: {}; `grove check` shows what is wrong",
                names.join(", ")
            )
        })
    })?;
    let steps = Steps {
        output,
        what: &distribution.name,
    };
    let text = grove_tutor::lock(distribution, &cache()?, &steps)?;
    output.progress_done();
    let path = workspace
        .root
        .join("distributions")
        .join(format!("{}.lock", distribution.name));
    let same = fs_err::read_to_string(&path).is_ok_and(|old| old == text);
    if same {
        output.note(&format!("{} is current", path.display()));
        return Ok(Exit::Done);
    }
    if arguments.check {
        output.note(&format!("{} would change", path.display()));
        return Ok(Exit::No);
    }
    surroundings::write_atomically(&path, &text)?;
    output.note(&format!("wrote {}", path.display()));
    Ok(Exit::Done)
}
