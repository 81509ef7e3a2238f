//! Bringing an instance's sealed values up to date with the least that must be opened.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ciphertext, Ciphertexts, FingerprintKey, Form, hybrid};
use crate::{Secret, keys::SealingKey};

/// What was opened because it had changed.
#[derive(Debug)]
pub struct Opened {
    /// Values by name: those that were asked for, and any others, which serve the scan.
    pub values: BTreeMap<String, Secret>,
    /// The cluster's key for fingerprints.
    pub fingerprint_key: FingerprintKey,
}

/// What [`refresh`] gives.
#[derive(Debug)]
pub struct Refreshed {
    /// Today's sealed values.
    pub ciphertexts: Ciphertexts,
    /// The values that were opened, for the scan; none where nothing had to be.
    pub opened: Option<BTreeMap<String, Secret>>,
    /// The names whose value is new or another than before.
    pub changed: BTreeSet<String>,
}

/// Why values could not be sealed. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError<E> {
    /// The values could not be opened.
    #[error(transparent)]
    Open(E),
    /// A value that was asked for did not come.
    #[error("there is no value of the secret `{0}`")]
    Missing(String),
    /// The certificate's key encrypts nothing.
    #[error("the sealing certificate's key cannot seal `{0}`")]
    Sealing(String),
}

/// Brings `previous` up to date.
///
/// `wanted` holds each name and the digest of the SOPS ciphertext of its value. `open` is called
/// with the names to open, once, and only where a source, the certificate or the namespace changed
/// or a name is new. A value that is opened and has the fingerprint it had keeps its ciphertext, so
/// that a file that was merely written anew changes nothing.
pub fn refresh<E>(
    previous: Option<&Ciphertexts>,
    wanted: &BTreeMap<String, String>,
    key: &SealingKey,
    namespace: &str,
    open: impl FnOnce(&BTreeSet<String>) -> Result<Opened, E>,
) -> Result<Refreshed, RefreshError<E>> {
    let mut ciphertexts = Ciphertexts::new(key.digest(), namespace);
    let before = |name: &str| previous.and_then(|previous| previous.secrets.get(name));
    let still_opens = previous.is_some_and(|previous| {
        previous.certificate == ciphertexts.certificate && previous.namespace == namespace
    });
    let kept = |name: &str| before(name).filter(|_| still_opens);
    let mut stale = BTreeSet::new();
    for (name, source) in wanted {
        match kept(name) {
            Some(entry) if entry.source == *source => {
                ciphertexts.secrets.insert(name.clone(), entry.clone());
            }
            _ => {
                stale.insert(name.clone());
            }
        }
    }
    let mut changed = BTreeSet::new();
    if stale.is_empty() {
        return Ok(Refreshed {
            ciphertexts,
            opened: None,
            changed,
        });
    }

    let opened = open(&stale).map_err(RefreshError::Open)?;
    for name in stale {
        let value = opened
            .values
            .get(&name)
            .ok_or_else(|| RefreshError::Missing(name.clone()))?;
        let source = wanted.get(&name).cloned().unwrap_or_default();
        let fingerprint = opened.fingerprint_key.fingerprint(&name, value);
        if before(&name).is_none_or(|entry| entry.fingerprint != fingerprint) {
            changed.insert(name.clone());
        }
        let entry = match kept(&name) {
            Some(entry) if entry.fingerprint == fingerprint => Ciphertext {
                source,
                ..entry.clone()
            },
            _ => Ciphertext {
                ciphertext: hybrid::seal(key, namespace, value)
                    .ok_or_else(|| RefreshError::Sealing(name.clone()))?,
                fingerprint,
                form: Form::of(value.expose()),
                source,
            },
        };
        ciphertexts.secrets.insert(name, entry);
    }
    Ok(Refreshed {
        ciphertexts,
        opened: Some(opened.values),
        changed,
    })
}
