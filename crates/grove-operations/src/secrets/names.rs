//! Names of secrets that Grove keeps in the `cluster` map of a cluster's secrets.

use grove_seal::keys::SealingKey;

use crate::Result;

/// The name of the fingerprint key in the `cluster` map of a cluster's secrets.
pub(crate) const FINGERPRINT_KEY: &str = "FINGERPRINT_KEY";
/// The name of the private sealing key there.
pub(crate) const SEALING_KEY: &str = "SEALING_PRIVATE_KEY";

/// The beginning of the names of private keys there that were rotated away.
pub(crate) const RETIRED_KEY: &str = "SEALING_RETIRED_KEY_";

/// The name of a key pair among the secrets of a cluster once it is rotated away, by its certificate.
pub(crate) fn retired_key(certificate: &str) -> Result<String> {
    let short = short_digest(certificate)?.to_ascii_uppercase();
    Ok(format!("{RETIRED_KEY}{short}"))
}

/// Ten digits by which a certificate is known.
pub(crate) fn short_digest(certificate: &str) -> Result<String> {
    let key = SealingKey::from_pem(certificate)?;
    let digits = key.digest().trim_start_matches("sha256:");
    Ok(digits.chars().take(10).collect())
}
