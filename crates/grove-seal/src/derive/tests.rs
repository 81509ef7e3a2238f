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

/// What Python and Jinja make of this value, step by step.
const HOSTILE: &str = "Pa$s-w\u{f6}rd <&'\"\\/\u{9}\u{2028}\u{1f600}~ Ab";
const COMPUTED: [(&str, &str); 28] = [
    ("UPPER", "PA$S-W\u{d6}RD <&'\"\\/\u{9}\u{2028}\u{1f600}~ AB"),
    ("LOWER", "pa$s-w\u{f6}rd <&'\"\\/\u{9}\u{2028}\u{1f600}~ ab"),
    ("TITLE", "Pa$s-W\u{f6}rd <&'\"\\/\u{9}\u{2028}\u{1f600}~ Ab"),
    ("LENGTH", "23"),
    (
        "JSON",
        "Pa$s-w\\u00f6rd <&'\\\"\\\\/\\t\\u2028\\ud83d\\ude00~ Ab",
    ),
    (
        "JSONU",
        "Pa$s-w\u{f6}rd <&'\\\"\\\\/\\t\u{2028}\u{1f600}~ Ab",
    ),
    (
        "JSONHTML",
        "Pa$s-w\\u00f6rd \\u003c\\u0026\\u0027\\\"\\\\/\\t\\u2028\\ud83d\\ude00~ Ab",
    ),
    (
        "HTML",
        "Pa$s-w\u{f6}rd &lt;&amp;&#39;&#34;\\/\u{9}\u{2028}\u{1f600}~ Ab",
    ),
    (
        "URL",
        "Pa%24s-w%C3%B6rd%20%3C%26%27%22%5C/%09%E2%80%A8%F0%9F%98%80~%20Ab",
    ),
    (
        "URLALL",
        "Pa%24s-w%C3%B6rd%20%3C%26%27%22%5C%2F%09%E2%80%A8%F0%9F%98%80~%20Ab",
    ),
    (
        "URLQUERY",
        "Pa%24s-w%C3%B6rd+%3C%26%27%22%5C%2F%09%E2%80%A8%F0%9F%98%80~+Ab",
    ),
    ("B64", "UGEkcy13w7ZyZCA8JiciXC8J4oCo8J+YgH4gQWI="),
    ("B64URL", "UGEkcy13w7ZyZCA8JiciXC8J4oCo8J-YgH4gQWI="),
    (
        "HEX",
        "506124732d77c3b67264203c2627225c2f09e280a8f09f98807e204162",
    ),
    ("MD5__HEX", "dcc8ecaa81336faa8b9b5d122a2a8808"),
    ("SHA1__HEX", "9740da7da4e3b360a67a48463f23902dd3b65b1b"),
    (
        "SHA224__HEX",
        "3dbd2a6592ae85db3113150c51c23c352b22b867a29b4bd36fe7c238",
    ),
    (
        "SHA256__HEX",
        "bc9e1e1ebcf9f658432d59cd5d12ddf6ad2d7805e26a314357f7121b56b1794a",
    ),
    (
        "SHA384__B64",
        "KUsQfvrcjLDI96b1B71tujNFMRn9A4WO07oOFpZ1KEIwsZBohIlteHRUzXeQUiOX",
    ),
    ("SHA512__HEX__UPPER__SLICE_M8_N_N", "C4A5F044"),
    (
        "PRE_753A__POST_C3A9__B64",
        "dTpQYSRzLXfDtnJkIDwmJyJcLwnigKjwn5iAfiBBYsOp",
    ),
    ("SLICE_N_3_N", "Pa$"),
    ("SLICE_M4_N_N", "~ Ab"),
    (
        "SLICE_N_N_M1",
        "bA ~\u{1f600}\u{2028}\u{9}/\\\"'&< dr\u{f6}w-s$aP",
    ),
    ("SLICE_2_M2_3", "$wd&\\\u{2028} "),
    ("SLICE_99_0_M2", "b \u{1f600}\u{9}\\'<d\u{f6}-$"),
    ("SLICE_5_2_N", ""),
    ("SLICE_M99_4_N", "Pa$s"),
];

#[test]
fn steps_give_what_python_gives() {
    let opened = secrets(&[("A_B", HOSTILE)]);
    for (steps, wanted) in COMPUTED {
        let name = format!("A_B__{steps}");
        let values = values(&names(&[&name]), &opened).unwrap();
        assert_eq!(values[&name].expose(), wanted, "{steps}");
    }
    let ascii = secrets(&[("A", "pASS wORD")]);
    let name = "A__CAPITALIZE";
    assert_eq!(
        values(&names(&[name]), &ascii).unwrap()[name].expose(),
        "Pass word"
    );
}

#[test]
fn what_cannot_be_computed_is_said_without_the_value() {
    let opened = secrets(&[("A", "\u{e9}t\u{e9}")]);
    for (name, error) in [
        ("A__CAPITALIZE", Error::NotAscii("A__CAPITALIZE".to_owned())),
        ("A__SHA256", Error::NotText("A__SHA256".to_owned())),
        ("A__NOTHING", Error::Missing("A__NOTHING".to_owned())),
        ("B__UPPER", Error::Missing("B__UPPER".to_owned())),
        ("A__AND_42__B64", Error::Missing("B".to_owned())),
    ] {
        let failure = values(&names(&[name]), &opened).unwrap_err();
        assert_eq!(failure, error);
        assert!(failure.hint().is_some());
    }
    assert!(
        Error::Missing("B__PRE_41__UPPER".to_owned())
            .hint()
            .unwrap()
            .contains("`grove secret set B`")
    );
}

#[test]
fn a_computed_value_follows_its_secrets() {
    let references = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()))
            .collect()
    };
    let wanted = names(&["A__AND_425F43__B64", "A__UPPER"]);
    let first = sources(&wanted, &references(&[("A", "1"), ("B_C", "2")])).unwrap();
    assert_eq!(first["A__UPPER"], "1");
    let second = sources(&wanted, &references(&[("A", "1"), ("B_C", "3")])).unwrap();
    assert_eq!(first["A__UPPER"], second["A__UPPER"]);
    assert_ne!(first["A__AND_425F43__B64"], second["A__AND_425F43__B64"]);
    assert!(sources(&wanted, &references(&[("A", "1")])).is_err());
    assert_eq!(
        needed(&wanted, &references(&[("A", "1"), ("B_C", "2")])),
        names(&["A", "B_C"])
    );
    // What the fleet holds under such a name is a secret like any other, also as a beginning.
    let held = references(&[("A", "1"), ("A__UPPER", "4")]);
    let of = |name: &str| {
        sources(&names(&[name]), &held)
            .unwrap()
            .remove(name)
            .unwrap()
    };
    assert_eq!(of("A__UPPER"), "4");
    assert_eq!(of("A__UPPER__B64"), "4");
    // A key of search that follows from others may be computed with, too.
    let search = secrets(&[
        ("MEILISEARCH_MASTER_KEY", "m"),
        ("MEILISEARCH_API_KEY_UID", "u"),
    ]);
    let name = "MEILISEARCH_API_KEY__UPPER";
    assert_eq!(
        values(&names(&[name]), &search).unwrap()[name].expose(),
        super::search_api_key(&"m".into(), &"u".into())
            .expose()
            .to_uppercase()
    );
}
