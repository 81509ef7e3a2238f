//! A certificate of a domain that browsers would refuse.

use x509_cert::{
    Certificate,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "certificate-mismatch",
    severity: Severity::Error,
    summary: "the certificate of a domain is not one for it",
    documentation: "\
`certificate` of one of `domains` has a `chain` that is no PEM certificate, whose first
certificate is not for that domain, or names a secret for its key that there is not.

Every browser would refuse the domain, or the Ingress would answer with another certificate.

Put the certificate of the domain itself first and those that signed it after it, and set its key
with `grove secret set <cluster>/<instance> NAME < key.pem`. That the key is the certificate's own
is checked when the instance is deployed: only then it is opened.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "domains: {shop.uni.example: {service: lms, certificate: {chain: none, key: {secret: MYSQL_ROOT_PASSWORD}}}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for (host, domain) in &instance.domains {
            let Some(certificate) = &domain.certificate else {
                continue;
            };
            if let Some(problem) = problem(&certificate.chain, host) {
                let route = ["domains", host, "certificate", "chain"];
                findings.add(problem, [view.stated(instance, &route)]);
            }
            if !instance.secrets.contains_key(&certificate.key) {
                let route = ["domains", host, "certificate", "key", "secret"];
                findings.add_with_hint(
                    format!(
                        "there is no secret {} with the key",
                        quote(&certificate.key)
                    ),
                    [view.stated(instance, &route)],
                    format!(
                        "`grove secret set {} {} < key.pem`",
                        instance.address, certificate.key
                    ),
                );
            }
        }
    }
}

/// What is wrong with a chain for a host.
fn problem(chain: &str, host: &str) -> Option<String> {
    let chain = Certificate::load_pem_chain(chain.as_bytes()).unwrap_or_default();
    let Some(own) = chain.first() else {
        return Some("the chain is no certificate in PEM form".to_owned());
    };
    let certificate = &own.tbs_certificate;
    let names: Vec<String> = match certificate.get::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0.iter().filter_map(dns).collect(),
        _ => Vec::new(),
    };
    if !names.iter().any(|name| covers(name, host)) {
        let names = match names.as_slice() {
            [] => "no host".to_owned(),
            names => names.join(", "),
        };
        return Some(format!(
            "the certificate is for {}, not for {}",
            quote(&names),
            quote(host)
        ));
    }
    None
}

fn dns(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        _ => None,
    }
}

/// Whether a name of a certificate is the host, or its wildcard for one more part
/// (RFC 6125, section 6.4.3).
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == host,
    }
}

#[cfg(test)]
mod tests {
    use super::{covers, problem};

    /// Made by openssl for shop.uni.example and *.uni.example, until 2036.
    const CHAIN: &str = include_str!("../base/shop.pem");

    #[test]
    fn a_certificate_is_for_its_names_until_its_end() {
        assert_eq!(problem(CHAIN, "shop.uni.example"), None);
        assert_eq!(problem(CHAIN, "any.uni.example"), None);
        insta::assert_snapshot!(problem(CHAIN, "a.b.uni.example").unwrap(), @"the certificate is for `shop.uni.example, *.uni.example`, not for `a.b.uni.example`");
        insta::assert_snapshot!(problem("-----BEGIN", "x.example").unwrap(), @"the chain is no certificate in PEM form");
    }

    #[test]
    fn a_wildcard_is_one_part() {
        assert!(covers("*.a.example", "x.a.example"));
        assert!(!covers("*.a.example", "a.example") && !covers("*.a.example", "x.y.a.example"));
    }
}
