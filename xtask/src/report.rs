//! What a run of several things says at its end.

use std::time::{Duration, Instant};

/// How one entry of a table ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it should; the text says what that was.
    Passed(String),
    /// It did not.
    Failed(String),
    /// It was not run, and why.
    Skipped(String),
}

/// The entries that ran, in their order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    /// Runs one entry under a headline and keeps how it ended.
    pub(crate) fn run(&mut self, name: &'static str, about: &str, entry: impl FnOnce() -> Outcome) {
        println!("\n=== {name}: {about}");
        let start = Instant::now();
        let outcome = entry();
        let time = start.elapsed();
        match &outcome {
            Outcome::Passed(_) => println!("=== {name}: passed in {}", seconds(time)),
            Outcome::Failed(why) => println!("=== {name}: FAILED after {}: {why}", seconds(time)),
            Outcome::Skipped(why) => println!("=== {name}: skipped: {why}"),
        }
        self.rows.push((name, outcome, time));
    }

    /// Whether nothing failed.
    pub(crate) fn passed(&self) -> bool {
        !self
            .rows
            .iter()
            .any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
    }

    /// Prints a line for each entry.
    pub(crate) fn print(&self) {
        println!("\n{:<12} {:<8} {:>8}  ", "", "", "time");
        for (name, outcome, time) in &self.rows {
            let (word, text) = match outcome {
                Outcome::Passed(text) => ("passed", text),
                Outcome::Failed(text) => ("FAILED", text),
                Outcome::Skipped(text) => ("skipped", text),
            };
            let text = text.lines().next().unwrap_or_default();
            println!("{name:<12} {word:<8} {:>8}  {text}", seconds(*time));
        }
    }
}

/// A time with one decimal.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
