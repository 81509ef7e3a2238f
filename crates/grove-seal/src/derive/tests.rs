use std::collections::{BTreeMap, BTreeSet};

use super::{Error, needed, sources, values};
use crate::Secret;

/// A key that was made for this test, by `PyCryptodome` as Tutor makes them.
const JWT: &str = include_str!("jwt.pem");

/// What Tutor's filter `long_to_base64` prints of its numbers.
const NUMBERS: [(&str, &str); 8] = [
    (
        "N",
        "l9xM3WAI2yTuXZF4ADcQK8nhzDCJiibInnSXmaWAga3pq_YAIe_Gj8ljQN4nQAfokDRIjkzF9Z1h0GyvGo_cNpQmdJVrXxpSvHEQITaTUYk38QD1JV0AR4ORrUR71pjMEZCmlfAjFNMihOojb0lGZulMzUsFUEVqtmqiwp_f80k",
    ),
    ("E", "AQAB"),
    (
        "D",
        "GMD3g49bqjMdKsHjVG-lUmn0RTc1OECFq7SYIJq2dYz-fcIZ9-4wiPAcHm8H6VtQqK7pE88GZri6gMGykksYa0nTMPz3lWTVaveUyB_gcfvW7f8XEvHe-lhwsR7o8PbzMlhIE500NDmBdB-dzhxOnSiBFCH2sYKKRSAaANidui0",
    ),
    (
        "P",
        "wJJIF2lauunYVWgEQri34K-7EMmxoRt5qchmn1Dv2II-g2Il78sJJYpZzV1OkjrKwYOttV1ZInvkfBLCK7erjQ",
    ),
    (
        "Q",
        "yeFCD9ghrrd3pEAx4ZX1heHktlAzKJ0a4nE5qpNw1WJ7bzi1rnnJ2CZkD5PaJpX10DpcgXb4zWYuGyHY3NFZrQ",
    ),
    (
        "DP",
        "ovDjmROnFrLZPuLlgANGaxKmiTzwVO6nkjakRre4Sg1ikc7RZMX6dk5LUA5cdjTS7MzbhbN3wUrteOJyc4VU3Q",
    ),
    (
        "DQ",
        "irnDNrYTt0cV7QW8AUOWO1EWZH3KGe-TqOWbde7pi4ioP66dkm7YWDNRcS7tqrRD_boNFV4W7LZ5mmVw65Tk5Q",
    ),
    (
        "QI",
        "XnOHa1t5Tg7sDedKkQg0BY0bfQy2EzWamkx7-4YbSoe2xg3hUONgR3CVdW7LbTPXXg0mqK4-zdfrRLopmkoaVQ",
    ),
];

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::from(*value)))
        .collect()
}

#[test]
fn numbers_of_the_jwt_key_are_those_that_tutor_prints() {
    let wanted: BTreeSet<String> = NUMBERS
        .iter()
        .map(|(name, _)| format!("JWT_RSA_PRIVATE_KEY_{name}"))
        .collect();
    let joined = JWT.replace('\n', "  \n ");
    for pem in [JWT, &joined] {
        let derived = values(&wanted, &secrets(&[("JWT_RSA_PRIVATE_KEY", pem)])).unwrap();
        for (name, text) in NUMBERS {
            assert_eq!(
                derived[&format!("JWT_RSA_PRIVATE_KEY_{name}")].expose(),
                text,
                "{name}"
            );
        }
    }
}

#[test]
fn both_forms_of_pem_give_the_same_numbers() {
    use rsa::{
        pkcs1::DecodeRsaPrivateKey,
        pkcs8::{EncodePrivateKey, LineEnding},
    };
    let key = rsa::RsaPrivateKey::from_pkcs1_pem(JWT).unwrap();
    let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let wanted = names(&["JWT_RSA_PRIVATE_KEY_QI"]);
    let of = |pem: &str| values(&wanted, &secrets(&[("JWT_RSA_PRIVATE_KEY", pem)])).unwrap();
    assert_eq!(of(JWT), of(&pkcs8));
}

#[test]
fn what_is_no_key_is_refused() {
    for pem in [
        "",
        "x",
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ",
    ] {
        let wanted = names(&["JWT_RSA_PRIVATE_KEY_N"]);
        assert_eq!(
            values(&wanted, &secrets(&[("JWT_RSA_PRIVATE_KEY", pem)])),
            Err(Error::JwtKey)
        );
    }
}

#[test]
fn the_search_key_is_the_one_that_tutor_computes() {
    let wanted = names(&["MEILISEARCH_API_KEY"]);
    let derived = "af0d18aac233d685d9a6f05efe2960c6d3dadf8bea083c01177a8c4e271eb1e2";
    let parents = [
        ("MEILISEARCH_MASTER_KEY", "master"),
        (
            "MEILISEARCH_API_KEY_UID",
            "3a5f9d1e-7c1b-4c57-9d0e-3f1d2c4b5a69",
        ),
    ];
    assert_eq!(
        values(&wanted, &secrets(&parents)).unwrap()["MEILISEARCH_API_KEY"].expose(),
        derived
    );
    let mut own = secrets(&parents);
    own.insert("MEILISEARCH_API_KEY".to_owned(), derived.into());
    assert!(values(&wanted, &own).is_ok());
    own.insert("MEILISEARCH_API_KEY".to_owned(), "other".into());
    assert_eq!(values(&wanted, &own), Err(Error::SearchKey));
    // A search engine of somebody else's: its key is a secret like any other.
    own.remove("MEILISEARCH_MASTER_KEY");
    assert_eq!(
        values(&wanted, &own).unwrap()["MEILISEARCH_API_KEY"].expose(),
        "other"
    );
}

#[test]
fn sources_are_those_of_the_parents() {
    let references: BTreeMap<String, String> = [
        "JWT_RSA_PRIVATE_KEY",
        "MEILISEARCH_MASTER_KEY",
        "MEILISEARCH_API_KEY_UID",
        "A",
    ]
    .map(|name| (name.to_owned(), format!("sha256:{name}")))
    .into();
    let wanted = names(&["A", "JWT_RSA_PRIVATE_KEY_D", "MEILISEARCH_API_KEY"]);
    let found = sources(&wanted, &references).unwrap();
    assert_eq!(found["A"], "sha256:A");
    assert_eq!(found["JWT_RSA_PRIVATE_KEY_D"], "sha256:JWT_RSA_PRIVATE_KEY");
    let mut rotated = references.clone();
    rotated.insert(
        "MEILISEARCH_API_KEY_UID".to_owned(),
        "sha256:new".to_owned(),
    );
    assert_ne!(
        found["MEILISEARCH_API_KEY"],
        sources(&wanted, &rotated).unwrap()["MEILISEARCH_API_KEY"]
    );
    assert_eq!(
        needed(&wanted, &references),
        names(&[
            "A",
            "JWT_RSA_PRIVATE_KEY",
            "MEILISEARCH_API_KEY_UID",
            "MEILISEARCH_MASTER_KEY"
        ])
    );
    let missing = sources(&names(&["JWT_RSA_PRIVATE_KEY_D"]), &BTreeMap::new()).unwrap_err();
    insta::assert_snapshot!(format!("{missing} | {}", missing.hint().unwrap()), @"there is no secret `JWT_RSA_PRIVATE_KEY_D` | it follows from JWT_RSA_PRIVATE_KEY: set that");
}
