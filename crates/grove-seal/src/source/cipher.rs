//! SOPS' form of one encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! The key is the file's data key, the nonce has 32 bytes, and the additional data is the path of
//! keys that leads to the value, each followed by `:`.

use aes_gcm::{
    AesGcm, KeyInit,
    aead::{AeadInPlace, consts::U32, generic_array::GenericArray},
    aes::Aes256,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{RngCore, rngs::OsRng};
use zeroize::Zeroizing;

use crate::Secret;

type Cipher = AesGcm<Aes256, U32>;

/// The key that encrypts a file's values; itself encrypted to each recipient.
#[derive(Clone)]
pub(super) struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new key from the operating system's random numbers.
    pub(super) fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// The key that these bytes are, where there are 32 of them.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The key's bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> Cipher {
        Cipher::new(GenericArray::from_slice(self.bytes()))
    }
}

/// What a value was before it was encrypted, as SOPS names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Str,
    /// Anything else that has a value: a number, a boolean, a time, bytes.
    Other,
    /// A comment, which counts for nothing.
    Comment,
}

/// Why a value could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It has not the form of an encrypted value.
    Form,
    /// Its text, its place or the key is not the one it was encrypted with.
    Authentication,
}

/// Encrypts a text; the empty text stays as it is, as SOPS has it.
pub(super) fn encrypt(key: &DataKey, text: &str, context: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let mut nonce = [0_u8; 32];
    OsRng.fill_bytes(&mut nonce);
    let mut buffer = Zeroizing::new(text.as_bytes().to_vec());
    let tag = key
        .cipher()
        .encrypt_in_place_detached(
            GenericArray::from_slice(&nonce),
            context.as_bytes(),
            &mut buffer,
        )
        .ok()?;
    Some(format!(
        "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
        BASE64_STANDARD.encode(buffer.as_slice()),
        BASE64_STANDARD.encode(nonce),
        BASE64_STANDARD.encode(tag),
    ))
}

/// Decrypts one value.
pub(super) fn decrypt(key: &DataKey, text: &str, context: &str) -> Result<(Kind, Secret), Failure> {
    if text.is_empty() {
        return Ok((Kind::Str, Secret::default()));
    }
    let parts = Parts::read(text).ok_or(Failure::Form)?;
    let mut buffer = Zeroizing::new(parts.data);
    key.cipher()
        .decrypt_in_place_detached(
            GenericArray::from_slice(&parts.nonce),
            context.as_bytes(),
            &mut buffer,
            GenericArray::from_slice(&parts.tag),
        )
        .map_err(|_| Failure::Authentication)?;
    let plain = std::str::from_utf8(&buffer).map_err(|_| Failure::Form)?;
    match parts.kind {
        "str" => Ok((Kind::Str, Secret::from(plain))),
        "comment" => Ok((Kind::Comment, Secret::from(plain))),
        // As every reader of SOPS files counts them; older writers used other spellings.
        "bool" => match plain {
            "True" | "true" | "TRUE" | "1" => Ok((Kind::Other, Secret::from("True"))),
            "False" | "false" | "FALSE" | "0" => Ok((Kind::Other, Secret::from("False"))),
            _ => Err(Failure::Form),
        },
        "int" | "float" | "bytes" | "time" => Ok((Kind::Other, Secret::from(plain))),
        _ => Err(Failure::Form),
    }
}

struct Parts<'a> {
    data: Vec<u8>,
    nonce: [u8; 32],
    tag: [u8; 16],
    kind: &'a str,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix("ENC[AES256_GCM,")?.strip_suffix(']')?;
        let mut fields = inner.split(',');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix(':');
        let data = BASE64_STANDARD.decode(field("data")?).ok()?;
        let nonce = BASE64_STANDARD.decode(field("iv")?).ok()?;
        let tag = BASE64_STANDARD.decode(field("tag")?).ok()?;
        let kind = field("type")?;
        fields.next().is_none().then_some(Self {
            data,
            nonce: nonce.try_into().ok()?,
            tag: tag.try_into().ok()?,
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{DataKey, Failure, Kind, decrypt, encrypt};

    #[test]
    fn a_value_opens_only_at_its_own_place_and_unchanged() {
        let key = DataKey::random();
        let text = encrypt(&key, "pässword", "instances:A:").unwrap();
        let (kind, plain) = decrypt(&key, &text, "instances:A:").unwrap();
        assert_eq!((kind, plain.expose()), (Kind::Str, "pässword"));
        assert_eq!(
            decrypt(&key, &text, "instances:B:").unwrap_err(),
            Failure::Authentication
        );
        assert_eq!(
            decrypt(&DataKey::random(), &text, "instances:A:").unwrap_err(),
            Failure::Authentication
        );
        assert_eq!(
            decrypt(&key, "ENC[AES256_GCM,data:x]", "").unwrap_err(),
            Failure::Form
        );
        assert_eq!(decrypt(&key, "pässword", "").unwrap_err(), Failure::Form);
    }

    #[test]
    fn the_same_text_is_never_the_same_ciphertext() {
        let key = DataKey::random();
        assert_ne!(encrypt(&key, "a", "A:"), encrypt(&key, "a", "A:"));
        assert_eq!(encrypt(&key, "", "A:").as_deref(), Some(""));
    }
}
