//! The data key, encrypted to age recipients in ASCII armour.

use std::io::{Read, Write};

use age::{
    DecryptError, Decryptor, Encryptor,
    armor::{ArmoredReader, ArmoredWriter, Format},
};
use zeroize::Zeroizing;

use super::{Error, Identities, cipher::DataKey};

/// A recipient of the files that this crate writes.
pub(super) type Recipient = age::x25519::Recipient;

/// Reads an age public key.
pub(super) fn recipient(text: &str) -> Result<Recipient, Error> {
    text.parse().map_err(|_| Error::Recipient {
        recipient: text.to_owned(),
    })
}

/// Why no data key came out.
pub(super) enum Failure {
    /// None of the identities is a recipient.
    NoMatch,
    /// Not an encrypted data key.
    Damaged(String),
}

/// Opens a data key.
pub(super) fn open(armored: &str, identities: &Identities) -> Result<DataKey, Failure> {
    let damaged = |error: &dyn std::fmt::Display| Failure::Damaged(error.to_string());
    let decryptor =
        Decryptor::new(ArmoredReader::new(armored.as_bytes())).map_err(|error| damaged(&error))?;
    let reader = decryptor
        .decrypt(identities.keys())
        .map_err(|error| match error {
            DecryptError::NoMatchingKeys => Failure::NoMatch,
            error => damaged(&error),
        })?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(64));
    // A data key has 32 bytes: what is longer is not one, however long it claims to be.
    reader
        .take(64)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(&error))?;
    DataKey::from_bytes(&bytes)
        .ok_or_else(|| Failure::Damaged("the data key has not 32 bytes".to_owned()))
}

/// Encrypts a data key to one recipient, as SOPS does: each recipient has a text of its own.
pub(super) fn seal(key: &DataKey, recipient: &Recipient) -> Result<String, String> {
    let encrypt = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let recipients = [recipient as &dyn age::Recipient];
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = Encryptor::with_recipients(recipients.into_iter())?.wrap_output(armor)?;
        writer.write_all(key.bytes())?;
        Ok(writer.finish()?.finish()?)
    };
    encrypt()
        .and_then(|bytes| Ok(String::from_utf8(bytes)?))
        .map_err(|error| error.to_string())
}
