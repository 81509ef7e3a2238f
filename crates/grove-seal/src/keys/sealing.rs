//! The key pair of a cluster's Sealed Secrets controller.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use rand::{RngCore, rngs::OsRng};
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs1v15::SigningKey,
    pkcs8::{DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding},
    traits::PublicKeyParts,
};
use sha2::Sha256;
use x509_cert::{
    Certificate,
    builder::{Builder, CertificateBuilder, Profile},
    der::{Decode, DecodePem, Encode, EncodePem, asn1::GeneralizedTime},
    name::Name,
    serial_number::SerialNumber,
    spki::SubjectPublicKeyInfoOwned,
    time::{Time, Validity},
};

use super::Error;
use crate::Secret;

/// The size of a sealing key, in bits, as the controller itself makes them.
pub const SEALING_BITS: usize = 4096;

/// Ten years of 365 days and some leap days, in seconds.
const LIFETIME: i64 = 3653 * 24 * 60 * 60;

/// A sealing key pair: what goes into the cluster's TLS Secret.
#[derive(Debug)]
pub struct KeyPair {
    /// `tls.key`: PKCS #8 in PEM.
    pub private: Secret,
    /// `tls.crt`, and `sealing.pem` of the fleet: a self-signed certificate in PEM.
    pub certificate: String,
}

/// The first line of a certificate in PEM.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

impl KeyPair {
    /// Both halves in one text, the private one first: as a fleet keeps a pair whose certificate has no
    /// file of its own.
    pub fn join(&self) -> Secret {
        let private = self.private.expose().trim_end();
        Secret::new(format!("{private}\n{}", self.certificate))
    }

    /// The halves of a joined text; a private key alone has no certificate.
    pub fn split(joined: &Secret) -> (Secret, Option<String>) {
        let text = joined.expose();
        match text.find(CERTIFICATE) {
            Some(at) => {
                let (private, certificate) = text.split_at(at);
                (Secret::from(private), Some(certificate.to_owned()))
            }
            None => (joined.clone(), None),
        }
    }
}

/// Makes a key pair whose certificate holds from `now` for ten years. `bits` is [`SEALING_BITS`]
/// outside tests; `name` is the certificate's common name.
pub fn new_key_pair(bits: usize, name: &str, now: Timestamp) -> Result<KeyPair, Error> {
    let writing = |error: &dyn fmt::Display| Error::Writing(error.to_string());
    let key = RsaPrivateKey::new(&mut OsRng, bits)
        .map_err(|error| Error::Generation(error.to_string()))?;
    let private = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| writing(&error))?;

    let public = key
        .to_public_key()
        .to_public_key_der()
        .map_err(|error| writing(&error))?;
    let public =
        SubjectPublicKeyInfoOwned::from_der(public.as_bytes()).map_err(|error| writing(&error))?;
    let validity = Validity {
        not_before: certificate_time(now.as_second())?,
        not_after: certificate_time(now.as_second() + LIFETIME)?,
    };
    let mut serial = [0_u8; 16];
    OsRng.fill_bytes(&mut serial);
    serial[0] = serial[0] & 0x7f | 0x40; // positive, and never with a leading zero
    let serial = SerialNumber::new(&serial).map_err(|error| writing(&error))?;
    let name = Name::from_str(&format!("CN={}", escaped(name))).map_err(|error| writing(&error))?;
    let signer = SigningKey::<Sha256>::new(key);
    let certificate =
        CertificateBuilder::new(Profile::Root, serial, validity, name, public, &signer)
            .and_then(CertificateBuilder::build::<rsa::pkcs1v15::Signature>)
            .map_err(|error| writing(&error))?;
    Ok(KeyPair {
        private: Secret::from(private.as_str()),
        certificate: certificate
            .to_pem(LineEnding::LF)
            .map_err(|error| writing(&error))?,
    })
}

/// The public half of a sealing key, from its certificate.
#[derive(Clone)]
pub struct SealingKey {
    pub(crate) public: RsaPublicKey,
    digest: String,
    not_after: i64,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("SealingKey")
            .field(&self.digest)
            .finish()
    }
}

impl SealingKey {
    /// Reads `sealing.pem`: one certificate in PEM. Whether it still holds is
    /// [`SealingKey::not_after`]'s to say: a controller opens with expired ones too.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let certificate = Certificate::from_pem(pem.trim())
            .map_err(|error| Error::Certificate(error.to_string()))?;
        let der = certificate
            .to_der()
            .map_err(|error| Error::Certificate(error.to_string()))?;
        let key = certificate
            .tbs_certificate
            .subject_public_key_info
            .to_der()
            .map_err(|error| Error::Certificate(error.to_string()))?;
        let public = RsaPublicKey::from_public_key_der(&key).map_err(|_| Error::NotRsa)?;
        if public.size() < 128 {
            return Err(Error::NotRsa);
        }
        let end = certificate
            .tbs_certificate
            .validity
            .not_after
            .to_unix_duration();
        Ok(Self {
            public,
            digest: grove_core::digest::sha256(&der),
            not_after: i64::try_from(end.as_secs()).unwrap_or(i64::MAX),
        })
    }

    /// `sha256:` and 64 digits of the certificate.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The certificate's last second, since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }
}

fn certificate_time(seconds: i64) -> Result<Time, Error> {
    let seconds =
        u64::try_from(seconds).map_err(|_| Error::Writing("the time is before 1970".to_owned()))?;
    GeneralizedTime::from_unix_duration(Duration::from_secs(seconds))
        .map(Time::from)
        .map_err(|error| Error::Writing(error.to_string()))
}

/// A common name in which nothing reads as more of a distinguished name.
fn escaped(name: &str) -> String {
    name.chars()
        .map(|symbol| {
            if symbol.is_ascii_alphanumeric() || "-._ ".contains(symbol) {
                symbol
            } else {
                '-'
            }
        })
        .collect()
}
