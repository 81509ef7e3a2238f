//! Encryption as the Sealed Secrets controller opens it.
//!
//! Two bytes with the length of the RSA ciphertext, then it: a session key under RSA-OAEP with
//! SHA-256, whose label is the scope. Then the value under AES-256-GCM with that key and a nonce
//! of zeros, since the key serves once.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{AeadInPlace, generic_array::GenericArray},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{RngCore, rngs::OsRng};
use rsa::Oaep;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Secret, keys::SealingKey};

/// Seals a value for a namespace, as `encryptedData` holds it; none where the certificate's key
/// cannot encrypt at all.
pub(super) fn seal(key: &SealingKey, namespace: &str, value: &Secret) -> Option<String> {
    let mut session = Zeroizing::new([0_u8; 32]);
    OsRng.fill_bytes(session.as_mut());
    let padding = Oaep::new_with_label::<Sha256, _>(namespace);
    let wrapped = key
        .public
        .encrypt(&mut OsRng, padding, session.as_slice())
        .ok()?;
    let mut buffer = Zeroizing::new(value.expose().as_bytes().to_vec());
    let tag = Aes256Gcm::new(GenericArray::from_slice(session.as_slice()))
        .encrypt_in_place_detached(GenericArray::from_slice(&[0; 12]), b"", &mut buffer)
        .ok()?;
    let mut out = u16::try_from(wrapped.len()).ok()?.to_be_bytes().to_vec();
    out.extend_from_slice(&wrapped);
    out.extend_from_slice(&buffer);
    out.extend_from_slice(&tag);
    Some(BASE64_STANDARD.encode(out))
}
