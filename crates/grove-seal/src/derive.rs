//! Values that follow from other secrets: the numbers of the JWT key, and Meilisearch's API key.
//!
//! They are names of their own, since templates print them, and nobody writes them down.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_URL_SAFE_NO_PAD,
};
use grove_core::digest;
use hmac::{Hmac, Mac};
use rsa::{
    pkcs1::{UintRef, der::Decode},
    pkcs8::PrivateKeyInfo,
};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Secret;

/// Tutor's key that signs tokens: RSA in PEM.
const JWT_KEY: &str = "JWT_RSA_PRIVATE_KEY";
/// Its numbers, as a JSON Web Key names them.
const JWT_NUMBERS: [&str; 8] = [
    "JWT_RSA_PRIVATE_KEY_N",
    "JWT_RSA_PRIVATE_KEY_E",
    "JWT_RSA_PRIVATE_KEY_D",
    "JWT_RSA_PRIVATE_KEY_P",
    "JWT_RSA_PRIVATE_KEY_Q",
    "JWT_RSA_PRIVATE_KEY_DP",
    "JWT_RSA_PRIVATE_KEY_DQ",
    "JWT_RSA_PRIVATE_KEY_QI",
];
const SEARCH_API_KEY: &str = "MEILISEARCH_API_KEY";
const SEARCH_MASTER_KEY: &str = "MEILISEARCH_MASTER_KEY";
const SEARCH_API_KEY_UID: &str = "MEILISEARCH_API_KEY_UID";

/// Why a value could not be derived. Never holds a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither a secret of this name nor what it would follow from.
    #[error("there is no secret `{0}`")]
    Missing(String),
    /// Not an RSA private key in PEM, or an encrypted one.
    #[error("`JWT_RSA_PRIVATE_KEY` is not an unencrypted RSA private key in PEM")]
    JwtKey,
    /// An API key that Meilisearch would not accept.
    #[error(
        "`MEILISEARCH_API_KEY` is not the key that follows from `MEILISEARCH_MASTER_KEY` and `MEILISEARCH_API_KEY_UID`"
    )]
    SearchKey,
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(name) => {
                let parents = parents(name).unwrap_or(&[]);
                match parents {
                    [] => format!("`grove secret set {name}`, or `grove secret generate`"),
                    parents => format!("it follows from {}: set that", parents.join(" and ")),
                }
            }
            Self::JwtKey => {
                "Tutor's own form starts with `-----BEGIN RSA PRIVATE KEY-----`".to_owned()
            }
            Self::SearchKey => {
                "remove `MEILISEARCH_API_KEY` from the file: it is derived".to_owned()
            }
        })
    }
}

/// The secrets from which the value of `name` follows; none where it is drawn or given.
pub fn parents(name: &str) -> Option<&'static [&'static str]> {
    if JWT_NUMBERS.contains(&name) {
        Some(&[JWT_KEY])
    } else if name == SEARCH_API_KEY {
        Some(&[SEARCH_MASTER_KEY, SEARCH_API_KEY_UID])
    } else {
        None
    }
}

/// The source of every name: the digest of its SOPS ciphertext, or what stands for those of its
/// parents. `references` has the digests of the secrets that the fleet holds.
pub fn sources(
    names: &BTreeSet<String>,
    references: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    names
        .iter()
        .map(|name| {
            let missing = || Error::Missing(name.clone());
            let own = references.get(name);
            let source = match derived_from(name, |parent| references.contains_key(parent)) {
                None => own.cloned().ok_or_else(missing)?,
                Some(parents) => {
                    let digests: Vec<&str> = parents
                        .iter()
                        .filter_map(|parent| references.get(*parent))
                        .chain(own)
                        .map(String::as_str)
                        .collect();
                    match digests.as_slice() {
                        [one] => (*one).to_owned(),
                        many => digest::sha256(many.join("\n").as_bytes()),
                    }
                }
            };
            Ok((name.clone(), source))
        })
        .collect()
}

/// The parents of `name` where all of them are held: an API key without them, as of a search
/// engine that somebody else runs, is a secret like any other.
fn derived_from(name: &str, held: impl Fn(&str) -> bool) -> Option<&'static [&'static str]> {
    parents(name).filter(|parents| parents.iter().all(|parent| held(parent)))
}

/// The names to open so that [`values`] can give the values of `names`; `references` are the
/// secrets that the fleet holds.
pub fn needed(names: &BTreeSet<String>, references: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    for name in names {
        let parents = derived_from(name, |parent| references.contains_key(parent));
        needed.extend(
            parents
                .into_iter()
                .flatten()
                .map(|parent| (*parent).to_owned()),
        );
        if parents.is_none() || references.contains_key(name) {
            needed.insert(name.clone());
        }
    }
    needed
}

/// The values of `names`, from those that were `opened`.
pub fn values(
    names: &BTreeSet<String>,
    opened: &BTreeMap<String, Secret>,
) -> Result<BTreeMap<String, Secret>, Error> {
    let mut jwt = BTreeMap::new();
    if names
        .iter()
        .any(|name| JWT_NUMBERS.contains(&name.as_str()))
        && let Some(key) = opened.get(JWT_KEY)
    {
        jwt = jwt_numbers(key)?;
    }
    let search = match (
        opened.get(SEARCH_MASTER_KEY),
        opened.get(SEARCH_API_KEY_UID),
    ) {
        (Some(master), Some(uid)) => Some(search_api_key(master, uid)),
        _ => None,
    };
    names
        .iter()
        .map(|name| {
            let own = opened.get(name);
            let derived = if name == SEARCH_API_KEY {
                search.as_ref()
            } else {
                jwt.get(name.as_str())
            };
            if name == SEARCH_API_KEY && derived.is_some() && own.is_some() && own != derived {
                return Err(Error::SearchKey);
            }
            let value = derived
                .or(own)
                .ok_or_else(|| Error::Missing(name.clone()))?;
            Ok((name.clone(), value.clone()))
        })
        .collect()
}

/// Meilisearch's API key: HMAC-SHA256 of the key's UID under the master key, in hexadecimal digits
/// (Tutor's filter `uid_master_hash`).
pub fn search_api_key(master: &Secret, uid: &Secret) -> Secret {
    let mut text = String::new();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(master.expose().as_bytes()) {
        mac.update(uid.expose().as_bytes());
        text = digest::hex(&mac.finalize().into_bytes());
    }
    Secret::new(text)
}

/// The numbers of an RSA key as Tutor's filter `long_to_base64` prints them: base64 of the
/// big-endian bytes with the URL alphabet and no padding.
fn jwt_numbers(pem: &Secret) -> Result<BTreeMap<&'static str, Secret>, Error> {
    let der = pem_body(pem.expose()).ok_or(Error::JwtKey)?;
    // PKCS #8 holds PKCS #1.
    let inner = PrivateKeyInfo::from_der(&der).map_or(der.as_slice(), |info| info.private_key);
    let key = rsa::pkcs1::RsaPrivateKey::from_der(inner).map_err(|_| Error::JwtKey)?;
    let numbers = [
        key.modulus,
        key.public_exponent,
        key.private_exponent,
        key.prime1,
        key.prime2,
        key.exponent1,
        key.exponent2,
        key.coefficient,
    ];
    let text = |number: UintRef<'_>| Secret::new(BASE64_URL_SAFE_NO_PAD.encode(number.as_bytes()));
    Ok(JWT_NUMBERS.into_iter().zip(numbers.map(text)).collect())
}

/// The bytes between the markers of a PEM text, however its lines are broken.
fn pem_body(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    if !matches!(label, "RSA PRIVATE KEY" | "PRIVATE KEY") {
        return None;
    }
    let (body, _) = rest.split_once("-----END ")?;
    let body: Zeroizing<String> = Zeroizing::new(
        body.chars()
            .filter(|symbol| !symbol.is_whitespace())
            .collect(),
    );
    LENIENT.decode(body.as_bytes()).ok().map(Zeroizing::new)
}
