//! Further names of an instance.

use super::read::{flag, text, values};
use crate::{
    layer::Merged,
    model::{Domain, OwnCertificate},
};

/// A domain; none where it names no service.
pub(super) fn domain(merged: &Merged<'_>) -> Option<Domain> {
    Some(Domain {
        service: text(merged, "service")?,
        redirect: flag(merged, "redirect"),
        site: merged.get("site").map(|site| values(Some(site))),
        tenant: text(merged, "tenant"),
        certificate: merged.get("certificate").and_then(|certificate| {
            Some(OwnCertificate {
                chain: text(certificate, "chain")?,
                key: certificate.at(&["key", "secret"])?.as_str()?.to_owned(),
            })
        }),
    })
}
