//! `grove render`.

use std::fmt::Write as _;

use std::path::PathBuf;

use grove_operations::{
    render::directory::{Outcome, Request, write},
    text::count,
};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::Selection,
    output::{Output, is_json},
};

/// Render instances to plain YAML, without secrets.
///
/// Runs the real Tutor and Grove's own passes, and writes one object a file. A secret's place is
/// marked with its name, so no key is needed. Without a selection, every instance is rendered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove render --out ../rendered\n\
    \x20 grove render prod/uni --out ../rendered")]
pub(crate) struct Arguments {
    /// Where the trees go, as `DIR/<cluster>/{apps,instances}/…`; files there that a render would
    /// not write are removed from the instances that it renders.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Render anew what the cache has, and keep nothing there.
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        anew: arguments.no_cache,
    };
    show(write(&around, &request, &arguments.out)?, output)?;
    Ok(Exit::Done)
}

/// Shows what was rendered; an error where the next one could not be.
pub(super) fn show(mut outcome: Outcome, output: &Output) -> Result<()> {
    let failure = outcome.failure.take();
    // A document of a part would pass for the whole.
    if failure.is_none() || !is_json(output) {
        output.outcome(&outcome, || {
            let mut text = String::new();
            for row in &outcome.instances {
                let objects = count(row.objects, "object");
                let secrets = count(row.secrets.len(), "secret");
                let _written = writeln!(text, "{}: {objects}, {secrets}", row.instance);
            }
            text
        })?;
    }
    failure.map_or(Ok(()), Err)
}
