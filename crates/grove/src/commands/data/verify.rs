//! `grove data verify`.

use grove_operations::jobs::data::verify;

use crate::{
    around,
    error::Result,
    global::Global,
    options::{Patience, Reach, Selection},
    output::Output,
};

/// Look whether instances get in with their own credentials; changes nothing.
///
/// Servers that somebody else runs are looked at as well. A bucket is written to and read from: one small
/// file, which goes again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove data verify prod/uni\n\
    \x20 grove data verify --all")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.reach])?;
    let request = verify::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        timeout: arguments.patience.timeout,
    };
    super::show(verify::read(&around, &request)?, output)
}
