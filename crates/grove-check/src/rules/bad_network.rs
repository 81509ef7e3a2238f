//! Text in place of an address.

use grove_fleet::network::is_network;

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-network",
    severity: Severity::Error,
    summary: "an address or a network is none",
    documentation: "\
`maintenance.allow` and `network.egress` hold addresses (`203.0.113.7`, `2001:db8::1`) and networks
(`198.51.100.0/24`), and something else stands there.

Host names are no part of them: what they stand for can change, and neither Caddy nor a
NetworkPolicy looks them up. Write the addresses.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "maintenance: {allow: [office.uni.example]}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        let all = [
            (["maintenance", "allow"], &instance.maintenance.allow),
            (["network", "egress"], &instance.network.egress),
        ];
        for (route, texts) in all {
            for wrong in texts.iter().filter(|text| !is_network(text)) {
                findings.add(
                    format!("{} is no address and no network", quote(wrong)),
                    [view.stated(instance, &route)],
                );
            }
        }
    }
}
