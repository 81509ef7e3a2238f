//! A feature flag that nothing could ask for.

use grove_fleet::model::is_flag_name;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-flag",
    severity: Severity::Error,
    summary: "`flags` has a name that no flag can have",
    documentation: "\
A flag, switch or sample under `flags` has an empty name, one of more than 100 characters, or one
with a blank or a control character.

The database takes no longer one, and code asks for names without blanks: such a flag would be set
and never found.

Names are those of the code, as `course_home.enable_calendar`; quotes and other signs are no harm.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "flags: {switches: {two words: true}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let Some(flags) = &instance.flags else {
            continue;
        };
        let all = [
            ("flags", flags.flags.keys().collect::<Vec<_>>()),
            ("switches", flags.switches.keys().collect()),
            ("samples", flags.samples.keys().collect()),
        ];
        for (kind, names) in all {
            for name in names.into_iter().filter(|name| !is_flag_name(name)) {
                findings.add(
                    format!("no flag can be called {}", quote(name)),
                    [view.stated_key(instance, &["flags", kind, name])],
                );
            }
        }
    }
}
