//! `grove stack apply`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use grove_stack::{plan::Changes, root::Blocked, stack::Address};
use serde_json::{Value, json};

use super::{Bounds, each, fail, graph::levels};
use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::{Output, confirm, count},
    stacks::{
        Head, Options, Planned, Program, Ready, Runner, StackSelection, Stacks, blocked_error,
    },
    workspace::{Workspace, is_json},
};

/// Apply stacks in their order, and keep what they give in the fleet.
///
/// A plan that `grove stack plan` kept is carried out, and refused where inputs or state changed since;
/// without one, a plan is made, shown and asked about. What is unchanged is stepped over. A plan that
/// destroys anything, or replaces a database, a cluster or a bucket, needs the stack's name.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove stack apply prod:network\n\
    \x20 grove stack apply prod --yes\n\
    \x20 grove stack apply prod/uni:instance --destroy --confirm-destroys prod/uni:instance")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: StackSelection,
    /// Apply what is unchanged, too.
    #[arg(long)]
    force: bool,
    /// Destroy everything of the selected stacks.
    #[arg(long)]
    destroy: bool,
    /// Ask nothing but what `--confirm-destroys` is for.
    #[arg(long, short)]
    yes: bool,
    /// Agree that this stack destroys or replaces what its plan says; may be given several times.
    #[arg(long, value_name = "STACK")]
    confirm_destroys: Vec<String>,
    /// How many minutes one apply may take.
    #[arg(long, value_name = "MINUTES", default_value_t = 120)]
    timeout: u64,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    program: Program,
}

/// How stacks are applied.
pub(crate) struct How {
    pub(crate) force: bool,
    pub(crate) destroy: bool,
    pub(crate) yes: bool,
    pub(crate) confirmed: BTreeSet<String>,
    pub(crate) limit: Duration,
    pub(crate) parallel: usize,
    pub(crate) lock_timeout: String,
}

/// What became of one stack.
pub(crate) struct Row {
    pub(crate) address: Address,
    pub(crate) state: &'static str,
    changes: Option<Changes>,
    serial: Option<u64>,
    /// Whether it gives something else now.
    outputs_changed: bool,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    let mut stacks = Stacks::open(&workspace, &arguments.program, output)?;
    let selected = arguments.selection.select(&stacks.fleet)?;
    let how = How {
        force: arguments.force,
        destroy: arguments.destroy,
        yes: arguments.yes,
        confirmed: arguments.confirm_destroys.iter().cloned().collect(),
        limit: Duration::from_secs(arguments.timeout * 60),
        parallel: arguments.bounds.parallel,
        lock_timeout: arguments.bounds.lock_timeout.clone(),
    };
    let mut rows = Vec::new();
    let errors = apply(&mut stacks, &selected, &how, &mut rows)?;
    if is_json(output) {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| {
                json!({
                    "stack": row.address.to_string(),
                    "state": row.state,
                    "changes": row.changes,
                    "serial": row.serial,
                    "outputs_changed": row.outputs_changed,
                })
            })
            .collect();
        output.json(&json!({"version": 1, "stacks": rows}))?;
    } else {
        for row in &rows {
            let counts = row
                .changes
                .as_ref()
                .map(|changes| format!(" {}", changes.counts()));
            output.print(&format!(
                "{}: {}{}\n",
                row.address,
                row.state,
                counts.unwrap_or_default()
            ))?;
        }
    }
    let graph = stacks.graph();
    for row in rows.iter().filter(|row| row.outputs_changed) {
        let readers = graph
            .iter()
            .filter(|(reader, reads)| reads.contains(&row.address) && !selected.contains(reader));
        let readers: Vec<String> = readers.map(|(reader, _)| format!("`{reader}`")).collect();
        if !readers.is_empty() {
            output.note(&format!(
                "`{}` gives something else now, which {} read: plan them",
                row.address,
                readers.join(", ")
            ));
        }
    }
    if rows.iter().any(|row| row.outputs_changed) {
        output.note("outputs are in the fleet's files now: commit them");
    }
    fail(errors, output)
}

/// Applies stacks in their order; the errors of those that failed. What depends on one that failed is
/// not tried.
pub(crate) fn apply(
    stacks: &mut Stacks<'_>,
    selected: &[Address],
    how: &How,
    rows: &mut Vec<Row>,
) -> Result<Vec<CommandError>> {
    stacks.must_be_writable()?;
    let graph = stacks.graph();
    let chosen: BTreeSet<&Address> = selected.iter().collect();
    if how.destroy {
        must_be_last(stacks, &graph, &chosen)?;
    }
    let mut order = levels(&graph, &chosen)?;
    if how.destroy {
        order.reverse();
    }
    let runner = stacks.runner();
    let output = stacks.output;
    let mut errors = Vec::new();
    let mut failed: BTreeSet<Address> = BTreeSet::new();
    for level in order {
        let mut ready = Vec::new();
        for address in level {
            let row = |state| Row {
                address: address.clone(),
                state,
                changes: None,
                serial: None,
                outputs_changed: false,
            };
            let stack = stacks.get(address)?;
            let waits_for = graph.reads(address).find(|read| failed.contains(*read));
            if let (Some(read), false) = (waits_for, how.destroy) {
                failed.insert(address.clone());
                errors.push(CommandError::refused(format!(
                    "`{address}` was not tried: it reads `{read}`, which failed"
                )));
                continue;
            }
            match stacks.root(stack)? {
                Err(Blocked::Stated) => rows.push(row("stated")),
                Err(blocked) => {
                    failed.insert(address.clone());
                    errors.push(blocked_error(address, &blocked));
                }
                Ok(root) => {
                    let known = stack.outputs.as_ref().map(|outputs| &outputs.inputs);
                    if known == Some(&root.digest) && !how.destroy && !how.force {
                        rows.push(row("unchanged"));
                    } else {
                        ready.push(stacks.ready(address, root)?);
                    }
                }
            }
        }
        // Plans first, all of a level, so that they are asked about together.
        let planned = each(how.parallel, ready, |mut ready| {
            output.progress(&format!("planning {}", ready.address));
            let planned = fresh(&runner, &mut ready, how, output);
            let planned = planned.map_err(|error| runner.explain(&ready.address, error));
            (ready, planned)
        })?;
        output.progress_done();
        let mut agreed = Vec::new();
        for (ready, planned) in planned {
            match planned {
                Ok((planned, is_kept)) => {
                    let changes = &planned.record.changes;
                    match agree(changes, &ready.address, is_kept, how, output) {
                        Ok(()) => agreed.push((ready, planned)),
                        Err(error) => {
                            failed.insert(ready.address.clone());
                            errors.push(error);
                        }
                    }
                }
                Err(error) => {
                    failed.insert(ready.address.clone());
                    errors.push(error);
                }
            }
        }
        let applied = each(how.parallel, agreed, |(ready, planned)| {
            output.progress(&format!("applying {}", ready.address));
            let head = runner
                .apply(&planned, &ready, how.limit, &|line| {
                    output.progress(&format!("{}: {line}", ready.address));
                })
                .map_err(|error| runner.explain(&ready.address, error));
            (ready, planned, head)
        })?;
        output.progress_done();
        for (ready, planned, head) in applied {
            match kept(stacks, &ready, &planned, head, how) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    failed.insert(ready.address.clone());
                    errors.push(error);
                }
            }
        }
    }
    Ok(errors)
}

/// The plan that is kept, where it is fresh, else a new one; whether it was kept.
fn fresh(
    runner: &Runner,
    ready: &mut Ready,
    how: &How,
    output: &Output,
) -> Result<(Planned, bool)> {
    let work = runner.open(ready, &|text| output.note(text))?;
    if let Some(record) = work.kept()
        && record.destroy == how.destroy
    {
        let planned = Planned { record, work };
        runner.must_be_fresh(&planned, ready)?;
        return Ok((planned, true));
    }
    let options = Options {
        destroy: how.destroy,
        refresh_only: false,
        lock_timeout: how.lock_timeout.clone(),
    };
    Ok((runner.plan_in(work, ready, &options)?, false))
}

/// Shows a plan that was not seen yet, and asks for what it needs.
fn agree(
    changes: &Changes,
    address: &Address,
    is_kept: bool,
    how: &How,
    output: &Output,
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let losses: Vec<&str> = changes
        .losses()
        .map(|change| change.address.as_str())
        .collect();
    if !is_kept || !losses.is_empty() {
        output.note(&format!("{address}: {}", changes.counts()));
        for line in changes.lines() {
            output.note(&format!("  {line}"));
        }
    }
    if !losses.is_empty() {
        if how.confirmed.contains(&address.to_string()) || typed(address, losses.len()) {
            return Ok(());
        }
        return Err(CommandError::refused(format!(
            "`{address}` would destroy {}: {}",
            count(losses.len(), "object"),
            losses
                .iter()
                .take(10)
                .copied()
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .hint(format!(
            "if that is meant, say `--confirm-destroys {address}`"
        )));
    }
    if is_kept || how.yes || confirm(&format!("Apply {address}?")) {
        return Ok(());
    }
    Err(
        CommandError::refused(format!("nobody agreed to apply `{address}`"))
            .hint("in a script, say `--yes`, or apply a plan that `grove stack plan` kept"),
    )
}

/// Asks for the name of a stack.
fn typed(address: &Address, losses: usize) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    let mut stderr = anstream::stderr();
    let question = format!(
        "This destroys {}. Type the stack's name to go on: ",
        count(losses, "object")
    );
    let mut answer = String::new();
    write!(stderr, "{question}").is_ok()
        && stderr.flush().is_ok()
        && std::io::stdin().read_line(&mut answer).is_ok()
        && answer.trim() == address.to_string()
}

/// Keeps what an apply gave.
fn kept(
    stacks: &mut Stacks<'_>,
    ready: &Ready,
    planned: &Planned,
    head: Result<Head>,
    how: &How,
) -> Result<Row> {
    let address = &ready.address;
    let head = head?;
    let serial = head.serial;
    let outputs_changed = if how.destroy {
        stacks.remove_outputs(address)?;
        true
    } else {
        stacks.write_outputs(address, head, ready.root.digest.clone())?
    };
    let changes = planned.record.changes.clone();
    Ok(Row {
        address: address.clone(),
        state: match (how.destroy, changes.is_empty()) {
            (true, _) => "destroyed",
            (false, true) => "no changes",
            (false, false) => "applied",
        },
        changes: Some(changes),
        serial: Some(serial),
        outputs_changed,
    })
}

/// Refuses to destroy what others still read.
fn must_be_last(
    stacks: &Stacks<'_>,
    graph: &grove_stack::Graph,
    chosen: &BTreeSet<&Address>,
) -> Result<()> {
    let mut readers: BTreeMap<&Address, Vec<String>> = BTreeMap::new();
    for (reader, reads) in graph.iter() {
        let is_there = stacks.get(reader)?.outputs.is_some();
        for read in reads {
            if is_there && chosen.contains(read) && !chosen.contains(reader) {
                readers.entry(read).or_default().push(format!("`{reader}`"));
            }
        }
    }
    match readers.first_key_value() {
        None => Ok(()),
        Some((read, readers)) => Err(CommandError::new(
            Exit::Refused,
            format!(
                "`{read}` is read by {}, which would be left",
                readers.join(", ")
            ),
        )
        .hint("destroy these first, or select them too")),
    }
}
