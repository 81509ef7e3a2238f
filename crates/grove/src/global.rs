//! Options of every command.

use std::path::PathBuf;

use grove_operations::request::RequestId;

use crate::{
    error::{Error, Result},
    output::{Colour, Format},
    surroundings,
};

/// Options of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The fleet: a directory with `grove.yaml`, or a bare Git repository with `--rev`.
    ///
    /// Default: the nearest directory above this one that has a `grove.yaml`.
    #[arg(long, global = true, value_name = "DIR", env = "GROVE_FLEET")]
    pub(crate) fleet: Option<PathBuf>,
    /// Read the fleet at this Git revision instead of the files of the work tree.
    #[arg(long, global = true, value_name = "REV")]
    pub(crate) rev: Option<String>,
    /// How results are written to stdout.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colour,
    /// Say nothing on stderr but warnings and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What a change is called: the same again, after whatever happened, is not carried out twice.
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) request_id: Option<RequestId>,
}

impl Global {
    /// What the request of the command is called.
    pub(crate) fn request_id(&self) -> Option<RequestId> {
        let stated = self.request_id.clone();
        stated.or_else(surroundings::request_id)
    }

    /// Refuses `--rev`: a command that writes the fleet's files asks this first.
    pub(crate) fn must_be_work_tree(&self) -> Result<()> {
        match self.rev {
            Some(_) => Err(Error::usage(
                "this writes to the work tree; leave `--rev` out",
            )),
            None => Ok(()),
        }
    }
}
