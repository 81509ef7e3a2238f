//! `grove image credentials`.

use clap_complete::ArgValueCandidates;
use grove_operations::images::credentials::{self, Request};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    output::Output,
};

/// Print the credentials that an image is built with.
///
/// For the builder's secret `netrc`, in the form of a `.netrc`, which Python's installers, Git and curl
/// read. It holds passwords: give it to the builder by the environment or a pipe, as the last line of
/// `grove image context` does, and keep it nowhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image credentials prod/uni")]
pub(super) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = Request {
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
    };
    output.print(credentials::open(&around, &request)?.expose())?;
    Ok(Exit::Done)
}
