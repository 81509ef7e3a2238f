//! A lock that nobody can read.

use grove_fleet::{File, layout, model::Lock};

use crate::{
    Severity,
    findings::{Findings, Place},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "lock-unreadable",
    severity: Severity::Error,
    summary: "a lock is not in the form that `grove lock` writes",
    documentation: "\
`distributions/<name>.lock` is there, but its head (the lines that start with `#: `) cannot be read:
it was edited, holds marks of a merge conflict, or was written by a newer Grove.

Run `grove lock <name>` to write it again; never merge two locks by hand.",
    example: Example::files(&[(
        "distributions/verawood-1.lock",
        Content::Text("<<<<<<< HEAD\ntutor==22.0.3\n=======\n"),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (name, distribution) in &view.fleet.distributions {
        let file = layout::lock(name);
        let Some(document) = view.all.get(&file).filter(|_| distribution.lock.is_none()) else {
            continue;
        };
        let why = match std::str::from_utf8(&document.bytes) {
            // One that could not be read at all has a finding of its own.
            Ok("")
                if !matches!(
                    view.snapshot.files.get(&document.real),
                    Some(File::Bytes(_))
                ) =>
            {
                continue;
            }
            Ok(text) => match Lock::parse(text) {
                Ok(_) => continue,
                Err(error) => error.to_string(),
            },
            Err(_) => "the lock is not text".to_owned(),
        };
        {
            findings.add_with_hint(
                why,
                [Place::file(file)],
                format!("run `grove lock {name}` to write it again"),
            );
        }
    }
}
