//! `grove check`.

use insta::assert_snapshot;

use super::{copy_of, json};
use crate::{edit, example_world};

#[test]
fn check_shows_what_is_wrong_where_and_what_to_do() {
    let world = copy_of("broken");
    let output = world.grove(["check"]).exits(1);
    let found = |rule: &str| {
        let start = output.stdout.find(&format!("error[{rule}]")).unwrap();
        let rest = &output.stdout[start..];
        rest[..rest.find("\n\n").unwrap_or(rest.len())].to_owned()
    };
    assert_snapshot!(found("unknown-ring"), @"
    error[unknown-ring]: there is no ring `genral`
     --> clusters/prod/instances/library/instance.yaml:4:7
      |
    4 | ring: genral
      |       ^^^^^^
      |
      = help: did you mean `general`?
    ");
    assert_snapshot!(found("yaml-syntax"), @"
    error[yaml-syntax]: unclosed bracket '{'
     --> clusters/prod/instances/academy/instance.yaml:7:9
      |
    7 | labels: {tier: silver
      |         ^
    ");
    assert_snapshot!(found("host-clash"), @"
    error[host-clash]: host `studio.uni.example` of `prod/uni` is also a host of `prod/college`
     --> clusters/prod/instances/uni/instance.yaml:7:8
      |
    7 |   cms: studio.uni.example
      |        ^^^^^^^^^^^^^^^^^^ again
      |
     ::: clusters/prod/instances/college/instance.yaml:8:8
      |
    8 |   cms: studio.uni.example
      |        ------------------ first here
    ");
    assert_snapshot!(output.stderr, @"2 clusters, 6 instances, 2 distributions: 30 errors, 5 warnings");
}

#[test]
fn check_gives_scripts_one_json_document() {
    let world = copy_of("broken");
    let output = world.grove(["check", "--format", "json"]).exits(1);
    assert_eq!(output.stderr, "");
    let report = json(&output);
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["findings", "summary", "version"]);
    assert_eq!(report["version"], 1);
    let findings = report["findings"].as_array().unwrap();
    let count = |severity: &str| {
        findings
            .iter()
            .filter(|finding| finding["severity"] == severity)
            .count()
    };
    assert_eq!(report["summary"]["errors"], count("error"));
    assert_eq!(report["summary"]["warnings"], count("warning"));
    let ring = findings.iter().find(|f| f["rule"] == "unknown-ring");
    assert_snapshot!(serde_json::to_string_pretty(&ring).unwrap(), @r#"
    {
      "hint": "did you mean `general`?",
      "locations": [
        {
          "end": {
            "column": 13,
            "line": 4
          },
          "label": "",
          "path": "clusters/prod/instances/library/instance.yaml",
          "span": {
            "end": 73,
            "start": 67
          },
          "start": {
            "column": 7,
            "line": 4
          }
        }
      ],
      "message": "there is no ring `genral`",
      "rule": "unknown-ring",
      "severity": "error"
    }
    "#);
}

#[test]
fn check_of_a_sound_fleet_is_silent_on_stdout() {
    let world = copy_of("fleet");
    assert_snapshot!(world.grove(["check"]).success(), @"
    exit code: 0
    ----- stderr -----
    2 clusters, 5 instances, 2 distributions: 0 errors, 0 warnings
    ");
    assert_snapshot!(world.grove(["check", "--quiet"]).success(), @"exit code: 0");
    let report = json(&world.grove(["check", "--format", "json"]).success());
    assert_eq!(report["summary"]["errors"], 0);
}

#[test]
fn a_warning_fails_a_strict_check_only() {
    let world = copy_of("fleet");
    edit(
        &world,
        "clusters/beta/instances/academy-labs/instance.yaml",
        "config:",
        "images: {openedx: {ref: registry.example/openedx:latest}}\nconfig:",
    );
    let _ = world.grove(["check"]).success();
    assert_snapshot!(world.grove(["check", "--strict"]).exits(1), @"
    exit code: 1
    ----- stdout -----
    warning[mutable-image]: image `registry.example/openedx:latest` is named by a tag, which can be moved
      --> clusters/beta/instances/academy-labs/instance.yaml:13:25
       |
    13 | images: {openedx: {ref: registry.example/openedx:latest}}
       |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: add its digest: `name:tag@sha256:…`

    ----- stderr -----
    2 clusters, 5 instances, 2 distributions: 0 errors, 1 warning
    ");
}

#[test]
fn check_against_releases_needs_the_deploy_repository() {
    let world = example_world();
    assert_snapshot!(world.grove(["check", "--released"]).exits(3), @"
    exit code: 3
    ----- stderr -----
    fetching the deploy branch of alpha
    error: cannot open the deploy branch of alpha
      cause: there is no repository at [WORLD]/deploy-alpha.git: there is no such directory
    hint: create the repository, correct `deploy.remote` in grove.yaml, or pass `--create-remote` for a local path; some forges say so too when access is missing
    ");
}
