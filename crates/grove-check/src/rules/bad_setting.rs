//! Text that Open edX could not read.

use grove_yaml::Span;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    python,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-setting",
    severity: Severity::Error,
    summary: "`env.*.production` is not Python",
    documentation: "\
The text of `production` under `env.common`, `env.lms` or `env.cms` is added to the end of the
production settings, and is not Python.

Every process of Open edX reads these settings as it starts: no pod of the next release would come
up, and no migration would run.

Mend the line, or state the values under `settings` beside it, which are typed: numbers, texts,
lists and maps as in the rest of the file. Text with Tutor's template code is not judged.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "env:\n  lms:\n    production: |\n      A = 1\n      B = = 2\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    // A text of a group or a ring is one mistake, however many instances have it.
    let mut seen = std::collections::BTreeSet::new();
    for instance in view.fleet.instances.values() {
        for (service, env) in &instance.env {
            let Some(text) = &env.production else {
                continue;
            };
            let Some(wrong) = python::check(&text.text) else {
                continue;
            };
            let place = view.stated(instance, &["env", service, "production"]);
            if !seen.insert((place.path.to_string(), place.span.map(|span| span.start))) {
                continue;
            }
            let line = text.text.lines().nth(wrong.line).unwrap_or_default().trim();
            let why = match &wrong.missing {
                Some(missing) => format!(": {} is missing", quote(missing)),
                None => String::new(),
            };
            let place = at(view, place, line, wrong.line);
            findings.add(
                format!("line {} of the text is not Python{why}", wrong.line + 1),
                [place],
            );
        }
    }
}

/// The line in the file, where the text stands there as it is; else the text as a whole.
fn at<'a>(view: &View<'_>, place: Place<'a>, line: &str, number: usize) -> Place<'a> {
    let found = || {
        let (bytes, span) = (view.snapshot.bytes(&place.path)?, place.span?);
        let file = std::str::from_utf8(bytes).ok()?;
        let value = file.get(span.start..span.end)?;
        // The first line of a block is its mark.
        let (mut start, mut lines) = (span.start, value.split_inclusive('\n'));
        start += lines.next()?.len();
        let rest: Vec<&str> = lines.collect();
        start += rest
            .iter()
            .take(number)
            .map(|line| line.len())
            .sum::<usize>();
        let raw = rest.get(number)?;
        let inside = raw.len() - raw.trim_start().len();
        (raw.trim() == line && !line.is_empty()).then(|| Span {
            start: start + inside,
            end: start + inside + line.len(),
        })
    };
    match found() {
        Some(span) => Place {
            span: Some(span),
            ..place
        },
        None => place,
    }
}
