//! A value that a root module does not take.

use grove_fleet::near::nearest;
use grove_stack::{backend::PASSPHRASE, root, stack::Input};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-input",
    severity: Severity::Error,
    summary: "an input of a stack is not declared, is missing, or has another type",
    documentation: "\
`inputs` of a stack names a variable that its root module does not declare, lacks one that has no
default, or states a value that cannot become one of the variable's type.

OpenTofu would refuse the plan, or pass over a value that has no effect.

Correct the name or the value; `grove stack list` shows what a stack declares.",
    example: Example::files(&[
        (
            "clusters/prod/cluster.yaml",
            Content::Text(concat!(
                include_str!("../base/cluster.yaml"),
                "state: {backend: pg}\n",
                "stacks: {dns: {inputs: {zone: [a]}}}\n"
            )),
        ),
        (
            "clusters/prod/stacks/dns/main.tf",
            Content::Text("variable \"zone\" {\n  type = string\n}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for stack in view.fleet.stacks.values() {
        let Some(module) = stack.module().filter(|_| stack.problem.is_none()) else {
            continue;
        };
        let address = &stack.address;
        for (name, input) in &stack.inputs {
            let place = || view.stack(address, &["inputs", name]);
            let Some(variable) = module.variables.get(name) else {
                if !module.is_partial {
                    let known = module.variables.keys().map(String::as_str);
                    let hint = match nearest(name, known) {
                        Some(near) => format!("it declares {}", quote(near)),
                        None => format!("declare it: `variable \"{name}\" {{}}`"),
                    };
                    findings.add_with_hint(
                        format!("`{address}` declares no variable {}", quote(name)),
                        [place()],
                        hint,
                    );
                }
                continue;
            };
            if let Input::Value(value) = input
                && let Err(why) = variable.holds.check(value)
            {
                findings.add(format!("{} of `{address}`: {why}", quote(name)), [place()]);
            }
        }
        for (name, variable) in &module.variables {
            let is_given = stack.inputs.contains_key(name)
                || root::FACTS.contains(&name.as_str())
                || name == PASSPHRASE;
            if variable.is_required && !is_given {
                findings.add_with_hint(
                    format!("`{address}` lacks a value of {}", quote(name)),
                    [view.stack(address, &["inputs"])],
                    match &variable.description {
                        Some(description) => format!("{}: {description}", variable.holds),
                        None => format!("it is declared as {}", variable.holds),
                    },
                );
            }
        }
    }
}
