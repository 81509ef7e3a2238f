//! A limit that no pod could start under.

use grove_fleet::model::{Instance, Resources};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-resources",
    severity: Severity::Error,
    summary: "a workload requests more than its limit",
    documentation: "\
`resources.<workload>.limits`, or `quota.container.limits`, is below what `requests` says of the
same resource. Kubernetes refuses such a pod, so that the workload would be missing.

Raise the limit, or request less. What Tutor requests itself (2Gi of memory for `lms` and `cms`)
counts as well where the fleet states no request; that is found when the instance is rendered.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "resources:\n  lms: {requests: {memory: 3Gi}, limits: {memory: 2Gi}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (workload, resources) in &instance.resources {
            below(
                view,
                findings,
                instance,
                &["resources", workload],
                resources,
            );
        }
        below(
            view,
            findings,
            instance,
            &["quota", "container"],
            &instance.container,
        );
    }
}

fn below(
    view: &View<'_>,
    findings: &mut Findings<'_>,
    instance: &Instance,
    route: &[&str],
    resources: &Resources,
) {
    for (resource, limit) in &resources.limits {
        let Some(request) = resources
            .requests
            .get(resource)
            .filter(|request| *request > limit)
        else {
            continue;
        };
        let place = |key: &str| {
            let route: Vec<&str> = route.iter().copied().chain([key, resource]).collect();
            view.stated(instance, &route)
        };
        findings.add(
            format!(
                "{} of {} is limited to {limit}, and {request} of it are requested",
                quote(resource),
                quote(&route.join("."))
            ),
            [place("limits"), place("requests").label("the request")],
        );
    }
}
