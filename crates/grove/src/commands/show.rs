//! `grove show`.

use std::fmt::Write as _;

use clap_complete::ArgValueCandidates;
use grove_operations::release::history::{self, Shown};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    options::Remotes,
    output::Output,
};

/// Show one release.
///
/// Prints the release's record: who released it, when, from which commit, with which distribution
/// and images.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove show prod/uni\n\
    \x20 grove show prod/uni@12 --objects")]
pub(crate) struct Arguments {
    /// The release, as `cluster/instance@N`; the running one without `@N`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    release: String,
    /// Print the release's objects, too; secrets are encrypted there.
    #[arg(long)]
    objects: bool,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.remotes])?;
    let request = history::ShowRequest {
        revision: global.rev.clone(),
        release: arguments.release.clone(),
        objects: arguments.objects,
    };
    let shown = history::show(&around, &request)?;
    output.outcome(&shown, || text(&shown))?;
    Ok(Exit::Done)
}

fn text(shown: &Shown) -> String {
    let mut text = shown.record.to_yaml();
    for (name, object) in shown.objects.iter().flatten() {
        let _written = write!(text, "---\n# {name}\n{}", grove_yaml::emit(object));
    }
    text
}
