use std::{ffi::OsString, path::Path};

use jiff::Timestamp;

use super::{
    Creation, Error, Identities, Place, SopsFile, Tree, create, creation_for, new_identity, places,
};
use crate::Secret;

/// A file that `sops` 3.13.3 encrypted to the identity beside it.
const BY_SOPS: &str = include_str!("tests/by_sops.yaml");
const IDENTITY: &str = include_str!("tests/identity.txt");

fn identities(text: &str) -> Identities {
    let mut identities = Identities::default();
    identities.add("test", text).unwrap();
    identities
}

fn by_sops() -> SopsFile {
    SopsFile::parse("secrets.sops.yaml", BY_SOPS).unwrap()
}

fn now() -> Timestamp {
    "2027-01-02T03:04:05Z".parse().unwrap()
}

/// Lines of one text that the other has not.
fn only_in<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    one.lines()
        .filter(|line| !other.lines().any(|other| other == *line))
        .collect()
}

#[test]
fn a_file_of_sops_opens() {
    let open = by_sops().open(&identities(IDENTITY)).unwrap();
    let values: Vec<_> = open
        .values()
        .map(|(path, value)| format!("{} = {:?}", path.join("."), value.expose()))
        .collect();
    insta::assert_snapshot!(values.join("\n"), @r#"
FOO = "bar"
EMPTY = ""
NUM = "42"
FLT = "1.5"
ON = "True"
UNI = "grüße ☃ {{x}}"
MULTI = "a\nb\n"
instances.A = "one"
note_unencrypted = "hello"
"#);
    assert_eq!(open.get(&["instances", "A"]).unwrap().expose(), "one");
    assert_eq!(open.get(&["instances"]), None);
    assert!(!format!("{open:?}").contains("one"));
}

#[test]
fn setting_a_value_leaves_every_other_byte() {
    let open = by_sops().open(&identities(IDENTITY)).unwrap();
    let value = Secret::from("ü: \"x\"\n");
    let changed = open.set(&["instances", "A"], &value, now()).unwrap();
    let lines = only_in(changed.text(), BY_SOPS);
    let starts: Vec<_> = lines
        .iter()
        .map(|line| line.split_inclusive(':').next().unwrap())
        .collect();
    assert_eq!(starts, ["    A:", "    lastmodified:", "    mac:"]);
    assert_eq!(lines[1], "    lastmodified: \"2027-01-02T03:04:05Z\"");
    assert_eq!(changed.text().lines().count(), BY_SOPS.lines().count());

    let again = SopsFile::parse("x", changed.text())
        .unwrap()
        .open(&identities(IDENTITY))
        .unwrap();
    assert_eq!(again.get(&["instances", "A"]), Some(&value));
    assert_eq!(again.get(&["FOO"]).unwrap().expose(), "bar");
    let same = again
        .set(&["instances", "A"], &value, Timestamp::UNIX_EPOCH)
        .unwrap();
    assert_eq!(same.text(), changed.text());
}

#[test]
fn new_values_go_before_the_section_of_sops() {
    let open = by_sops().open(&identities(IDENTITY)).unwrap();
    let changed = open
        .set(&["NEW"], &"1".into(), now())
        .and_then(|open| open.set(&["cluster", "KEY"], &"2".into(), now()))
        .and_then(|open| open.set(&["instances", "EMPTY"], &"".into(), now()))
        .and_then(|open| open.set(&["a", "b", "c"], &"3".into(), now()))
        .unwrap();
    let text = changed.text();
    assert!(text.find("\nNEW:").unwrap() < text.find("\nsops:").unwrap());
    let comments = |text: &str| text.matches("type:comment").count();
    assert_eq!(comments(text), comments(BY_SOPS));
    let again = SopsFile::parse("x", text)
        .unwrap()
        .open(&identities(IDENTITY))
        .unwrap();
    for (path, value) in [
        (&["NEW"][..], "1"),
        (&["cluster", "KEY"], "2"),
        (&["instances", "EMPTY"], ""),
        (&["a", "b", "c"], "3"),
    ] {
        assert_eq!(again.get(path).unwrap().expose(), value);
    }
}

#[test]
fn removing_values() {
    let open = by_sops().open(&identities(IDENTITY)).unwrap();
    let changed = open
        .remove(&["FOO"], now())
        .and_then(|open| open.remove(&["instances"], now()))
        .unwrap();
    let again = SopsFile::parse("x", changed.text())
        .unwrap()
        .open(&identities(IDENTITY))
        .unwrap();
    assert_eq!(again.get(&["FOO"]), None);
    assert_eq!(again.get(&["instances", "A"]), None);
    assert_eq!(again.get(&["NUM"]).unwrap().expose(), "42");
    assert_eq!(open.remove(&["absent"], now()).unwrap().text(), BY_SOPS);
}

#[test]
fn edits_that_are_refused() {
    let open = by_sops().open(&identities(IDENTITY)).unwrap();
    let error = |path: &[&str]| open.set(path, &"x".into(), now()).unwrap_err().to_string();
    insta::assert_snapshot!(error(&["instances"]), @"secrets.sops.yaml: `instances` cannot be changed: there are values below it");
    insta::assert_snapshot!(error(&["note_unencrypted"]), @"secrets.sops.yaml: `note_unencrypted` cannot be changed: the file's rules would leave it in plain text");
    insta::assert_snapshot!(error(&["sops", "mac"]), @"secrets.sops.yaml: `sops.mac` cannot be changed: SOPS keeps its own section there");
    insta::assert_snapshot!(open.remove(&["sops"], now()).unwrap_err(), @"secrets.sops.yaml: `sops` cannot be changed: SOPS keeps its own section there");
}

#[test]
fn damage_is_named() {
    let open = |text: &str| SopsFile::parse("s.yaml", text)?.open(&identities(IDENTITY));
    let error = |text: &str| {
        let error = open(text).unwrap_err();
        format!("{error} | {}", error.hint().unwrap_or_default())
    };
    let line = |start: &str| {
        BY_SOPS
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap()
    };
    let value = |start: &str| line(start).split_once(": ").unwrap().1;

    // A value moved to another key, and one taken away.
    insta::assert_snapshot!(error(&BY_SOPS.replace(value("NUM"), value("FLT"))), @"s.yaml: the value of `NUM` was changed, moved or renamed without `sops` | restore the file from Git; or take the line out and set the value with `grove secret set`");
    insta::assert_snapshot!(error(&BY_SOPS.replace(line("NUM"), "")), @"s.yaml: the file's MAC does not fit its values: one was removed, added or put elsewhere without `sops` | restore the file from Git, or accept its values: `sops edit --ignore-mac s.yaml`");
    insta::assert_snapshot!(error(&BY_SOPS.replace(value("NUM"), "plain")), @"s.yaml: the value of `NUM` is not encrypted | restore the file from Git; or take the line out and set the value with `grove secret set`");
    insta::assert_snapshot!(error(&BY_SOPS.replace(value("NUM"), "17")), @"s.yaml: the value of `NUM` is not encrypted | restore the file from Git; or take the line out and set the value with `grove secret set`");
    insta::assert_snapshot!(error(&BY_SOPS.replace("hello", "bye")), @"s.yaml: the file's MAC does not fit its values: one was removed, added or put elsewhere without `sops` | restore the file from Git, or accept its values: `sops edit --ignore-mac s.yaml`");
    insta::assert_snapshot!(error(&BY_SOPS.replace(value("    mac"), value("NUM"))), @"s.yaml: the file's MAC does not fit its values: one was removed, added or put elsewhere without `sops` | restore the file from Git, or accept its values: `sops edit --ignore-mac s.yaml`");
    insta::assert_snapshot!(error("A: 1\n"), @"s.yaml: not encrypted: it has no `sops` section | encrypt it in place: `sops encrypt -i s.yaml`");
    insta::assert_snapshot!(error("[]"), @"s.yaml: not a readable YAML file: its root is not a map |");
    insta::assert_snapshot!(error("sops: {}\n"), @"s.yaml: the `sops` section is damaged: `lastmodified` is missing |");
    let armor = BY_SOPS
        .lines()
        .find(|line| line.trim().starts_with("YWdl"))
        .unwrap();
    insta::assert_snapshot!(error(&BY_SOPS.replace(armor, "            ////")), @"s.yaml: the `sops` section is damaged: invalid armor (short line in middle of encoding) |");
}

#[test]
fn keys_that_do_not_fit_are_named() {
    let (key, _) = new_identity();
    let wrong = by_sops().open(&identities(key.expose())).unwrap_err();
    assert!(
        matches!(&wrong, Error::WrongIdentity { recipients, tried, .. } if recipients.len() == 1 && tried.len() == 1)
    );
    assert!(!wrong.hint().unwrap().contains("SECRET"));
    let none = by_sops().open(&Identities::default()).unwrap_err();
    insta::assert_snapshot!(none, @"secrets.sops.yaml: there is no age identity to open it with");
    assert!(
        Identities::default()
            .add("keys.txt", "# fine\nAGE-SECRET-KEY-1X\n")
            .is_err()
    );
    let mut several = Identities::default();
    several
        .add(
            "SOPS_AGE_KEY",
            &format!("{} AGE-PLUGIN-X-1\n{}", key.expose(), IDENTITY),
        )
        .unwrap();
    assert_eq!(several.recipients().len(), 2);
    by_sops().open(&several).unwrap();
    assert!(!format!("{several:?}").contains("SECRET"));
}

#[test]
fn a_new_file_opens_for_each_recipient() {
    let (one, first) = new_identity();
    let (two, second) = new_identity();
    let mut values = Tree::default();
    values.insert(&["cluster", "KEY"], Tree::Value("a\nb".into()));
    values.insert(&["instances"], Tree::default());
    values.insert(&["zeta"], Tree::Value("".into()));
    let text = create("s.yaml", &values, &Creation::to(vec![first, second]), now()).unwrap();
    assert!(!text.contains("a\nb"));
    for key in [one, two] {
        let open = SopsFile::parse("s.yaml", &text)
            .unwrap()
            .open(&identities(key.expose()))
            .unwrap();
        assert_eq!(open.get(&["cluster", "KEY"]).unwrap().expose(), "a\nb");
        assert_eq!(open.get(&["zeta"]).unwrap().expose(), "");
        open.set(&["instances", "A"], &"b".into(), now()).unwrap();
    }
    let plain = create(
        "s.yaml",
        &{
            let mut values = Tree::default();
            values.insert(&["a_unencrypted"], Tree::Value("x".into()));
            values
        },
        &Creation::to(vec![]),
        now(),
    );
    assert!(matches!(plain, Err(Error::Edit { .. })));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let (_, one) = new_identity();
    let (_, two) = new_identity();
    let rules = format!(
        "creation_rules:\n\
         - path_regex: ^clusters/(prod|stage)/\n  age: '{one}, {two},'\n\
         - path_regex: \\.kms\\.yaml$\n  kms: arn:x\n  age: {one}\n\
         - path_regex: grouped\n  key_groups:\n  - merge: [{{age: [{one}]}}]\n    age: [{two}, {one}]\n\
         - path_regex: split\n  key_groups: [{{age: [{one}]}}, {{age: [{two}]}}]\n\
         - path_regex: part\n  age: {one}\n  encrypted_regex: ^s\n\
         - path_regex: nobody\n\
         - age: [{two}]\n"
    );
    let of = |path: &str| creation_for(".sops.yaml", &rules, path);
    assert_eq!(
        of("clusters/prod/secrets.sops.yaml").unwrap().recipients,
        [one.clone(), two.clone()]
    );
    assert_eq!(
        of("x/clusters/prod/secrets.sops.yaml").unwrap().recipients,
        std::slice::from_ref(&two)
    );
    insta::assert_snapshot!(of("a.kms.yaml").unwrap().needs_program().unwrap(), @"its creation rule has `kms`");
    assert_eq!(of("grouped").unwrap().recipients, [one.clone(), two]);
    assert!(of("grouped").unwrap().needs_program().is_none());
    assert!(of("split").unwrap().needs_program().is_some());
    assert!(matches!(of("nobody"), Err(Error::NoRule { .. })));
    assert!(matches!(
        creation_for(".sops.yaml", "", "x"),
        Err(Error::NoRule { .. })
    ));
    assert!(matches!(
        creation_for(".sops.yaml", "creation_rules: [{path_regex: '('}]", "x"),
        Err(Error::Rules { .. })
    ));
    let mut values = Tree::default();
    values.insert(&["secret"], Tree::Value("x".into()));
    let text = create("part", &values, &of("part").unwrap(), now()).unwrap();
    assert!(text.contains("encrypted_regex: ^s\n"));
}

#[test]
fn files_of_others_are_left_to_the_program() {
    let why = |section: &str| {
        let text = format!(
            "A: ENC[x]\nsops:\n    lastmodified: \"2027-01-01T00:00:00Z\"\n    mac: ENC[x]\n{section}"
        );
        SopsFile::parse("s.yaml", &text)
            .unwrap()
            .needs_program()
            .map(str::to_owned)
    };
    insta::assert_snapshot!(why("    kms:\n    - arn: x\n    age: []\n").unwrap(), @"its recipients are kms");
    insta::assert_snapshot!(why("    age:\n    - recipient: ssh-ed25519 AAA\n      enc: x\n").unwrap(), @"its recipients are age with SSH, plugin or post-quantum keys");
    insta::assert_snapshot!(why("    key_groups:\n    - pgp: []\n").unwrap(), @"its data key is divided among key groups");
    insta::assert_snapshot!(why("    encrypted_comment_regex: x\n").unwrap(), @"it has `encrypted_comment_regex`");
}

#[test]
fn identities_are_looked_for_where_sops_looks() {
    let all = |name: &str| Some(OsString::from(format!("/{name}")));
    let found = places(all, Some(Path::new("/home/u")));
    insta::assert_debug_snapshot!(found, @r#"
[
    Text {
        variable: "SOPS_AGE_KEY",
        text: Secret(…),
    },
    File {
        path: "/SOPS_AGE_KEY_FILE",
        required: true,
    },
    Command {
        variable: "SOPS_AGE_KEY_CMD",
        line: "/SOPS_AGE_KEY_CMD",
    },
    File {
        path: "/XDG_CONFIG_HOME/sops/age/keys.txt",
        required: false,
    },
]
"#);
    let none = places(|_| None, Some(Path::new("/home/u")));
    assert!(matches!(
        none.as_slice(),
        [Place::File {
            required: false,
            ..
        }]
    ));
    assert!(places(|_| None, None).is_empty());
}
