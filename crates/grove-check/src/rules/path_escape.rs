//! A link that leads out of the fleet.

use grove_fleet::{
    File,
    links::{self, Target},
};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "path-escape",
    severity: Severity::Error,
    summary: "a symbolic link leads out of the fleet",
    documentation: "\
A symbolic link of the fleet names an absolute path, or climbs with `..` out of the fleet's
directory.

What it leads to is no part of the revision: it differs from machine to machine, and on a server or
in CI it could be a file that the author must not read.

Put the file itself into the fleet, or let the link name another file of the fleet by a relative
path.",
    example: Example::files(&[("plugins/shop.py", Content::Link("/etc/passwd"))]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, file) in &view.snapshot.files {
        let File::Link(target) = file else { continue };
        if links::follow(view.snapshot, path) == Target::Outside {
            findings.add_with_hint(
                format!("the link leads out of the fleet: {}", quote(target)),
                [Place::file(path.as_str())],
                "link to a file of the fleet by a relative path, or put the file here",
            );
        }
    }
}
