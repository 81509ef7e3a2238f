//! `grove state verify`.

use std::path::{Path, PathBuf};

use grove_stack::plan::Changes;
use grove_state::STAYS;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::join::parts;
use crate::{
    error::{CommandError, Exit, Result},
    output::{Output, count},
    tofu::{Environment, Root, program},
    workspace::is_json,
};

/// Plan each part of a split, and demand that nothing would change.
///
/// Each directory of a part needs its configuration (`*.tf`) beside its state. `init` and `plan` run
/// there with your environment, so that providers find their credentials; nothing is applied. Ends with
/// exit code 1 where a plan changes anything.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove state verify parts\n\
    \x20 grove state verify parts --program terraform --offline")]
pub(super) struct Arguments {
    /// The directory that `grove state split` wrote.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The program that plans; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// Plan on the state alone, without asking providers what there is.
    #[arg(long)]
    offline: bool,
    /// How many plans run at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    parallel: usize,
}

/// Plans every part of a split that was just made.
pub(super) fn plan_all(directory: &Path, program: Option<&PathBuf>, output: &Output) -> Result {
    let arguments = Arguments {
        directory: directory.to_owned(),
        program: program.cloned(),
        offline: false,
        parallel: 4,
    };
    run(&arguments, output)
}

/// What a plan would do.
struct Planned {
    stack: String,
    changes: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result {
    let program = program(arguments.program.as_ref())?;
    let (record, _) = parts(&arguments.directory)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.parallel.clamp(1, 64))
        .build()
        .map_err(|error| CommandError::from_error(Exit::Tool, &error))?;
    let plan = |stack: &String| -> Result<Planned> {
        output.progress(&format!("planning {stack}"));
        let changes = plan(arguments, &program, &arguments.directory.join(stack))
            .map_err(|error| error.context(format!("cannot plan `{stack}`")))?;
        Ok(Planned {
            stack: stack.clone(),
            changes,
        })
    };
    let planned: Vec<Result<Planned>> = pool.install(|| {
        // What stays is planned with the old root, when the parts are pushed.
        let parts = record.parts.par_iter().filter(|part| part.stack != STAYS);
        parts.map(|part| plan(&part.stack)).collect()
    });
    output.progress_done();
    let planned = planned.into_iter().collect::<Result<Vec<_>>>()?;
    let is_fine = planned.iter().all(|planned| planned.changes.is_empty());
    if is_json(output) {
        let rows: Vec<Value> = planned
            .iter()
            .map(|planned| json!({"stack": planned.stack, "changes": planned.changes}))
            .collect();
        output.json(&json!({"version": 1, "stacks": rows}))?;
    } else {
        for planned in planned.iter().filter(|planned| !planned.changes.is_empty()) {
            output.print(&format!("{}:\n", planned.stack))?;
            for change in &planned.changes {
                output.print(&format!("  {change}\n"))?;
            }
        }
        if is_fine {
            output.print(&format!("{}: no changes\n", count(planned.len(), "plan")))?;
        }
    }
    Ok(if is_fine { Exit::Done } else { Exit::No })
}

/// What the configuration of a directory would change of its state, a line each.
fn plan(arguments: &Arguments, program: &Path, directory: &Path) -> Result<Vec<String>> {
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
            CommandError::usage(format!("{} has no `*.tf`", directory.display()))
                .hint("write the stack's configuration beside its state"),
        );
    }
    // What `init` brings does not stay behind in the part.
    let scratch = tempfile::tempdir()?;
    let root = Root {
        program,
        directory,
        data: Some(scratch.path().join("data")),
        environment: &Environment::default(),
    };
    root.init()?;
    let more: &[&str] = if arguments.offline {
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
