//! Plans of the parts of a split, which must change nothing.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::state::verify;
//!
//! let outcome = verify::read(around, &verify::Request::default(), "stacks".as_ref())?;
//! assert!(outcome.is_fine());
//! # Ok(())
//! # }
//! ```

use std::path::Path;

use grove_stack::plan::Changes;
use grove_state::STAYS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts;
use crate::{
    Around, Doing, Error, Result,
    place::Place,
    stacks::{
        bounds,
        tofu::{Environment, Root, program},
    },
    threads,
};

/// Plans every part of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// Plan on the states alone, without asking providers what there is.
    pub offline: bool,
    /// How many plans run at once: 1 to 64.
    pub parallel: usize,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            offline: false,
            parallel: 4,
        }
    }
}

/// What the plans would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Every part but what stays, which is planned with the old root when the parts are pushed.
    pub stacks: Vec<Row>,
}

/// What the plan of one part would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The stack.
    pub stack: String,
    /// What it would change, a line each.
    pub changes: Vec<String>,
}

impl Outcome {
    /// Whether nothing would change.
    pub fn is_fine(&self) -> bool {
        self.stacks.iter().all(|row| row.changes.is_empty())
    }
}

/// Plans each part in its directory, which needs its configuration beside its state; nothing is applied. `init`
/// runs there, and may write the lock file of the providers beside them.
/// `directory` is what [`super::split`] wrote.
pub fn read(around: &Around, request: &Request, directory: &Path) -> Result<Outcome> {
    let _entered = around.enter()?;
    let place = Place::of(around, directory);
    plans(around, request, &place).map_err(|error| place.named(error))
}

fn plans(around: &Around, request: &Request, directory: &Path) -> Result<Outcome> {
    let program = program(around)?;
    let (record, _) = parts(directory)?;
    let parts = record.parts.iter().filter(|part| part.stack != STAYS);
    let threads = bounds::threads(request.parallel);
    let planned = threads::each(threads, parts.collect(), |part| -> Result<Row> {
        let stack = &part.stack;
        around.doing(Doing::Planning { stack });
        let changes = plan(around, request, &program, &directory.join(stack))
            .map_err(|error| error.context(format!("cannot plan `{stack}`")))?;
        Ok(Row {
            stack: stack.clone(),
            changes,
        })
    });
    around.progress_done();
    Ok(Outcome {
        stacks: planned.into_iter().collect::<Result<_>>()?,
    })
}

/// What the configuration of a directory would change of its state, a line each.
fn plan(
    around: &Around,
    request: &Request,
    program: &Path,
    directory: &Path,
) -> Result<Vec<String>> {
    let has_configuration = fs_err::read_dir(directory)?
        .filter_map(std::result::Result::ok)
        .any(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "tf")
        });
    if !has_configuration {
        return Err(
            Error::usage(format!("{} has no `*.tf`", directory.display()))
                .hint("write the stack's configuration beside its state"),
        );
    }
    // What `init` brings does not stay behind in the part.
    let scratch = tempfile::tempdir()?;
    let root = Root {
        program,
        directory,
        data: Some(scratch.path().join("data")),
        environment: &Environment::new(around),
    };
    root.init()?;
    let more: &[&str] = if request.offline {
        &["-refresh=false"]
    } else {
        &[]
    };
    let plan = root.plan(more)?;
    let changes = Changes::of(&plan);
    let outside = changes.drift.iter().map(|change| {
        format!(
            "{}: {} (outside)",
            change.address,
            change.actions.join(" and ")
        )
    });
    let objects = changes
        .objects
        .iter()
        .map(|change| format!("{}: {}", change.address, change.actions.join(" and ")));
    let outputs = changes
        .outputs
        .iter()
        .map(|change| format!("output.{}: {}", change.name, change.actions.join(" and ")));
    Ok(objects.chain(outside).chain(outputs).collect())
}
