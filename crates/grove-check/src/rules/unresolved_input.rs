//! A reference to an output or a secret that is not there.

use grove_fleet::{Address, Fleet, layout, model::Waits};
use grove_stack::{
    root::Blocked,
    stack::{self, Input, Reference, Source},
};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "unresolved-input",
    severity: Severity::Error,
    summary: "a value refers to an output or a secret that is not there",
    documentation: "\
`{output: stack.name}` names a stack that is not there, or an output that it does not declare;
`{secret: NAME}`, `credentials` or `state.encryption` names a secret that its owner does not have;
or plain configuration refers to a sensitive output.

Whatever reads it could never be planned or rendered. An instance sees its own stacks and those of
its cluster; a cluster its own. A value that was never given is never made up.

Correct the name, declare the output in the other stack, or keep the secret with `grove secret
set`.",
    example: Example::files(&[
        (
            "clusters/prod/cluster.yaml",
            Content::Text(concat!(
                include_str!("../base/cluster.yaml"),
                "state: {backend: pg}\n",
                "stacks: {dns: {inputs: {zone: {output: network.zone}}}}\n"
            )),
        ),
        (
            "clusters/prod/stacks/dns/main.tf",
            Content::Text("variable \"zone\" {}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let fleet = view.fleet;
    for stack in fleet.stacks.values() {
        let address = &stack.address;
        let instance = address.instance.as_deref();
        for (name, reference) in stack.references() {
            if let Some(why) = unresolved(fleet, reference, &address.cluster, instance) {
                findings.add(why, [view.stack(address, &["inputs", name])]);
            }
        }
        let stated = match &stack.source {
            Source::Stated(outputs) => Some(("outputs", outputs)),
            Source::Module { .. } => None,
        };
        for (key, inputs) in stated.into_iter().chain([("inputs", &stack.inputs)]) {
            for (name, input) in inputs {
                if let Input::Secret(secret) = input
                    && !has_secret(fleet, &address.cluster, instance, secret)
                {
                    let message = format!("{} has no secret {}", owner(address), quote(secret));
                    findings.add_with_hint(message, [view.stack(address, &[key, name])], SET);
                }
            }
        }
    }
    for cluster in fleet.clusters.values() {
        let file = layout::cluster(&cluster.name);
        let of_cluster = cluster
            .credentials
            .iter()
            .map(|(variable, secret)| (secret, view.value(&file, &["credentials", variable])));
        let storage = cluster.storage.as_ref();
        let passphrase = storage.and_then(|storage| storage.encryption.as_ref());
        let passphrase = passphrase.map(|secret| {
            (
                secret,
                view.value(&file, &["state", "encryption", "secret"]),
            )
        });
        for (secret, place) in of_cluster.chain(passphrase) {
            if !cluster.secrets.contains_key(secret) {
                let message = format!("{} has no secret {}", quote(&cluster.name), quote(secret));
                findings.add_with_hint(message, [place], SET);
            }
        }
        for waits in &cluster.waits {
            let route: Vec<&str> = waits.path.iter().map(String::as_str).collect();
            if let Some(why) = fault(fleet, waits, &cluster.name, None) {
                findings.add(why, [view.value(&file, &route)]);
            }
        }
    }
    for (address, instance) in &fleet.instances {
        for waits in &instance.waits {
            let route: Vec<&str> = waits.path.iter().map(String::as_str).collect();
            if let Some(why) = fault(fleet, waits, &address.cluster, Some(&address.instance)) {
                findings.add(why, [view.stated(instance, &route)]);
            }
        }
    }
}

const SET: &str = "`grove secret set` keeps one";

fn owner(address: &stack::Address) -> String {
    match &address.instance {
        None => quote(&address.cluster),
        Some(instance) => quote(&format!("{}/{instance}", address.cluster)),
    }
}

fn has_secret(fleet: &Fleet, cluster: &str, instance: Option<&str>, secret: &str) -> bool {
    match instance {
        None => fleet
            .clusters
            .get(cluster)
            .is_some_and(|cluster| cluster.secrets.contains_key(secret)),
        Some(instance) => fleet
            .instances
            .get(&Address::new(cluster, instance))
            .is_some_and(|instance| instance.secrets.contains_key(secret)),
    }
}

/// What is wrong with a reference of plain configuration; nothing where it only waits.
fn fault(fleet: &Fleet, waits: &Waits, cluster: &str, instance: Option<&str>) -> Option<String> {
    match &waits.why {
        Blocked::Sensitive(_) => Some(waits.why.to_string()),
        _ => unresolved(fleet, &waits.reference, cluster, instance),
    }
}

/// Why a reference can never have a value.
fn unresolved(
    fleet: &Fleet,
    reference: &Reference,
    cluster: &str,
    instance: Option<&str>,
) -> Option<String> {
    let Some(address) = reference.resolve(cluster, instance, &fleet.stacks) else {
        return Some(format!("there is no stack {}", quote(&reference.stack)));
    };
    let stack = fleet.stacks.get(&address)?;
    // One that cannot be read is a finding of its own.
    let is_missing = stack.problem.is_none() && stack.declares(&reference.output) == Some(false);
    is_missing.then(|| format!("`{address}` has no output {}", quote(&reference.output)))
}
