//! Certificates that an operator brings, and their keys.

use rustls::{
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use crate::Secret;

/// Why a server could not use a certificate with a key. Never holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The certificates cannot be read.
    #[error("the chain is no certificate in PEM form")]
    Chain,
    /// The key cannot be read.
    #[error("the key is no private key in PEM form")]
    Key,
    /// The key is that of another certificate.
    #[error("the key is not that of the certificate")]
    Mismatch,
}

/// Whether a server could use `chain`, certificates as PEM with its own first, with the private key.
pub fn check(chain: &str, key: &Secret) -> Result<(), TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::Chain)?;
    if chain.is_empty() {
        return Err(TlsError::Chain);
    }
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| TlsError::Key)?;
    match CertifiedKey::from_der(chain, key, &default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch),
        Err(rustls::Error::InvalidCertificate(_)) => Err(TlsError::Chain),
        Err(_) => Err(TlsError::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::new_key_pair;

    #[test]
    fn a_certificate_goes_with_its_own_key_alone() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let pair = || new_key_pair(2048, "shop.example", now).unwrap();
        let (one, other) = (pair(), pair());
        assert_eq!(check(&one.certificate, &one.private), Ok(()));
        assert_eq!(
            check(&one.certificate, &other.private),
            Err(TlsError::Mismatch)
        );
        assert_eq!(check("", &one.private), Err(TlsError::Chain));
        assert_eq!(
            check(&one.certificate, &Secret::from("x")),
            Err(TlsError::Key)
        );
    }
}
