//! A link that leads nowhere or in a circle.

use grove_fleet::{
    File, Snapshot,
    links::{self, Target},
};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "broken-link",
    severity: Severity::Error,
    summary: "a symbolic link leads nowhere or in a circle",
    documentation: "\
A symbolic link of the fleet names a file that the fleet does not have, or leads back to itself,
alone or with others.

A file that should be there is not, so what it was to say is not said.

Correct the link's target or remove the link.",
    example: Example::files(&[("plugins/shop.py", Content::Link("shop.py"))]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, file) in &view.snapshot.files {
        let File::Link(target) = file else { continue };
        let message = match links::follow(view.snapshot, path) {
            Target::Inside(path) if exists(view.snapshot, &path) => continue,
            Target::Inside(_) => {
                format!("the link leads to no file of the fleet: {}", quote(target))
            }
            Target::Endless => format!("the link leads in a circle: {}", quote(target)),
            Target::Outside => continue,
        };
        findings.add_with_hint(
            message,
            [Place::file(path.as_str())],
            "correct its target or remove it",
        );
    }
}

/// Whether `path` is a file of the snapshot, or a directory that holds one.
fn exists(snapshot: &Snapshot, path: &str) -> bool {
    if path.is_empty() || snapshot.files.contains_key(path) {
        return true;
    }
    let directory = format!("{path}/");
    snapshot
        .files
        .range(directory.clone()..)
        .next()
        .is_some_and(|(file, _)| file.starts_with(&directory))
}
