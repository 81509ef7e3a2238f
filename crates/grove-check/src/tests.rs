//! Every rule against its example, and what rules together must hold.

mod scaffold;

use std::{collections::BTreeSet, fmt::Write as _};

use grove_fleet::{File, Snapshot};

use crate::{Context, Finding, Report, base, check, rules};

#[test]
fn the_base_fleet_has_no_finding() {
    let snapshot = base::snapshot();
    let checked = check(&snapshot, &base::context());
    insta::assert_snapshot!(super::text(&checked.findings, &snapshot, false), @"");
    assert_eq!(checked.fleet.instances.len(), 1);
}

#[test]
fn every_example_triggers_its_rule_and_no_other() {
    let mut failures = String::new();
    for rule in rules::ALL {
        let snapshot = rule.example.snapshot();
        let findings = check(&snapshot, &rule.example.context()).findings;
        let triggered: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
        if triggered != BTreeSet::from([rule.id]) {
            let text = super::text(&findings, &snapshot, false);
            let _ = writeln!(failures, "example of {}:\n{text}", rule.id);
        }
    }
    assert_eq!(failures, "");
}

#[test]
fn rules_are_named_and_documented() {
    let ids: BTreeSet<&str> = rules::ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules::ALL.len(), "two rules with one id");
    for rule in rules::ALL {
        let is_kebab = rule
            .id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(is_kebab, "{}", rule.id);
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
        assert!(rule.documentation.ends_with('.'), "{}", rule.id);
        // What it means, why it matters, how to mend.
        assert!(
            rule.documentation.matches("\n\n").count() >= 1,
            "{}",
            rule.id
        );
        assert!(
            rule.documentation.lines().all(|line| line.len() <= 100),
            "{}",
            rule.id
        );
    }
}

/// `rule path:line` of each finding.
fn places(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let place = finding.locations.first();
        let path = place.map_or("", |place| place.path.as_str());
        let line = place.map_or(0, |place| place.start.line);
        let _ = writeln!(text, "{} {path}:{line}", finding.rule);
    }
    text
}

const INSTANCE: &str = "clusters/prod/instances/uni/instance.yaml";

fn places_with(path: &str, content: &[u8]) -> String {
    let mut snapshot = base::snapshot();
    snapshot
        .files
        .insert(path.to_owned(), File::Bytes(content.into()));
    let findings = check(&snapshot, &base::context()).findings;
    // Nothing that was read may keep a report from being written.
    let text = super::text(&findings, &snapshot, true);
    assert_eq!(text.is_empty(), findings.is_empty());
    places(&findings)
}

#[test]
fn hostile_files_are_located_findings() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{aliases}]");
    }
    insta::assert_snapshot!(places_with("groups/bomb/group.yaml", bomb.as_bytes()), @"
    unknown-key groups/bomb/group.yaml:1
    unknown-key groups/bomb/group.yaml:2
    unknown-key groups/bomb/group.yaml:3
    unknown-key groups/bomb/group.yaml:4
    unknown-key groups/bomb/group.yaml:5
    limit-exceeded groups/bomb/group.yaml:5
    ");
    let deep = format!("labels: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    insta::assert_snapshot!(places_with("groups/deep/group.yaml", deep.as_bytes()), @"
    wrong-type groups/deep/group.yaml:1
    limit-exceeded groups/deep/group.yaml:1
    ");
    insta::assert_snapshot!(places_with(INSTANCE, b"\x00\xff\xfe binary \x80"), @"yaml-syntax clusters/prod/instances/uni/instance.yaml:1");
    insta::assert_snapshot!(places_with(INSTANCE, b""), @"missing-key clusters/prod/instances/uni/instance.yaml:1");
    insta::assert_snapshot!(places_with(INSTANCE, b"- a list\n"), @"wrong-type clusters/prod/instances/uni/instance.yaml:1");
    insta::assert_snapshot!(places_with("grove.yaml", b"just text"), @"
    missing-key clusters/prod/instances/uni/instance.yaml:1
    unknown-ring clusters/prod/instances/uni/instance.yaml:3
    wrong-type grove.yaml:1
    ");
    insta::assert_snapshot!(places_with("clusters/prod/sealing.pem", b"\xff\xfe"), @"sealing-certificate-unreadable clusters/prod/sealing.pem:1");
    insta::assert_snapshot!(places_with("distributions/verawood-1.lock", b"\xff\xfe"), @"lock-unreadable distributions/verawood-1.lock:1");
}

#[test]
fn what_no_image_can_be_built_with_is_located() {
    let stated = concat!(
        include_str!("base/instance.yaml"),
        r#"
packages:
  "a b": "1.0"
  c: ">=1"
  d: {git: "https://u:p@x.example/d", rev: 0123456789abcdef0123456789abcdef01234567}
  e: {git: "https://x.example/e", rev: main}
build:
  index: "https://x.example/'$(id)'"
  credentials:
    x.example/path: {user: "a b", password: {secret: NOBODY}}
theme:
  git: {url: "git@x.example:theme", rev: "'", path: ../x}
  indigo:
    primary_color: "red; }"
    welcome_message: "{{ MYSQL_ROOT_PASSWORD }}"
    footer: [{title: "{% raw %}", url: "javascript:x"}]
"#
    );
    let mut snapshot = base::snapshot();
    let file = File::Bytes(stated.as_bytes().into());
    snapshot.files.insert(INSTANCE.to_owned(), file);
    let findings = check(&snapshot, &base::context()).findings;
    let lines = findings.iter().map(|finding| {
        let place = &finding.locations[0].start;
        format!("{} {}: {}", finding.rule, place.line, finding.message)
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    image-lacks 7: this is built into an image, and `images.openedx` names none
    bad-build 8: no package can be called `a b`
    bad-build 9: `>=1` is no exact version
    bad-build 10: `https://u:p@x.example/d` is no plain address with `https`
    plain-secret 10: this looks like a URL with a password, and this file is not encrypted
    bad-build 11: `main` is no commit of 40 digits
    bad-build 13: `https://x.example/'$(id)'` is no plain address with `https`
    bad-build 15: `x.example/path` is no host
    bad-build 15: `a b` is no user's name
    bad-build 15: there is no secret `NOBODY`
    bad-build 17: a theme from Git has no name that can be a directory's
    bad-build 17: `git@x.example:theme` is no plain address with `https`
    bad-build 17: `'` is no commit of 40 digits
    bad-build 17: `../x` is no directory of the repository
    bad-frontend 18: there is no theme Indigo without its plugin
    bad-frontend 19: `red; }` is no colour as `#15376D`
    bad-frontend 21: `javascript:x` is neither a path nor an address with `https`
    bad-frontend 21: `{% raw %}` would be read as a template
    ");
}

#[test]
fn what_follows_from_a_broken_file_is_not_reported() {
    insta::assert_snapshot!(places_with("grove.yaml", b"version: 1\nname: acme\nrings: [\n"), @"yaml-syntax grove.yaml:3");
    insta::assert_snapshot!(places_with("clusters/prod/instances/uni/secrets.sops.yaml", b"A: ["), @"
    secrets-not-encrypted clusters/prod/instances/uni/secrets.sops.yaml:1
    wrong-type clusters/prod/instances/uni/secrets.sops.yaml:1
    yaml-syntax clusters/prod/instances/uni/secrets.sops.yaml:1
    ");
    let findings = check(&Snapshot::default(), &Context::default()).findings;
    insta::assert_snapshot!(places(&findings), @"missing-key grove.yaml:1");
}

#[test]
fn a_file_that_is_all_wrong_has_a_bounded_report() {
    let mut keys = String::new();
    for number in 0..5_000 {
        let _ = writeln!(keys, "odd{number}: 1");
    }
    let snapshot = base::snapshot().with("groups/odd/group.yaml", &keys);
    let findings = check(&snapshot, &base::context()).findings;
    assert_eq!(findings.len(), 100);
    let last = findings
        .iter()
        .find(|finding| finding.message.starts_with("more findings"));
    assert!(last.is_some());
}

#[test]
fn links_that_lead_elsewhere_are_found_and_links_inside_are_followed() {
    let mut snapshot = base::snapshot();
    let content = snapshot.files.remove(INSTANCE).unwrap();
    snapshot.files.insert("shared/uni.yaml".to_owned(), content);
    for (path, target) in [
        (INSTANCE, "../../../../shared/uni.yaml"),
        ("plugins/a.py", "b.py"),
        ("plugins/b.py", "a.py"),
        ("plugins/c.py", "../../c.py"),
        ("plugins/d.py", "/etc/passwd"),
        ("plugins/e.py", "none.py"),
        ("themes/all", "../plugins"),
    ] {
        snapshot
            .files
            .insert(path.to_owned(), File::Link(target.to_owned()));
    }
    let checked = check(&snapshot, &base::context());
    assert_eq!(checked.fleet.instances.len(), 1);
    insta::assert_snapshot!(places(&checked.findings), @"
    broken-link plugins/a.py:1
    broken-link plugins/b.py:1
    path-escape plugins/c.py:1
    path-escape plugins/d.py:1
    broken-link plugins/e.py:1
    ");
}

#[test]
fn a_value_that_layers_share_is_found_once_where_it_stands() {
    let grove = concat!(
        include_str!("base/grove.yaml"),
        "defaults: {config: {LMS_HOST: x.example, ACTIVATION_SECRET: hunter2-hunter2}}\n"
    );
    let snapshot = base::snapshot()
        .with("grove.yaml", grove)
        .with(
            "clusters/prod/instances/college/instance.yaml",
            include_str!("base/instance-college.yaml"),
        )
        .with(
            "clusters/prod/instances/college/secrets.sops.yaml",
            include_str!("base/secrets.sops.yaml"),
        );
    let findings = check(&snapshot, &base::context()).findings;
    insta::assert_snapshot!(super::text(&findings, &snapshot, false), @"
    error[owned-config-key]: `LMS_HOST` is set by Grove
     --> grove.yaml:5:21
      |
    5 | defaults: {config: {LMS_HOST: x.example, ACTIVATION_SECRET: ***************}}
      |                     ^^^^^^^^
      |
      = help: set `hosts.lms` instead

    error[plain-secret]: `ACTIVATION_SECRET` looks like a secret, and this file is not encrypted
     --> grove.yaml:5:61
      |
    5 | defaults: {config: {LMS_HOST: x.example, ACTIVATION_SECRET: ***************}}
      |                                                             ^^^^^^^^^^^^^^^
      |
      = help: put it into a `secrets.sops.yaml` with `grove secret set`, and remove it here
    ");
}

#[test]
fn places_that_clash_are_both_shown() {
    let rule = rules::find("host-clash").unwrap();
    insta::assert_snapshot!(rule.example_report(false), @"
    error[host-clash]: host `studio.uni.example` of `prod/uni` is also a host of `prod/college`
     --> clusters/prod/instances/uni/instance.yaml:5:38
      |
    5 | hosts: {lms: learn.uni.example, cms: studio.uni.example}
      |                                      ^^^^^^^^^^^^^^^^^^ again
      |
     ::: clusters/prod/instances/college/instance.yaml:5:42
      |
    5 | hosts: {lms: learn.college.example, cms: studio.uni.example}
      |                                          ------------------ first here
    ");
    let snapshot = rule.example.snapshot();
    let findings = check(&snapshot, &rule.example.context()).findings;
    let report = serde_json::to_value(Report::new(&findings)).unwrap();
    insta::assert_json_snapshot!(report, @r#"
    {
      "findings": [
        {
          "locations": [
            {
              "end": {
                "column": 56,
                "line": 5
              },
              "label": "again",
              "path": "clusters/prod/instances/uni/instance.yaml",
              "span": {
                "end": 159,
                "start": 141
              },
              "start": {
                "column": 38,
                "line": 5
              }
            },
            {
              "end": {
                "column": 60,
                "line": 5
              },
              "label": "first here",
              "path": "clusters/prod/instances/college/instance.yaml",
              "span": {
                "end": 171,
                "start": 153
              },
              "start": {
                "column": 42,
                "line": 5
              }
            }
          ],
          "message": "host `studio.uni.example` of `prod/uni` is also a host of `prod/college`",
          "rule": "host-clash",
          "severity": "error"
        }
      ],
      "summary": {
        "errors": 1,
        "warnings": 0
      },
      "version": 1
    }
    "#);
}

#[test]
fn no_report_shows_a_secret() {
    let secret = "correct-horse-battery-7";
    let pem = format!("-----BEGIN {} KEY-----\n  {secret}\n  -----END", "PRIVATE");
    let files = [
        (
            INSTANCE,
            format!(
                "{}config: {{SMTP_PASSWORD: {secret}, LMS_HOST: x}}\n",
                include_str!("base/instance.yaml")
            ),
        ),
        (
            INSTANCE,
            format!(
                "{}config:\n  LMS_HOST: |\n  {pem}\n",
                include_str!("base/instance.yaml")
            ),
        ),
        (
            "plugins/shop.py",
            format!("URL = 'mysql://root:{secret}@db'\n"),
        ),
        (
            "clusters/prod/instances/uni/secrets.sops.yaml",
            format!("A: {secret}\nA: {secret}\n"),
        ),
        (
            "clusters/prod/instances/uni/secrets.sops.yaml",
            format!("sops: {{age: []}}\nlower: {secret}\nLIST: [{secret}]\n"),
        ),
        (
            "clusters/prod/instances/uni/secrets.sops.yaml",
            format!("A: [{secret}\n"),
        ),
        (
            "clusters/prod/secrets.sops.yaml",
            format!("instances:\n  B: |\n    {secret}\n"),
        ),
    ];
    for (path, content) in files {
        let snapshot = base::snapshot().with(path, &content);
        let findings = check(&snapshot, &base::context()).findings;
        assert!(!findings.is_empty(), "{content}");
        let text = super::text(&findings, &snapshot, false);
        let json = serde_json::to_string(&Report::new(&findings)).unwrap();
        assert!(!text.contains(secret), "{text}");
        assert!(!json.contains(secret), "{json}");
    }
}

#[test]
fn what_a_file_says_cannot_move_the_terminal() {
    let content = "version: 1\n\"\\e[31m\\u202Ered\": 1\n";
    let snapshot = base::snapshot().with("grove.yaml", content);
    let findings = check(&snapshot, &base::context()).findings;
    let text = super::text(&findings, &snapshot, false);
    assert!(findings.iter().any(|finding| finding.rule == "unknown-key"));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 100, ..Default::default() })]

    /// Whatever a file holds, checking and showing it ends, and every place is inside the file.
    #[test]
    fn any_text_anywhere_is_checked(
        file in 0..7_usize,
        text in "([a-z]{1,8}: |[ \n{}\\[\\]&*!@:,#'\"|>-]|@@[A-Z]{1,3}@@|ENC\\[|[a-zA-Z0-9é\u{202e}]{1,5}){0,60}",
    ) {
        let paths: Vec<String> = base::snapshot().files.keys().cloned().collect();
        let path = &paths[file % paths.len()];
        let snapshot = base::snapshot().with(path, &text);
        let findings = check(&snapshot, &base::context()).findings;
        super::text(&findings, &snapshot, true);
        for location in findings.iter().flat_map(|finding| &finding.locations) {
            let length = snapshot.bytes(&location.path).map_or(0, |bytes| bytes.len());
            proptest::prop_assert!(location.span.start <= location.span.end);
            proptest::prop_assert!(location.span.end <= length);
        }
        let again = check(&snapshot, &base::context()).findings;
        proptest::prop_assert_eq!(findings, again);
    }
}

/// The files of a directory of this repository, as the snapshot of a fleet.
#[allow(
    clippy::disallowed_methods,
    reason = "a test reads an example of this repository"
)]
fn read(root: &std::path::Path, below: &str, snapshot: &mut Snapshot) {
    for entry in std::fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{below}{name}");
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            read(root, &format!("{path}/"), snapshot);
        } else if kind.is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap();
            let target = target.into_os_string().into_string().unwrap();
            snapshot.files.insert(path, File::Link(target));
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            snapshot.files.insert(path, File::Bytes(bytes.into()));
        }
    }
}

#[test]
fn the_broken_example_has_these_findings() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/broken");
    let mut snapshot = Snapshot::default();
    read(root.as_ref(), "", &mut snapshot);
    let context = Context {
        now: "2026-01-01T00:00:00Z".parse().ok(),
        released: None,
    };
    let findings = check(&snapshot, &context).findings;
    let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
    assert!(rules.len() >= 15, "{rules:?}");
    insta::assert_snapshot!(places(&findings), @"
    wrong-type clusters/prod/cluster.yaml:2
    unsupported-key clusters/prod/cluster.yaml:5
    uploads-on-pod-disk clusters/prod/instances/academy/instance.yaml:2
    yaml-syntax clusters/prod/instances/academy/instance.yaml:7
    uploads-on-pod-disk clusters/prod/instances/college/instance.yaml:3
    secret-missing clusters/prod/instances/college/secrets.sops.yaml:1
    uploads-on-pod-disk clusters/prod/instances/library/instance.yaml:2
    unknown-ring clusters/prod/instances/library/instance.yaml:4
    unknown-group clusters/prod/instances/library/instance.yaml:7
    bad-host clusters/prod/instances/library/instance.yaml:11
    unknown-service clusters/prod/instances/library/instance.yaml:15
    unsupported-key clusters/prod/instances/library/instance.yaml:17
    secrets-not-encrypted clusters/prod/instances/library/secrets.sops.yaml:1
    uploads-on-pod-disk clusters/prod/instances/uni/instance.yaml:2
    namespace-clash clusters/prod/instances/uni/instance.yaml:4
    identity-clash clusters/prod/instances/uni/instance.yaml:4
    host-clash clusters/prod/instances/uni/instance.yaml:7
    unknown-plugin clusters/prod/instances/uni/instance.yaml:12
    owned-config-key clusters/prod/instances/uni/instance.yaml:16
    plain-secret clusters/prod/instances/uni/instance.yaml:19
    duplicate-key clusters/prod/instances/uni/instance.yaml:21
    mutable-image clusters/prod/instances/uni/instance.yaml:24
    sealing-certificate-expired clusters/prod/sealing.pem:1
    unknown-cluster clusters/stagin/instances/demo/instance.yaml:1
    missing-key clusters/staging/instances/uni-next/instance.yaml:1
    unknown-distribution clusters/staging/instances/uni-next/instance.yaml:4
    bad-namespace clusters/staging/instances/uni-next/instance.yaml:6
    bad-identity clusters/staging/instances/uni-next/instance.yaml:6
    placeholder-in-input clusters/staging/instances/uni-next/instance.yaml:12
    sealing-certificate-missing clusters/staging/sealing.pem:1
    lock-stale distributions/teak-3.yaml:1
    lock-missing distributions/verawood-7.yaml:1
    bad-name groups/Big_Unis/group.yaml:1
    unknown-key grove.yaml:8
    path-escape plugins/legacy.py:1
    ");
}

#[test]
fn a_key_of_a_state_leads_nowhere_else() {
    for key in ["../x", "/x", "a//b", "a/.ssh"] {
        let cluster = format!(
            "{}state: {{backend: pg}}\nstacks: {{dns: {{key: {key}}}}}\n",
            include_str!("base/cluster.yaml")
        );
        let snapshot = base::snapshot()
            .with("clusters/prod/cluster.yaml", &cluster)
            .with("clusters/prod/stacks/dns/main.tf", "");
        let findings = check(&snapshot, &base::context()).findings;
        insta::allow_duplicates! {
            insta::assert_snapshot!(places(&findings), @"bad-state clusters/prod/cluster.yaml:4");
        }
    }
}

#[test]
fn a_user_that_a_rotation_would_take_from_another_is_found() {
    let data = |user: &str, database: &str| {
        format!(
            "data: {{mysql: {{server: main, users: {{openedx: {user}}}, databases: {{openedx: {database}, shop: {database}_s}}}}}}\n"
        )
    };
    let instance = |base: &str, user: &str, database: &str| base.to_owned() + &data(user, database);
    let cluster = include_str!("base/cluster.yaml").to_owned()
        + "servers: {main: {engine: mysql, host: db.example, admin: {user: root, password: {secret: P}}}}\n";
    let uni = instance(include_str!("base/instance.yaml"), "site", "one");
    let academy = instance(include_str!("base/instance-academy.yaml"), "site_2", "two");
    let snapshot = super::base::snapshot()
        .with("clusters/prod/cluster.yaml", &cluster)
        .with("clusters/prod/instances/uni/instance.yaml", &uni)
        .with("clusters/prod/instances/academy/instance.yaml", &academy);
    let found = check(&snapshot, &super::base::context()).findings;
    let messages = found.iter().filter(|finding| finding.rule == "two-owners");
    let messages: Vec<&str> = messages.map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the user `site_2` on db.example:3306 would belong to prod/academy and prod/uni",
            "the user `site` on db.example:3306 would belong to prod/academy and prod/uni"
        ]
    );
}

#[test]
fn prefixes_of_indexes_that_open_each_other_are_found() {
    let instance = |base: &str, prefix: &str| {
        format!("{base}data: {{search: {{url: 'https://find.example', prefix: {prefix}}}}}\n")
    };
    let messages = |one: &str, other: &str| {
        let uni = instance(include_str!("base/instance.yaml"), one);
        let academy = instance(include_str!("base/instance-academy.yaml"), other);
        let snapshot = super::base::snapshot()
            .with("clusters/prod/instances/uni/instance.yaml", &uni)
            .with("clusters/prod/instances/academy/instance.yaml", &academy);
        let found = check(&snapshot, &super::base::context()).findings;
        let messages = found.iter().filter(|finding| finding.rule == "two-owners");
        let messages: Vec<String> = messages.map(|finding| finding.message.clone()).collect();
        messages.join("\n")
    };
    insta::assert_snapshot!(messages("uni_", "uni_"), @"the prefix of indexes `uni_` on https://find.example would belong to prod/academy and prod/uni");
    insta::assert_snapshot!(messages("uni_", "uni_next_"), @"indexes on https://find.example that begin with `uni_next_` of prod/academy belong to prod/uni as well, whose begin with `uni_`");
    insta::assert_snapshot!(messages("uni_", "uni-next_"), @"");
}
