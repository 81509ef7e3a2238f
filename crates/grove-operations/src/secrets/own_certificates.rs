//! Certificates that the operator brings: that each goes with its key is looked at before it is deployed.

use std::collections::BTreeSet;

use grove_fleet::model::Instance;
use grove_release::Objects;
use grove_seal::tls;
use serde_json::Value;

use super::open::Secrets;
use crate::{Error, Kind, Result};

/// Refuses a certificate whose key is another's. Keys are opened where certificate or key is another than
/// `running` has.
pub(crate) fn refuse_mismatch(
    instance: &Instance,
    changed: &BTreeSet<String>,
    running: Option<&Objects>,
    secrets: &Secrets<'_>,
) -> Result<()> {
    for (domain, what) in &instance.domains {
        let Some(certificate) = &what.certificate else {
            continue;
        };
        let is_running = running.is_some_and(|objects| {
            objects.values().any(|object| {
                let chain = object.pointer("/spec/template/data/tls.crt");
                chain.and_then(Value::as_str) == Some(certificate.chain.as_str())
            })
        });
        if is_running && !changed.contains(&certificate.key) {
            continue;
        }
        // One that is not there is found before.
        let Some(reference) = instance.secrets.get(&certificate.key) else {
            continue;
        };
        tls::check(&certificate.chain, &secrets.value(reference)?).map_err(|error| {
            Error::new(
                Kind::No,
                format!("the certificate of {domain}: {error} (`{}`)", certificate.key),
            )
            .hint(format!(
                "`grove secret set {} {} < key.pem` takes the key that its certificate was asked for with",
                instance.address, certificate.key
            ))
        })?;
    }
    Ok(())
}
