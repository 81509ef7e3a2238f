use std::collections::BTreeMap;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use serde_json::{Value, json};

use super::{Encoding, Found, scan};
use crate::Secret;

fn found(object: Value, values: &[(&str, &str)]) -> Vec<Found> {
    let objects: BTreeMap<_, _> = [("x.yaml".to_owned(), object)].into();
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::from(*value)))
        .collect();
    scan(&objects, &values)
        .unwrap()
        .hits
        .into_iter()
        .map(|hit| hit.found)
        .collect()
}

fn in_file(text: &str) -> Vec<Found> {
    found(json!({"kind": "ConfigMap", "data": {"a.py": text}}), &[])
}

#[test]
fn a_value_is_found_however_it_is_written() {
    let value = "p\u{e4}ss/w\u{f6}rd?'1\"";
    let value_of = |text: String| found(json!({"data": {"a": text}}), &[("PW", value)]);
    let encodings = |text: String| -> Vec<Encoding> {
        value_of(text)
            .into_iter()
            .filter_map(|found| match found {
                Found::Value { encoding, .. } => Some(encoding),
                _ => None,
            })
            .collect()
    };
    assert_eq!(encodings(format!("x{value}y")), [Encoding::Plain]);
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{value}tail");
        assert_eq!(
            encodings(BASE64_STANDARD.encode(&text)),
            [Encoding::Base64],
            "{before}"
        );
        assert_eq!(
            encodings(BASE64_URL_SAFE.encode(&text)),
            [Encoding::Base64],
            "{before}"
        );
    }
    assert_eq!(
        encodings("a://p%C3%A4ss%2Fw%C3%B6rd%3F%271%22@h".to_owned()),
        [Encoding::Url]
    );
    assert_eq!(
        encodings(json!({ "a": value }).to_string()),
        [Encoding::Escaped]
    );
    assert_eq!(
        encodings(format!("'{}'", value.replace('\'', "\\'"))),
        [Encoding::Escaped]
    );
    assert_eq!(
        encodings(grove_core::digest::hex(value.as_bytes())),
        [Encoding::Hex]
    );
    assert!(encodings("nothing".to_owned()).is_empty());
}

#[test]
fn a_value_is_found_in_keys_lists_and_lines() {
    let value = "first line of some length\nsecond line of some length";
    let hits = |object| found(object, &[("PW", value)]).len();
    assert_eq!(hits(json!({"a": [{"b": value}]})), 3); // all of it, and each line
    assert_eq!(hits(json!({value: 1})), 3);
    assert_eq!(hits(json!({"a": "  second line of some length\n"})), 1);
}

#[test]
fn hits_say_where_and_whose_and_never_what() {
    let objects: BTreeMap<_, _> = [(
        "configmap-a.yaml".to_owned(),
        json!({"data": {"production.py": "\n\nX = 'hunter2hunter2'", "b": "@@LEFT@@"}}),
    )]
    .into();
    let values = [
        ("PW".to_owned(), Secret::from("hunter2hunter2")),
        ("WEAK".to_owned(), "openedx".into()),
    ]
    .into();
    let report = scan(&objects, &values).unwrap();
    let lines: Vec<_> = report.hits.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
configmap-a.yaml, data.b line 1: the placeholder of `LEFT` was not replaced
configmap-a.yaml, data.production\.py line 3: the value of `PW` stands there in plain text
");
    assert_eq!(report.weak.into_iter().collect::<Vec<_>>(), ["WEAK"]);
}

#[test]
fn forms_of_secrets_are_found() {
    let marker = |kind: &str| format!("-----BEGIN {kind}-----");
    for text in [
        marker("RSA PRIVATE KEY"),
        marker("PRIVATE KEY"),
        marker("PGP PRIVATE KEY BLOCK"),
        format!("AGE-SECRET-KEY-1{}", "Q".repeat(58)),
        format!("key = AKIA{}", "A1".repeat(8)),
        format!("ghp_{}", "a1".repeat(18)),
        format!("glpat-{}", "a1".repeat(10)),
        format!("xoxb-{}", "1a".repeat(10)),
        format!("sk_live_{}", "1a".repeat(10)),
        format!("eyJ{0}.eyJ{0}.{0}", "a1".repeat(8)),
        "redis://user:hunter22@redis:6379".to_owned(),
        "SECRET_KEY = \"aB3xY9kQ2mZ7pL4w\"".to_owned(),
        "\"api_key\": 'f3a9c1d27b6e4058'".to_owned(),
        "DATABASES['default']['PASSWORD'] = 'x7Kq2Lm9Zt4B'".to_owned(),
    ] {
        assert_eq!(in_file(&text).len(), 1, "{text}");
    }
    let variable = |name: &str, value: &str| {
        found(
            json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": name, "value": value}]}]}}}}),
            &[],
        )
    };
    assert_eq!(variable("DB_PASSWORD", "x7Kq2Lm9Zt4B").len(), 1);
    assert_eq!(variable("DB_PASSWORD", "$(GROVE_SECRET_DB2)").len(), 0);
    assert_eq!(variable("HOSTNAME", "x7Kq2Lm9Zt4B").len(), 0);
}

#[test]
fn what_is_written_by_hand_is_no_alarm() {
    for text in [
        "SECRET_KEY = \"{{ index . \"OPENEDX_SECRET_KEY\" }}\"",
        "redis://{{ index . \"U\" }}:{{ index . \"P\" }}@redis:6379",
        "\"{}://{}:{}@{}/{}\".format(a)",
        "--password=\"$(GROVE_SECRET_MYSQL_ROOT_PASSWORD)\"",
        "SOCIAL_AUTH_EDX_OAUTH2_SECRET = settings.OAUTH2_SECRET_V2",
        "token_url: https://learn.uni.example/oauth2/access_token/",
        "AUTH_TOKEN_CLASS = rest_framework_jwt2.Authentication",
        "PASSWORD_HASHERS = [\"PBKDF2PasswordHasher\"]",
        "password_reset_timeout_2 = 1209600",
        "image: openedx@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "-----BEGIN CERTIFICATE-----",
        "http://lms:8000/a@b",
    ] {
        assert_eq!(in_file(text), [], "{text}");
    }
    let sealed = json!({"spec": {"encryptedData": {"API_TOKEN": "AgB1x7Kq2Lm9Zt4B"}}, "volumes": [{"secret": {"secretName": "token-5340cd805e"}}]});
    assert_eq!(found(sealed, &[]), []);
}
