//! `grove status`.

use std::fmt::Write as _;

use grove_operations::{status::now, text::count};
use grove_watch::{ClusterRow, InstanceRow, State, Status};
use jiff::Timestamp;

use crate::{
    around,
    error::{Exit, Kind, Result},
    global::Global,
    options::Asking,
    output::{Output, is_json},
};

/// Show what should run and what runs, on all clusters at once.
///
/// Reads the deploy branches and the clusters' API, and writes nowhere. A cluster that does not
/// answer is unknown, never empty, and costs its own rows only.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove status\n\
    \x20 grove status prod --check\n\
    \x20 grove status -l client=uni --format json")]
pub(crate) struct Arguments {
    /// End with exit code 5 unless every instance that was released runs.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let asking = &arguments.asking;
    let around = around::of(global, output, &[&asking.reach, &asking.remotes])?;
    let status = now::read(&around, &asking.request(global.rev.as_deref()))?;
    show(&status, output)?;
    let is_fine = |row: &InstanceRow| matches!(row.state, State::Running | State::NeverReleased);
    if arguments.check && !status.instances.iter().all(is_fine) {
        return Ok(Exit::Kind(Kind::Unhealthy));
    }
    Ok(Exit::Done)
}

/// Shows what runs.
pub(super) fn show(status: &Status, output: &Output) -> Result<()> {
    if is_json(output) {
        return output.json(status);
    }
    output.print(&text(status))
}

pub(super) fn text(status: &Status) -> String {
    let mut text = String::new();
    for cluster in &status.clusters {
        let mut words = vec![match &cluster.kubernetes {
            Some(version) => format!("Kubernetes {version}"),
            None => "not reached".to_owned(),
        }];
        words.extend(
            cluster
                .roots
                .iter()
                .map(|(name, state)| format!("{name} {state}")),
        );
        if let Some(begins) = cluster.sealing_certificate_begins {
            words.push(format!("sealing key {} old", age(status.time, begins)));
        }
        if let Some(ends) = cluster.sealing_certificate_ends {
            words.push(format!(
                "its certificate until {}",
                ends.strftime("%Y-%m-%d")
            ));
        }
        if cluster.workflows.running > 0 {
            words.push(format!(
                "{} under way",
                count(cluster.workflows.running, "workflow")
            ));
        }
        let _written = writeln!(text, "{}: {}", cluster.cluster, words.join(", "));
        for line in troubles(cluster) {
            let _written = writeln!(text, "  ! {line}");
        }
    }
    let mut rows = vec![
        [
            "INSTANCE", "STATE", "WANTED", "RUNNING", "SYNC", "HEALTH", "AGE", "NOTES",
        ]
        .map(str::to_owned),
    ];
    for row in &status.instances {
        let number = |number: Option<u32>| {
            number.map_or_else(|| "-".to_owned(), |number| format!("{number:04}"))
        };
        let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        let mut notes = Vec::new();
        notes.extend(row.hold.as_ref().map(|hold| format!("held: {hold}")));
        notes.extend(row.freeze.as_ref().map(|freeze| {
            let only = if freeze.only_in_cluster {
                ", in the cluster only"
            } else {
                ""
            };
            let until = freeze.until.strftime("%Y-%m-%d %H:%M UTC");
            format!("frozen until {until}{only}: {}", freeze.reason)
        }));
        notes.extend(row.problem.clone());
        notes.extend(row.unready.iter().cloned());
        if !row.drift.is_empty() {
            notes.push(format!("not as released: {}", row.drift.join(", ")));
        }
        if let Some(ends) = row.certificate_ends {
            notes.push(format!("certificate until {}", ends.strftime("%Y-%m-%d")));
        }
        rows.push([
            row.instance.to_string(),
            state(row.state).to_owned(),
            number(row.wanted),
            number(row.running),
            word(&row.sync),
            word(&row.health),
            row.released
                .map_or_else(|| "-".to_owned(), |time| age(status.time, time)),
            notes.join("; "),
        ]);
    }
    let widths: Vec<usize> = (0..8)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    text.push('\n');
    for row in rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(word, width)| format!("{word:<width$}", width = *width))
            .collect();
        let _written = writeln!(text, "{}", line.join("  ").trim_end());
    }
    text
}

/// What is wrong with a cluster, a line each.
fn troubles(cluster: &ClusterRow) -> Vec<String> {
    let mut lines = cluster.problems.clone();
    for (address, stack) in &cluster.stacks {
        match stack.state.as_str() {
            "new" => lines.push(format!("stack {address} was never applied")),
            "changed" => lines.push(format!("stack {address} changed since it was applied")),
            "blocked" => lines.push(format!(
                "stack {address} is blocked: {}",
                stack.why.as_deref().unwrap_or_default()
            )),
            _ => {}
        }
        if !stack.drift.is_empty() {
            lines.push(format!(
                "stack {address} is not as applied: {}",
                stack.drift.join(", ")
            ));
        }
    }
    for (name, row) in &cluster.shared {
        let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "Unknown".to_owned());
        let (sync, health) = (word(&row.sync), word(&row.health));
        if (sync.as_str(), health.as_str()) == ("Synced", "Healthy") {
            continue;
        }
        let mut line = format!("{name}: {sync}/{health}");
        line.extend(row.problem.iter().map(|problem| format!(", {problem}")));
        if !row.drift.is_empty() {
            let _written = write!(line, ", not as released: {}", row.drift.join(", "));
        }
        lines.push(line);
    }
    for workflow in &cluster.workflows.failed {
        lines.push(format!("workflow {workflow}"));
    }
    lines
}

pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::NeverReleased => "never released",
        State::Deploying => "deploying",
        State::Drifted => "drifted",
        State::Unhealthy => "unhealthy",
        State::Unknown => "unknown",
    }
}

/// How long ago something was, in one unit.
fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = (now.as_second() - then.as_second()).max(0);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}
