//! Outputs that are not what an apply wrote.

use grove_fleet::{layout::Kind, load::output_secrets};
use grove_stack::outputs::{OutputValue, Outputs};

use crate::{
    Severity,
    findings::{Findings, Place, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "outputs-unreadable",
    severity: Severity::Error,
    summary: "the outputs of a stack cannot be read, or are not what an apply wrote",
    documentation: "\
`outputs/<stack>.json` has another shape than Grove writes, a checksum that does not fit, or
belongs to another stack; or the sensitive outputs beside it are not those that it speaks of.

Other stacks and instances are made from it: a value that was changed by hand, merged or half
written would reach what serves learners.

Write it anew from the state: `grove stack output STACK --write`. To state outputs by hand, use
`outputs` in `cluster.yaml`.",
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
            Content::Text("output \"zone\" {\n  value = 1\n}\n"),
        ),
        (
            "clusters/prod/outputs/dns.json",
            Content::Text("{\"version\": 1}\n"),
        ),
    ]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for document in view.documents {
        let Kind::Outputs(address) = &document.kind else {
            continue;
        };
        let hint = format!("`grove stack output {address} --write` writes it from the state");
        match Outputs::parse(&document.bytes, &address.to_string()) {
            Err(error) => findings.add_with_hint(
                error.to_string(),
                [Place::file(document.real.as_str())],
                hint,
            ),
            Ok(outputs) => {
                let secrets = output_secrets(view.all, address);
                for (name, output) in &outputs.outputs {
                    let OutputValue::Sensitive { sensitive } = output else {
                        continue;
                    };
                    let found = secrets.get(name).map(|secret| secret.digest.as_str());
                    if found != Some(sensitive) {
                        findings.add_with_hint(
                            format!(
                                "the value of {} in `{}` is not the one that is meant",
                                quote(name),
                                address.outputs_secrets_file()
                            ),
                            [Place::file(document.real.as_str())],
                            hint.as_str(),
                        );
                    }
                }
            }
        }
    }
}
