//! `grove image plan`.

use grove_operations::images::plan::{self, Outcome, Request, State};

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::Selection,
    output::Output,
};

/// Show which images instances need, and whether theirs are the ones.
///
/// What an instance names in `images` is compared by its tag, where Grove gave it. Ends with exit code 1
/// where one is built from something else than the fleet says now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image plan prod\n\
    \x20 grove image plan --all --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
    };
    let outcome = plan::read(&around, &request)?;
    output.outcome(&outcome, || text(&outcome))?;
    Ok(if outcome.has_old() {
        Exit::Kind(Kind::No)
    } else {
        Exit::Done
    })
}

fn text(outcome: &Outcome) -> String {
    let mut lines = Vec::new();
    for image in &outcome.images {
        lines.push(format!("{}\n", image.image));
        for row in &image.instances {
            lines.push(format!("  {}: {}\n", row.instance, words(row.state)));
        }
    }
    lines.concat()
}

fn words(state: State) -> &'static str {
    match state {
        State::Current => "current",
        State::Other => "built from something else",
        State::Unknown => "not known what it was built from",
        State::Plain => "Tutor's own",
    }
}
