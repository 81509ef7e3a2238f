//! A root module that cannot be read.

use grove_stack::module;
use grove_yaml::Span;

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "stack-unreadable",
    severity: Severity::Error,
    summary: "the root module of a stack cannot be read, or names a back end of its own",
    documentation: "\
A file of a stack is not HCL, declares something twice, calls a local module that is not in the
fleet, or has a block `backend`, `cloud` or `encryption`.

Grove writes the last three itself, from `state` of `cluster.yaml`, with a key that no other stack
has. Two of them would be an error of OpenTofu's, or a state that Grove does not know of.

Mend the place that is named; take the block out and state `state` in `cluster.yaml`.",
    example: Example::files(&[
        (
            "clusters/prod/cluster.yaml",
            Content::Text(concat!(
                include_str!("../base/cluster.yaml"),
                "state: {backend: pg}\n"
            )),
        ),
        (
            "clusters/prod/stacks/dns/main.tf",
            Content::Text("terraform {\n  backend \"s3\" {}\n}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let place = |at: &module::Place| {
        let span = Span {
            start: at.bytes.start,
            end: at.bytes.end,
        };
        Place::bytes(at.file.clone(), span)
    };
    for stack in view.fleet.stacks.values() {
        if let Some(problem) = &stack.problem {
            findings.add(problem.message.as_str(), [place(&problem.place)]);
        }
        for (kind, at) in stack.module().into_iter().flat_map(|module| &module.owned) {
            findings.add_with_hint(
                format!("{} is Grove's to write", quote(kind)),
                [place(at)],
                "take the block out; `state` of `cluster.yaml` says where states are",
            );
        }
    }
}
