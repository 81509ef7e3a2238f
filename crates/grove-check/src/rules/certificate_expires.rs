//! A certificate of a domain that ends soon, or has ended.

use x509_cert::Certificate;

use crate::{
    Severity,
    certificates::SOON,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "certificate-expires",
    severity: Severity::Warning,
    summary: "the certificate of a domain ends within 30 days, or has ended",
    documentation: "\
`certificate` of one of `domains` is valid for less than 30 days more, or no longer.

Nobody renews it but whoever brought it; once it has ended, browsers refuse the domain. It is a
warning even then, so that what else is to be deployed can be.

Put the new chain in its place, and its key with `grove secret set` where that is another.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            include_str!("../base/shop.yaml"),
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    let Some(now) = view.context.now else {
        return;
    };
    for instance in view.fleet.instances.values() {
        for (host, domain) in &instance.domains {
            let chain = domain.certificate.as_ref().map(|own| own.chain.as_bytes());
            // One that cannot be read is another finding.
            let chain = chain.and_then(|chain| Certificate::load_pem_chain(chain).ok());
            let Some(own) = chain.as_ref().and_then(|chain| chain.first()) else {
                continue;
            };
            let end = own.tbs_certificate.validity.not_after.to_unix_duration();
            let end = i64::try_from(end.as_secs()).unwrap_or(i64::MAX);
            let left = end.saturating_sub(now.as_second());
            if left >= SOON {
                continue;
            }
            let Ok(day) = jiff::Timestamp::from_second(end) else {
                continue;
            };
            let verb = if left < 0 { "ended" } else { "ends" };
            let day = day.strftime("%Y-%m-%d");
            findings.add(
                format!("the certificate of {} {verb} on {day}", quote(host)),
                [view.stated(instance, &["domains", host, "certificate", "chain"])],
            );
        }
    }
}
