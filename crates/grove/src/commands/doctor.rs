//! `grove doctor`.

use grove_operations::machine::{self, Item};

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    output::Output,
};

/// Check that this machine has what Grove needs.
///
/// Looks for the programs that Grove calls and says what this machine can confine. Changes nothing;
/// the exit code is 1 where something needed is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let outcome = machine::read(&around);
    output.outcome(&outcome, || outcome.items.iter().map(line).collect())?;
    Ok(if outcome.is_lacking() {
        Exit::Kind(Kind::No)
    } else {
        Exit::Done
    })
}

fn line(item: &Item) -> String {
    let (mark, text) = match (&item.found, &item.problem) {
        (Some(text), _) => ("ok     ", text.as_str()),
        (None, problem) if item.needed => ("missing", problem.as_deref().unwrap_or_default()),
        (None, _) => ("absent ", "only needed for KMS, Vault and PGP recipients"),
    };
    format!("{mark}  {:<22} {text}\n", item.name)
}
