//! A key that must be there.

use grove_fleet::{
    layout,
    model::Instance,
    shape::{FileKind, MisfitKind, REQUIRED_OF_INSTANCE},
};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    problems::report_misfits,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "missing-key",
    severity: Severity::Error,
    summary: "a key that a file or an instance needs is not there",
    documentation: "\
A file lacks a key that it must have, or an instance lacks one that none of its layers gives: fleet
defaults, ring, cluster, groups, or its own file.

There is no value that Grove could take in its place.

Add the key. What several instances share can stand in a group, a ring, the cluster's `defaults` or
those of `grove.yaml`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(
            "environment: staging
ring: general
identity: {namespace: uni, id: Zk3jH8sd92LqPw1xVb7nT4cR}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
",
        ),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    report_misfits(view, findings, MisfitKind::MissingKey);
    empty(view, findings);
    for (address, instance) in &view.fleet.instances {
        let file = layout::instance(address);
        let mut layers = instance
            .groups
            .iter()
            .map(|group| layout::group(group))
            .chain([
                layout::FLEET.to_owned(),
                layout::cluster(&address.cluster),
                file.clone(),
            ]);
        // A layer that could not be read to its end may have what seems to be missing.
        if layers.any(|layer| view.has_problems(&layer)) {
            continue;
        }
        for route in REQUIRED_OF_INSTANCE {
            if has(instance, route) || view.is_stated(instance, route) {
                continue;
            }
            findings.add_with_hint(
                format!(
                    "{} has no {}",
                    quote(&address.to_string()),
                    quote(&route.join("."))
                ),
                [view.key(&file, route)],
                "none of its layers gives it: fleet, ring, cluster, groups, or its own file",
            );
        }
    }
}

/// Whether the merged instance shows that some layer gives it a value; merging again for each would
/// cost more than all other rules.
fn has(instance: &Instance, route: &[&str]) -> bool {
    match route {
        ["client"] => !instance.client.is_empty(),
        ["distribution"] => !instance.distribution.is_empty(),
        ["hosts", service] => instance.hosts.contains_key(*service),
        _ => false,
    }
}

/// Files that say nothing where something must be said, and a fleet without its own file.
fn empty(view: &View<'_>, findings: &mut Findings<'_>) {
    if !view.snapshot.files.contains_key(layout::FLEET) {
        findings.add_with_hint(
            format!("there is no {}", quote(layout::FLEET)),
            [Place::file(layout::FLEET)],
            "`grove init` writes one",
        );
    }
    for document in view.documents {
        let must_say = FileKind::of(&document.kind).is_some_and(|kind| {
            kind.shape()
                .keys
                .iter()
                .copied()
                .flatten()
                .any(|key| key.required)
        });
        let says_nothing = document.root.is_none() && document.problems.is_empty();
        if must_say && says_nothing && view.snapshot.bytes(&document.real).is_some() {
            findings.add("the file is empty", [Place::file(document.real.as_str())]);
        }
    }
}
