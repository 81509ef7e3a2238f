//! `grove watch`.

use std::collections::BTreeMap;

use grove_operations::status::watch::{self, Request, Watcher};
use grove_watch::{InstanceRow, Status};

use crate::{
    around,
    commands::status::{state, text},
    error::{Exit, Result},
    global::Global,
    options::Asking,
    output::{Output, is_json},
};

/// Show what runs, and then every change of it, until it is interrupted.
///
/// Begins with what `grove status` shows. What changes in a cluster is shown as it happens; the deploy
/// branches are asked every few seconds. As JSON it prints a line for each state that differs from the
/// one before, in the format of `grove status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove watch\n\
    \x20 grove watch prod --interval 5")]
pub(crate) struct Arguments {
    /// Seconds between two looks at Git, and at whether a quiet cluster still answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    interval: u64,
    /// End after this many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    duration: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let asking = &arguments.asking;
    let around = around::of(global, output, &[&asking.reach, &asking.remotes])?;
    let request = Request {
        asking: asking.request(global.rev.as_deref()),
        interval: arguments.interval,
        seconds: arguments.duration,
    };
    watch::watch(&around, &request, &mut Screen { output })?;
    Ok(Exit::Done)
}

/// Shows what is seen.
struct Screen<'a> {
    output: &'a Output,
}

impl Watcher for Screen<'_> {
    fn see(&mut self, before: Option<&Status>, now: &Status) -> Result<()> {
        match before {
            _ if is_json(self.output) => self.output.json_line(now),
            None => self.output.print(&text(now)),
            Some(before) => self.output.print(&changes(before, now)),
        }
    }
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
    words.extend(row.problem.iter().chain(&row.unready).cloned());
    words.join(", ")
}
