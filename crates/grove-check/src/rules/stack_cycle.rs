//! Stacks that wait for each other.

use grove_stack::{Cycle, Graph};

use crate::{
    Severity,
    findings::Findings,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "stack-cycle",
    severity: Severity::Error,
    summary: "stacks wait for each other",
    documentation: "\
Stacks read each other's outputs in a circle, so that none could ever be the first.

Nothing of the circle could be planned from nothing, and what exists could not be taken down in
order.

Take one of the inputs out: state its value, or move what both need into a stack of its own.",
    example: Example::files(&[
        (
            "clusters/prod/cluster.yaml",
            Content::Text(concat!(
                include_str!("../base/cluster.yaml"),
                "state: {backend: pg}\n",
                "stacks:\n",
                "  a: {inputs: {x: {output: b.y}}}\n",
                "  b: {inputs: {x: {output: a.y}}}\n"
            )),
        ),
        (
            "clusters/prod/stacks/a/main.tf",
            Content::Text("variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}\n"),
        ),
        (
            "clusters/prod/stacks/b/main.tf",
            Content::Text("variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let stacks = &view.fleet.stacks;
    let Some(Cycle(circle)) = Graph::new(stacks).find_cycle() else {
        return;
    };
    let next = circle.iter().cycle().skip(1);
    let places: Vec<_> = circle
        .iter()
        .zip(next)
        .filter_map(|(address, next)| {
            let stack = stacks.get(address)?;
            let instance = address.instance.as_deref();
            let (name, _) = stack.references().find(|(_, reference)| {
                let read = reference.resolve(&address.cluster, instance, stacks);
                read.as_ref() == Some(next)
            })?;
            let place = view.stack(address, &["inputs", name, "output"]);
            Some(place.label(format!("`{address}` waits for `{next}`")))
        })
        .collect();
    let names: Vec<String> = circle.iter().map(|one| format!("`{one}`")).collect();
    findings.add(format!("{} wait for each other", names.join(", ")), places);
}
