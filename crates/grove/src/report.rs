//! Differences as people read them.

use std::fmt::Write as _;

use grove_release::Diff;

/// The difference, object by object.
pub(crate) fn text(diff: &Diff, colour: bool) -> String {
    let [red, green, cyan] = [
        anstyle::AnsiColor::Red.on_default(),
        anstyle::AnsiColor::Green.on_default(),
        anstyle::AnsiColor::Cyan.on_default(),
    ]
    .map(|style| if colour { style } else { anstyle::Style::new() });
    let mut text = String::new();
    for object in &diff.added {
        let _written = writeln!(text, "{green}+ {object}{green:#}");
    }
    for object in &diff.removed {
        let _written = writeln!(text, "{red}- {object}{red:#}");
    }
    for change in &diff.changed {
        let mut why = Vec::new();
        if change.runs_again {
            why.push("runs again".to_owned());
        }
        if !change.because.is_empty() {
            let names: Vec<&str> = change.because.iter().map(String::as_str).collect();
            why.push(format!("as {} changed", names.join(", ")));
        }
        if !change.secrets.is_empty() {
            let names: Vec<&str> = change.secrets.iter().map(String::as_str).collect();
            why.push(format!("secrets: {}", names.join(", ")));
        }
        let why = if why.is_empty() {
            String::new()
        } else {
            format!("  ({})", why.join("; "))
        };
        let _written = writeln!(text, "~ {}{why}", change.object);
        // A copy for Jobs changes as its original does.
        let shown = if change.object.jobs_copy {
            ""
        } else {
            &change.text
        };
        for line in shown.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => green,
                Some(b'-') => red,
                Some(b'@') => cyan,
                _ => anstyle::Style::new(),
            };
            let _written = writeln!(text, "    {style}{line}{style:#}");
        }
    }
    text
}
