//! A number of pods that cannot follow anything.

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-autoscaling",
    severity: Severity::Error,
    summary: "a workload is scaled by what is not there to be counted",
    documentation: "\
`autoscaling.<workload>` has no target, has more pods at least than at most, or counts a share of a
request that `resources` does not state; or `resources` says how many pods there are, too.

A target is a share, in percent, of what each pod requests: without a request there is nothing to
count, and the number of pods never moves. Tutor requests memory for `lms` and `cms`, and nothing
else.

State the request under `resources.<workload>.requests`, and let one of the two say how many.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "autoscaling:\n  lms: {min: 2, max: 6, cpu: 70}\n"
        )),
    )]),
    hides_source: false,
    check,
};

/// Workloads for which Tutor requests memory.
const WITH_MEMORY: [&str; 2] = ["lms", "cms"];

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (workload, scaling) in &instance.autoscaling {
            let route = ["autoscaling", workload.as_str()];
            let at = |key| [view.stated(instance, &["autoscaling", workload, key])];
            let resources = instance.resources.get(workload);
            if scaling.min > scaling.max {
                findings.add(
                    format!(
                        "{} has {} pods at least and {} at most",
                        quote(workload),
                        scaling.min,
                        scaling.max
                    ),
                    at("min"),
                );
            }
            if scaling.cpu.is_none() && scaling.memory.is_none() {
                findings.add_with_hint(
                    format!("nothing says when {} needs more pods", quote(workload)),
                    [view.stated_key(instance, &route)],
                    "state `cpu` or `memory`, in percent of the request",
                );
            }
            for (resource, target) in [("cpu", scaling.cpu), ("memory", scaling.memory)] {
                let is_stated = resources.is_some_and(|resources| {
                    resources.requests.contains_key(resource)
                        || resources.limits.contains_key(resource)
                });
                let is_tutors = resource == "memory" && WITH_MEMORY.contains(&workload.as_str());
                if target.is_some() && !is_stated && !is_tutors {
                    findings.add_with_hint(
                        format!(
                            "{} requests no {resource} of which this were a share",
                            quote(workload)
                        ),
                        at(resource),
                        format!("state `resources.{workload}.requests.{resource}`"),
                    );
                }
            }
            if resources.is_some_and(|resources| resources.replicas.is_some()) {
                findings.add_with_hint(
                    format!(
                        "{} has a fixed number of pods, and is scaled",
                        quote(workload)
                    ),
                    [
                        view.stated(instance, &["resources", workload, "replicas"]),
                        view.stated_key(instance, &route).label("scaled here"),
                    ],
                    "take one of the two out",
                );
            }
        }
    }
}
