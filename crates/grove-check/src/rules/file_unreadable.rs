//! A file that could not be read.

use grove_fleet::File;

use crate::{
    Severity,
    findings::{Findings, Place},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "file-unreadable",
    severity: Severity::Error,
    summary: "a file of the fleet could not be read",
    documentation: "\
The operating system did not give a file's content: its permissions, a failing disk, or a device or
pipe in place of a file.

What is not read cannot be checked, and a fleet without it could render something else.

Mend the permissions, or replace it by a regular file. Files that are no part of the fleet belong
outside its directory or into `.gitignore`.",
    example: Example::files(&[("plugins/shop.py", Content::Unreadable("permission denied"))]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, file) in &view.snapshot.files {
        if let File::Unreadable(why) = file {
            findings.add(
                format!("the file could not be read: {why}"),
                [Place::file(path.as_str())],
            );
        }
    }
}
