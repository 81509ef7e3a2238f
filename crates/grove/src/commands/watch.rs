//! `grove watch`.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use grove_watch::{InstanceRow, Status};

use crate::{
    cli::Global,
    commands::status::{Asking, gather, state, text},
    error::{Exit, Result},
    output::Output,
    workspace::{Workspace, is_json},
};

/// Show what runs, and then every change of it, until it is interrupted.
///
/// Begins with what `grove status` shows. As JSON it prints a line for each state that differs from the
/// one before, in the format of `grove status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove watch\n\
    \x20 grove watch prod --interval 5")]
pub(crate) struct Arguments {
    /// How long to pause between two looks, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    interval: u64,
    /// End after this many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    duration: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let begun = Instant::now();
    let mut before: Option<Status> = None;
    loop {
        let status = gather(&arguments.asking, &workspace, &fleet, output)?;
        let is_new = before
            .as_ref()
            .is_none_or(|before| !is_same(before, &status));
        if is_json(output) {
            if is_new {
                output.json_line(&status)?;
            }
        } else {
            match &before {
                None => output.print(&text(&status))?,
                Some(before) => output.print(&changes(before, &status))?,
            }
        }
        if is_new {
            before = Some(status);
        }
        let pause = Duration::from_secs(arguments.interval.max(1));
        let left = arguments
            .duration
            .map(|seconds| Duration::from_secs(seconds).saturating_sub(begun.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Exit::Done);
        }
        std::thread::sleep(left.map_or(pause, |left| left.min(pause)));
    }
}

/// Whether two looks saw the same; when they were made does not count.
fn is_same(before: &Status, after: &Status) -> bool {
    before.clusters == after.clusters && before.instances == after.instances
}

/// A line for each cluster and instance that is not as it was.
fn changes(before: &Status, after: &Status) -> String {
    let time = after.time.strftime("%H:%M:%SZ");
    let mut lines = Vec::new();
    for (old, new) in before.clusters.iter().zip(&after.clusters) {
        if old.reached != new.reached {
            let word = if new.reached {
                "answers again".to_owned()
            } else {
                format!("does not answer: {}", new.problems.join("; "))
            };
            lines.push(format!("{time} {}: {word}\n", new.cluster));
        }
    }
    let old: BTreeMap<_, _> = before
        .instances
        .iter()
        .map(|row| (&row.instance, words(row)))
        .collect();
    for row in &after.instances {
        let now = words(row);
        match old.get(&row.instance) {
            Some(before) if *before == now => {}
            _ => lines.push(format!("{time} {}: {now}\n", row.instance)),
        }
    }
    lines.concat()
}

/// What is said of an instance in a line.
fn words(row: &InstanceRow) -> String {
    let release = row
        .running
        .or(row.wanted)
        .map_or_else(|| "-".to_owned(), |number| format!("{number:04}"));
    let mut words = vec![state(row.state).to_owned(), release];
    words.extend(row.sync.iter().chain(&row.health).cloned());
    words.extend(row.hold.iter().map(|hold| format!("held: {hold}")));
    words.extend(row.problem.clone());
    words.join(", ")
}
