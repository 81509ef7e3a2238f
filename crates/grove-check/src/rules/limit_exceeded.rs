//! A file that asks for too much.

use grove_fleet::{File, snapshot::FILE_LIMIT};
use grove_yaml::ProblemKind;

use crate::{
    Severity,
    findings::{Findings, Place},
    problems::report,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "limit-exceeded",
    severity: Severity::Error,
    summary: "a file is too large, too deep or has too many values",
    documentation: "\
A file has more than 4 MiB, is nested more than 100 levels deep, or holds more than 250,000 values,
counting what its aliases repeat.

No file that people write comes near. The limits keep a slip, or a file made to do harm, from taking
the memory of the machine that reads it: a few lines of aliases of aliases would fill any.

Split the file, or keep what is large (images, dumps) outside the fleet.",
    example: Example::files(&[("plugins/data.yml", Content::TooLarge(100 << 20))]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, file) in &view.snapshot.files {
        if let File::TooLarge(size) = file {
            findings.add(
                format!("the file has {size} bytes, more than the {FILE_LIMIT} that are read"),
                [Place::file(path.as_str())],
            );
        }
    }
    report(view, findings, ProblemKind::Limit, None);
}
