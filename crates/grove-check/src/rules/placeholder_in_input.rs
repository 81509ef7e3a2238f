//! The mark of a secret, written by hand.

use grove_fleet::{File, layout};
use grove_yaml::Span;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "placeholder-in-input",
    severity: Severity::Error,
    summary: "a file says `@@NAME@@`, which marks the place of a secret",
    documentation: "\
An input of the fleet holds `@@NAME@@` with a name in capitals.

While Grove renders, it writes such a mark wherever a secret belongs, and sealing puts the value of
that name there. Written by hand, the mark would bring a secret to a place that nobody meant, such
as a page that everyone can read.

Name a secret as Tutor does: `{{ NAME }}` in a value under `config`, with NAME in the instance's
`secrets.sops.yaml`. Text that needs two at signs for something else can be broken up, as
`@``@` or by an escape of its language.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "env:\n  lms:\n    settings: {GREETING: \"@@SMTP_PASSWORD@@\"}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (path, file) in &view.snapshot.files {
        let File::Bytes(bytes) = file else { continue };
        if !is_input(path) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            continue;
        };
        for span in placeholders(text) {
            let name = text.get(span.start..span.end).unwrap_or_default();
            findings.add_with_hint(
                format!(
                    "{} marks the place of a secret and cannot be written by hand",
                    quote(name)
                ),
                [Place::bytes(path.as_str(), span)],
                format!("in `config`, write `{{{{ {} }}}}`", name.trim_matches('@')),
            );
        }
    }
}

/// Whether rendering reads the file, so that its text can reach a deploy tree.
fn is_input(path: &str) -> bool {
    let below = [
        "clusters/",
        "distributions/",
        "groups/",
        "plugins/",
        "themes/",
    ];
    let known = path == layout::FLEET || below.iter().any(|directory| path.starts_with(directory));
    let is_prose = path
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending == "md");
    known && !is_prose
}

/// Every `@@NAME@@` of a text.
fn placeholders(text: &str) -> impl Iterator<Item = Span> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text.get(at..)?.find("@@")?;
            let name = text.get(start + 2..)?;
            let length = name
                .bytes()
                .take_while(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
                .count();
            let starts_well = name.starts_with(|first: char| first.is_ascii_uppercase());
            let ends_well = name
                .get(length..)
                .is_some_and(|rest| rest.starts_with("@@"));
            if starts_well && ends_well {
                let end = start + 2 + length + 2;
                at = end;
                return Some(Span { start, end });
            }
            at = start + 1;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_between_two_pairs_are_marks() {
        let found = |text: &str| -> Vec<String> {
            placeholders(text)
                .map(|span| text[span.start..span.end].to_owned())
                .collect()
        };
        assert_eq!(found("a @@A_1@@ b @@B@@"), ["@@A_1@@", "@@B@@"]);
        assert_eq!(found("@@@A@@"), ["@@A@@"]);
        assert_eq!(
            found("@@a@@ @@1A@@ @@A@ @@ @@@@ @@Ä@@ diff @@ -1 +1 @@"),
            [""; 0]
        );
    }
}
