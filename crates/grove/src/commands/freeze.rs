//! `grove freeze`.

use grove_operations::release::freeze::{self, Change, LONGEST, Outcome};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::{Branches, Instances, Places, Reach},
    output::Output,
    surroundings, terminal,
};

/// Make Argo CD leave instances alone for some time.
///
/// While an instance is frozen, nothing is synced to it by itself: what is done by hand in the cluster
/// stays, and a deploy passes it over. The freeze ends by itself, or with `grove unfreeze`; then Argo CD
/// puts back what the release has. `status`, `history` and Argo CD show who froze it, why and until when.
///
/// It is a commit to the deploy branch. Where Git cannot be reached, it is written to the cluster alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove freeze prod/uni --for 2h -m \"Restoring a table by hand\"\n\
    \x20 grove freeze 'prod/*' --for 90m -m \"The database moves\"")]
pub(crate) struct Arguments {
    /// For how long: `2h`, `90m`, `1d`; whole minutes.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    time: SignedDuration,
    /// Why; shown wherever the freeze is.
    #[arg(short, long = "message", visible_alias = "reason", value_name = "TEXT")]
    message: String,
    #[command(flatten)]
    instances: Instances,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let change = Change::Freeze {
        seconds: u32::try_from(arguments.time.as_secs()).unwrap_or(u32::MAX),
        reason: arguments.message.clone(),
    };
    let places: [&dyn Places; 2] = [&arguments.branches, &arguments.reach];
    carry_out(change, &arguments.instances, &places, global, output)
}

/// Freezes instances, or ends their freezes, and says what became of each.
pub(super) fn carry_out(
    change: Change,
    instances: &Instances,
    places: &[&dyn Places],
    global: &Global,
    output: &Output,
) -> Result {
    let around = around::of(global, output, places)?;
    let request = freeze::Request {
        id: surroundings::request_id(),
        target: terminal::target(&around, instances, global, output)?,
        change,
    };
    let plan = freeze::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let mut outcome = plan.carry_out(&consent)?;
    let failure = outcome.failure.take();
    show(&outcome, output)?;
    failure.map_or(Ok(Exit::Done), Err)
}

fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    output.outcome(outcome, || {
        let line = |row: &freeze::Row| {
            let text = match (&row.skipped, &outcome.described) {
                (Some(why), _) => why,
                (None, None) => "not frozen",
                (None, Some(freeze)) => freeze,
            };
            format!("{}: {text}\n", row.instance)
        };
        outcome.instances.iter().map(line).collect()
    })
}

/// Reads how long a freeze lasts.
fn span(text: &str) -> std::result::Result<SignedDuration, String> {
    let time = text
        .parse()
        .and_then(|span: Span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| "such as `2h`, `90m` or `1d`".to_owned())?;
    match time {
        time if time < SignedDuration::from_mins(1) => Err("at least a minute".to_owned()),
        time if time > LONGEST => {
            Err("at most 31 days; `grove hold` keeps a release for longer".to_owned())
        }
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_minutes_to_a_month() {
        for (text, minutes) in [("2h", 120), ("90m", 90), ("1h 30m", 90), ("31d", 44_640)] {
            assert_eq!(span(text), Ok(SignedDuration::from_mins(minutes)), "{text}");
        }
        for text in ["", "2", "30s", "32d", "-2h", "two hours"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
