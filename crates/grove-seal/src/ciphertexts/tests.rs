use std::{collections::BTreeMap, convert::Infallible, sync::LazyLock};

use super::{Ciphertexts, Error, FingerprintKey, Form, Opened, RefreshError, Refreshed, refresh};
use crate::{
    Secret,
    keys::{KeyPair, SealingKey, new_key_pair},
};

static PAIR: LazyLock<KeyPair> = LazyLock::new(pair);

fn pair() -> KeyPair {
    new_key_pair(
        1024,
        "test cluster",
        "2027-01-02T03:04:05Z".parse().unwrap(),
    )
    .unwrap()
}

fn key() -> SealingKey {
    SealingKey::from_pem(&PAIR.certificate).unwrap()
}

/// Names with the digest of their SOPS ciphertext.
fn wanted(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, source)| ((*name).to_owned(), (*source).to_owned()))
        .collect()
}

fn opened(pairs: &[(&str, &str)]) -> Opened {
    Opened {
        values: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::from(*value)))
            .collect(),
        fingerprint_key: FingerprintKey::new("key".into()),
    }
}

/// The first sealing of A and B.
fn first() -> Ciphertexts {
    let wanted = wanted(&[("A", "1"), ("B", "1")]);
    let refreshed: Result<Refreshed, RefreshError<Infallible>> =
        refresh(None, &wanted, &key(), "uni", |_| {
            Ok(opened(&[("A", "a"), ("B", "b c")]))
        });
    refreshed.unwrap().ciphertexts
}

#[test]
fn the_certificate_is_that_of_ten_years() {
    let key = key();
    assert_eq!(
        key.not_after(),
        "2037-01-02T03:04:05Z"
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_second()
    );
    assert!(key.digest().starts_with("sha256:"));
    assert!(!format!("{:?} {key:?}", *PAIR).contains("PRIVATE"));
    assert!(SealingKey::from_pem("x").is_err());
}

#[test]
fn the_file_reads_as_it_was_written() {
    let first = first();
    let text = first.to_yaml();
    assert_eq!(Ciphertexts::from_yaml(&text).unwrap(), first);
    assert_eq!(first.secrets["B"].form, Form::Line);
    assert!(matches!(
        Ciphertexts::from_yaml(&text.replace("version: 1", "version: 2")),
        Err(Error::Newer { found: 2 })
    ));
    assert!(Ciphertexts::from_yaml("").is_err());
    assert!(Ciphertexts::from_yaml("version: 1\nextra: 1\n").is_err());
}

#[test]
fn nothing_is_opened_where_nothing_changed() {
    let first = first();
    let same = refresh::<()>(
        Some(&first),
        &wanted(&[("A", "1"), ("B", "1")]),
        &key(),
        "uni",
        |_| Err(()),
    )
    .unwrap();
    assert_eq!(same.ciphertexts, first);
    assert!(same.opened.is_none() && same.changed.is_empty());
    // A name that nobody wants any more needs no key to go.
    let fewer = refresh::<()>(Some(&first), &wanted(&[("A", "1")]), &key(), "uni", |_| {
        Err(())
    })
    .unwrap();
    assert_eq!(fewer.ciphertexts.secrets.keys().collect::<Vec<_>>(), ["A"]);
}

#[test]
fn only_what_changed_is_opened_and_only_another_value_is_sealed_anew() {
    let first = first();
    // The file of A was written anew with the same value, C is new.
    let wanted = wanted(&[("A", "2"), ("B", "1"), ("C", "1")]);
    let refreshed = refresh::<()>(Some(&first), &wanted, &key(), "uni", |names| {
        assert_eq!(names.iter().collect::<Vec<_>>(), ["A", "C"]);
        Ok(opened(&[("A", "a"), ("C", "c")]))
    })
    .unwrap();
    assert_eq!(refreshed.changed.iter().collect::<Vec<_>>(), ["C"]);
    let secrets = &refreshed.ciphertexts.secrets;
    assert_eq!(secrets["A"].ciphertext, first.secrets["A"].ciphertext);
    assert_eq!(secrets["A"].source, "2");
    assert_eq!(secrets["B"], first.secrets["B"]);

    let rotated = refresh::<()>(
        Some(&first),
        &self::wanted(&[("A", "2"), ("B", "1")]),
        &key(),
        "uni",
        |_| Ok(opened(&[("A", "z")])),
    )
    .unwrap();
    assert_ne!(
        rotated.ciphertexts.secrets["A"].ciphertext,
        first.secrets["A"].ciphertext
    );
    assert_ne!(
        rotated.ciphertexts.secrets["A"].fingerprint,
        first.secrets["A"].fingerprint
    );
}

#[test]
fn another_certificate_or_namespace_seals_everything_and_changes_no_value() {
    let first = first();
    let wanted = wanted(&[("A", "1"), ("B", "1")]);
    let other = SealingKey::from_pem(&pair().certificate).unwrap();
    for (key, namespace) in [(&other, "uni"), (&key(), "other")] {
        let again = refresh::<()>(Some(&first), &wanted, key, namespace, |names| {
            assert_eq!(names.len(), 2);
            Ok(opened(&[("A", "a"), ("B", "b c")]))
        })
        .unwrap();
        assert!(again.changed.is_empty());
        assert_ne!(
            again.ciphertexts.secrets["A"].ciphertext,
            first.secrets["A"].ciphertext
        );
        assert_eq!(
            again.ciphertexts.secrets["A"].fingerprint,
            first.secrets["A"].fingerprint
        );
    }
}

#[test]
fn a_value_that_does_not_come_is_named() {
    let result = refresh::<()>(None, &wanted(&[("A", "1")]), &key(), "uni", |_| {
        Ok(opened(&[]))
    });
    assert!(matches!(result, Err(RefreshError::Missing(name)) if name == "A"));
    assert!(matches!(
        refresh(None, &wanted(&[("A", "1")]), &key(), "uni", |_| Err(7)),
        Err(RefreshError::Open(7))
    ));
}
