//! What a confined program sets for processes of its own that run what it does not trust.

use std::path::PathBuf;

use serde::Serialize;

use super::Sandbox;

/// Stands in the filters for the number of the process that sets them. The kernel gives no process one so
/// high.
pub const OWN_PROCESS: u32 = 0x7fff_fff0;

/// An instruction of a filter: code, jump if true, jump if false, operand.
pub type Instruction = (u16, u8, u8, u32);

/// The restrictions of a process that renders, for a program that is confined already and starts it.
///
/// It is to set a domain of Landlock that reads `read` and writes to its own directory alone, its limits, and
/// then the filters in their order, in each of which `own_process` becomes its own number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inner {
    /// What it may read beside its own directory.
    pub read: Vec<PathBuf>,
    /// Filters of system calls; empty where a machine has none.
    pub filters: Vec<Vec<Instruction>>,
    /// What stands in them for the process's own number.
    pub own_process: u32,
}

impl Inner {
    /// For a process that a program in `sandbox` starts: it reads what that program does.
    pub fn of(sandbox: &Sandbox) -> Self {
        Self {
            read: super::linux::readable(sandbox),
            filters: super::linux::rendering_filters(),
            own_process: OWN_PROCESS,
        }
    }
}
