//! A cluster without a place for its states.

use grove_fleet::{layout, links};
use grove_stack::backend::Backend;
use grove_yaml::Node;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-state",
    severity: Severity::Error,
    summary: "a cluster has stacks and does not say where their states are, or says it badly",
    documentation: "\
A cluster or one of its instances has stacks, and `state` of `cluster.yaml` is missing, lacks what
its back end needs, or is a directory inside the fleet; or `key` of a stack is no path of names.

A state holds passwords in plain text and must not reach Git; without a common place two operators
would each make everything.

State `backend` with `bucket` (`s3`), `project` (`gitlab`) or a `path` that leads out of the fleet
(`local`); `pg` needs no more.",
    example: Example::files(&[(
        "clusters/prod/cluster.yaml",
        Content::Text(concat!(
            include_str!("../base/cluster.yaml"),
            "state: {backend: s3}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for (address, stack) in &view.fleet.stacks {
        let is_part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.contains(char::is_control)
        };
        let key = stack.key.as_deref();
        if let Some(key) = key.filter(|key| !key.split('/').all(is_part)) {
            findings.add_with_hint(
                format!("{} is no key of a state", quote(key)),
                [view.stack(address, &["key"])],
                "names with `/` between them, such as `old/network.tfstate`",
            );
        }
    }
    for cluster in view.fleet.clusters.values() {
        let file = layout::cluster(&cluster.name);
        let state = view.root(&file).and_then(|root| root.get("state"));
        let first = view
            .fleet
            .stacks
            .values()
            .find(|stack| stack.address.cluster == cluster.name && stack.module().is_some());
        match (&cluster.storage, state) {
            (None, None) => {
                if let Some(stack) = first {
                    findings.add_with_hint(
                        format!("`{}` has no place for its state", stack.address),
                        [view.value(&file, &[])],
                        "state `state: {backend: …}`",
                    );
                }
            }
            (None, Some(state)) => {
                let backend = state.get("backend").and_then(Node::as_str);
                let missing = match backend {
                    Some("s3") => "bucket",
                    Some("gitlab") => "project",
                    Some("local") => "path",
                    // What it is instead is a finding of another rule.
                    _ => continue,
                };
                findings.add(
                    format!("`state` lacks {}", quote(missing)),
                    [view.key(&file, &["state"])],
                );
            }
            (Some(storage), _) => {
                if let Backend::Local { path } = &storage.backend
                    && links::join("", path).is_some()
                {
                    findings.add_with_hint(
                        "the directory of states is inside the fleet",
                        [view.value(&file, &["state", "path"])],
                        "a state holds passwords and must not reach Git: such as `../states`",
                    );
                }
            }
        }
    }
}
