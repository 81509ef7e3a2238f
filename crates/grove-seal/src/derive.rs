//! Values that follow from other secrets: the numbers of the JWT key, Meilisearch's API key, and what
//! templates compute of a secret (`program`).
//!
//! They are names of their own, since templates print them, and nobody writes them down.

mod program;
#[cfg(test)]
mod tests;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

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
use program::Program;

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
    /// A value whose bytes are no text, at a place that takes text.
    #[error("`{0}`, which a template computes, is not a text")]
    NotText(String),
    /// A value with letters whose case Grove does not change as Python does.
    #[error("`{0}` cannot be computed: the value has letters beyond ASCII")]
    NotAscii(String),
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(name) => {
                match (parents(name), Program::guess(name)) {
                    (Some(parents), _) => {
                        format!("it follows from {}: set that", parents.join(" and "))
                    }
                    (None, Some(secret)) => format!(
                        "a template computes it of `{secret}`: `grove secret set {secret}`, or `grove secret generate`"
                    ),
                    (None, None) => {
                        format!("`grove secret set {name}`, or `grove secret generate`")
                    }
                }
            }
            Self::JwtKey => {
                "Tutor's own form starts with `-----BEGIN RSA PRIVATE KEY-----`".to_owned()
            }
            Self::SearchKey => {
                "remove `MEILISEARCH_API_KEY` from the file: it is derived".to_owned()
            }
            Self::NotText(_) | Self::NotAscii(_) => {
                "have the template put the secret in as it is, or set the value as a secret of its own".to_owned()
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

/// How the value of a name comes about.
enum Origin {
    /// The fleet holds it.
    Own,
    /// It follows from these.
    From(&'static [&'static str]),
    /// A template computes it.
    Computed(Program),
}

/// How the value of `name` comes about, where the fleet holds the secrets that `held` says; none
/// where it has no value.
fn origin(name: &str, held: &dyn Fn(&str) -> bool) -> Option<Origin> {
    if let Some(parents) = derived_from(name, held) {
        return Some(Origin::From(parents));
    }
    if held(name) {
        return Some(Origin::Own);
    }
    let is_known = |base: &str| held(base) || derived_from(base, held).is_some();
    Program::of(name, &is_known).map(Origin::Computed)
}

/// Whether `name` has a value, where the fleet holds the secrets that `held` says.
pub fn is_held(name: &str, held: &dyn Fn(&str) -> bool) -> bool {
    match origin(name, held) {
        None => false,
        Some(Origin::Own | Origin::From(_)) => true,
        Some(Origin::Computed(program)) => program.parents().all(|parent| is_held(parent, held)),
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
        .map(|name| Ok((name.clone(), source(name, references)?)))
        .collect()
}

fn source(name: &str, references: &BTreeMap<String, String>) -> Result<String, Error> {
    let own = references.get(name);
    let held = |name: &str| references.contains_key(name);
    let missing = || Error::Missing(name.to_owned());
    let digests: Vec<String> = match origin(name, &held).ok_or_else(missing)? {
        Origin::Own => own.into_iter().cloned().collect(),
        Origin::From(parents) => parents
            .iter()
            .filter_map(|parent| references.get(*parent))
            .chain(own)
            .cloned()
            .collect(),
        Origin::Computed(program) => program
            .parents()
            .map(|parent| source(parent, references))
            .collect::<Result<_, _>>()?,
    };
    Ok(match digests.as_slice() {
        [one] => one.clone(),
        many => digest::sha256(many.join("\n").as_bytes()),
    })
}

/// The parents of `name` where all of them are held: an API key without them, as of a search
/// engine that somebody else runs, is a secret like any other.
fn derived_from(name: &str, held: &dyn Fn(&str) -> bool) -> Option<&'static [&'static str]> {
    parents(name).filter(|parents| parents.iter().all(|parent| held(parent)))
}

/// The names to open so that [`values`] can give the values of `names`; `references` are the
/// secrets that the fleet holds.
pub fn needed(names: &BTreeSet<String>, references: &BTreeMap<String, String>) -> BTreeSet<String> {
    let held = |name: &str| references.contains_key(name);
    let mut needed = BTreeSet::new();
    for name in names {
        match origin(name, &held) {
            Some(Origin::From(parents)) => {
                needed.extend(parents.iter().map(|parent| (*parent).to_owned()));
                if held(name) {
                    needed.insert(name.clone());
                }
            }
            Some(Origin::Computed(program)) => {
                let parents = program.parents().map(str::to_owned).collect();
                needed.extend(self::needed(&parents, references));
            }
            Some(Origin::Own) | None => {
                needed.insert(name.clone());
            }
        }
    }
    needed
}

/// The values of `names`, from those that were `opened`.
pub fn values(
    names: &BTreeSet<String>,
    opened: &BTreeMap<String, Secret>,
) -> Result<BTreeMap<String, Secret>, Error> {
    let values = Values {
        opened,
        jwt: OnceCell::new(),
    };
    names
        .iter()
        .map(|name| Ok((name.clone(), values.get(name)?)))
        .collect()
}

/// Values from those that were opened.
struct Values<'a> {
    opened: &'a BTreeMap<String, Secret>,
    /// The numbers of the JWT key, which are read once.
    jwt: OnceCell<BTreeMap<&'static str, Secret>>,
}

impl Values<'_> {
    fn get(&self, name: &str) -> Result<Secret, Error> {
        let own = self.opened.get(name);
        let held = |name: &str| self.opened.contains_key(name);
        if let Some(number) = self.jwt_number(name)? {
            return Ok(number);
        }
        if name == SEARCH_API_KEY
            && let (Some(master), Some(uid)) = (
                self.opened.get(SEARCH_MASTER_KEY),
                self.opened.get(SEARCH_API_KEY_UID),
            )
        {
            let derived = search_api_key(master, uid);
            return match own {
                Some(own) if *own != derived => Err(Error::SearchKey),
                _ => Ok(derived),
            };
        }
        if let Some(own) = own {
            return Ok(own.clone());
        }
        match origin(name, &held) {
            Some(Origin::Computed(program)) => program.run(name, &|parent| self.get(parent)),
            _ => Err(Error::Missing(name.to_owned())),
        }
    }

    fn jwt_number(&self, name: &str) -> Result<Option<Secret>, Error> {
        let Some(key) = self.opened.get(JWT_KEY) else {
            return Ok(None);
        };
        if !JWT_NUMBERS.contains(&name) {
            return Ok(None);
        }
        let numbers = if let Some(numbers) = self.jwt.get() {
            numbers
        } else {
            let numbers = jwt_numbers(key)?;
            self.jwt.get_or_init(|| numbers)
        };
        Ok(numbers.get(name).cloned())
    }
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
