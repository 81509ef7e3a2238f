//! Every rule against its example, and what rules together must hold.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{base, check, rules};

#[test]
fn the_base_fleet_has_no_finding() {
    let snapshot = base::snapshot();
    let checked = check(&snapshot, &base::context());
    insta::assert_snapshot!(super::text(&checked.findings, &snapshot, false), @"");
    assert_eq!(checked.fleet.instances.len(), 1);
}

#[test]
fn every_example_triggers_its_rule_and_no_other() {
    let mut failures = String::new();
    for rule in rules::ALL {
        let snapshot = rule.example.snapshot();
        let findings = check(&snapshot, &rule.example.context()).findings;
        let triggered: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
        if triggered != BTreeSet::from([rule.id]) {
            let text = super::text(&findings, &snapshot, false);
            let _ = writeln!(failures, "example of {}:\n{text}", rule.id);
        }
    }
    assert_eq!(failures, "");
}
