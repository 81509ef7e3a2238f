//! What commands print and how they end: help, findings, new files, secrets, selections.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use grove_test::{Output, World};
use insta::assert_snapshot;
use serde_json::Value;

use crate::{GROVE, edit, example, example_world};

/// A world whose fleet is a copy of an example, in no repository.
fn copy_of(name: &str) -> World {
    let world = World::new(GROVE);
    world.copy(&example(name), "fleet");
    world
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    assert_snapshot!(World::new(GROVE).grove(["--help"]).success(), @"
    exit code: 0
    ----- stdout -----
    Many Open edX instances on many Kubernetes clusters, from one Git repository.

    A fleet repository says what should run. Grove checks it, renders it with the real Tutor, seals its
    secrets and commits plain YAML to a deploy repository, from which Argo CD deploys. Every deploy is a
    release; a rollback points back to an older one and builds nothing.

    Usage: grove [OPTIONS] <COMMAND>

    Commands:
      demo         Show the main path on an example: check, render, deploy, change, roll back
      init         Make a new fleet
      new          Make a new cluster, distribution, group or instance
      check        Check the fleet and show what is wrong with it
      explain      Show where a value comes from and what it overrode
      rule         Show what a finding means and how to mend it
      schema       Print the JSON Schema of a kind of file, or of an answer
      lock         Resolve a distribution to exact, hashed packages
      secret       Set, edit, show, generate or rotate secrets, and see who can read them
      data         Make, verify and remove databases, users and buckets on shared servers
      seal         Keep the key that a cluster's secrets are sealed to
      image        See what images are built from, and hand it to a builder
      render       Render instances to plain YAML, without secrets
      diff         Show what a deploy would change, object by object
      deploy       Release instances: check, render, seal, and commit to the deploy repository
      history      List the releases of instances
      show         Show one release
      rollback     Go back to an older release, and hold the instance there
      hold         Keep instances at the release they run
      unhold       Let held instances follow the fleet again
      freeze       Make Argo CD leave instances alone for some time
      unfreeze     End freezes before their time
      instance     Stop and start instances, and put them into maintenance
      status       Show what should run and what runs, on all clusters at once
      watch        Show what runs, and then every change of it, until it is interrupted
      run          Run a command once, with what a service of the running release has
      do           Run a job of Tutor or of a plugin: create a user, import the demo course
      shell        A shell in a pod of its own, with what a service of the running release has
      logs         Show what the pods of an instance wrote
      stack        Plan and apply infrastructure: a root module and a state for each stack
      state        Take a state of OpenTofu or Terraform apart, and put it together
      cluster      Bring a cluster up, and keep what its instances share
      eject        Leave stacks as directories that OpenTofu runs without Grove
      bundle       Fetch what `grove cluster bootstrap` installs
      doctor       Check that this machine has what Grove needs
      completions  Print a shell's completion script
      man          Write the manual pages
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --fleet <DIR>
              The fleet: a directory with `grove.yaml`, or a bare Git repository with `--rev`.
              
              Default: the nearest directory above this one that has a `grove.yaml`.
              
              [env: GROVE_FLEET=]

          --rev <REV>
              Read the fleet at this Git revision instead of the files of the work tree

          --format <FORMAT>
              How results are written to stdout

              Possible values:
              - text: For people
              - json: One JSON document, for scripts
              
              [default: text]

          --color <WHEN>
              When to use colour

              Possible values:
              - auto:   On a terminal, unless `NO_COLOR` is set
              - always: Always
              - never:  Never
              
              [default: auto]

      -q, --quiet
              Say nothing on stderr but warnings and errors

    Exit codes: 0 done; 1 findings or the answer is no; 2 wrong usage; 3 another program or a remote
    failed; 4 refused; 5 the cluster did not become healthy; 6 out of time; 70 a bug of Grove's.
    ");
}

/// Every command and sub-command with its help.
fn commands(world: &World) -> Vec<(String, String)> {
    let mut waiting = vec![String::new()];
    let mut found = Vec::new();
    while let Some(command) = waiting.pop() {
        let words = command.split_whitespace().chain(["--help"]);
        let help = world.grove(words).success().stdout;
        let names = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help");
        waiting.extend(names.map(|name| format!("{command} {name}")));
        found.push((command, help));
    }
    assert!(found.len() > 25, "{found:?}");
    found
}

#[test]
fn every_command_and_argument_is_explained() {
    let world = World::new(GROVE);
    for (command, help) in commands(&world) {
        let about = help.lines().next().unwrap_or_default();
        assert!(
            !about.is_empty() && !about.starts_with("Usage:"),
            "`{command}` says nothing about itself:\n{help}"
        );
        let mut section = "";
        let mut lines = help.lines().peekable();
        while let Some(line) = lines.next() {
            if !line.starts_with(' ') && line.ends_with(':') {
                section = line;
            }
            if section == "Commands:" {
                let is_bare = line.split_whitespace().count() == 1 && line.starts_with(' ');
                assert!(!is_bare, "{line} has no about line:\n{help}");
            } else if !section.starts_with("Example") {
                // An argument stands less far to the right than its help, which is on the next line.
                let indent = line.len() - line.trim_start().len();
                let is_argument = indent < 10 && line.trim_start().starts_with(['-', '[', '<']);
                let next = lines.peek().unwrap_or(&"");
                assert!(
                    !is_argument
                        || (next.starts_with("          ") && !next.trim().starts_with('[')),
                    "`{command}` does not explain {line}:\n{help}"
                );
            }
        }
    }
}

/// The examples of each command's help can be called as they stand there.
#[test]
fn examples_in_help_are_understood() {
    let world = World::new(GROVE);
    let mut seen = 0;
    for (command, help) in commands(&world) {
        let examples = help
            .lines()
            .skip_while(|line| !line.starts_with("Example"))
            .skip(1);
        for example in examples {
            assert!(
                example.starts_with(&format!("  grove{command} "))
                    || example.trim() == format!("grove{command}"),
                "help of `{command}` has {example}"
            );
            let call = example.split(['<', '>']).next().unwrap_or_default();
            // Help comes after all that stands before it was understood.
            let (call, rest) = call.split_once(" -- ").unwrap_or((call, ""));
            let script = format!("grove() {{ \"$0\" \"$@\"; }}; {call} --help -- {rest}");
            let output = world
                .program("sh")
                .args(["-c", &script, GROVE])
                .output()
                .unwrap();
            // A job's `--help` is its own, which asks Tutor.
            let stderr = String::from_utf8_lossy(&output.stderr);
            let is_understood = command == " do" && stderr.contains("no fleet here");
            assert!(
                output.status.success() || is_understood,
                "{example}: {output:?}"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} examples were found");
}

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

#[test]
fn explain_shows_the_layers_below_a_value() {
    let world = copy_of("fleet");
    assert_snapshot!(world.grove(["explain", "alpha/uni", "config.CONTACT_EMAIL"]).success(), @r#"
    exit code: 0
    ----- stdout -----
    helpdesk@uni.example
      groups/uni/group.yaml:3  group uni: "helpdesk@uni.example"
      grove.yaml:24  fleet defaults: "ops@example.org"  overridden
    "#);
    let output = world.grove([
        "explain",
        "alpha/uni",
        "config.CONTACT_EMAIL",
        "--format",
        "json",
    ]);
    assert_eq!(json(&output.success())["value"], "helpdesk@uni.example");
    assert_snapshot!(world.grove(["explain", "alpha/uni", "config.CONTACT_EMAI"]).exits(1), @"
    exit code: 1
    ----- stderr -----
    error: no layer of `alpha/uni` says anything about `config.CONTACT_EMAI`
    hint: there is `config.CONTACT_EMAIL`
    ");
    assert_snapshot!(world.grove(["explain", "alpha/un", "config"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: there is no instance `alpha/un`
    hint: there is `alpha/uni`
    ");
    assert_snapshot!(world.grove(["explain", "alpha", "config"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `alpha` is not `cluster/instance`
    ");
}

#[test]
fn rules_are_listed_and_explained() {
    let world = World::new(GROVE);
    let list = world.grove(["rule"]).success().stdout;
    assert!(list.lines().count() > 30, "{list}");
    for line in list.lines() {
        let (id, summary) = line.split_once(' ').unwrap();
        assert!(!summary.trim().is_empty(), "{line}");
        let one = json(&world.grove(["rule", id, "--format", "json"]).success());
        assert_eq!(one["id"], id);
    }
    let all = json(&world.grove(["rule", "--format", "json"]).success());
    assert_eq!(all["rules"].as_array().unwrap().len(), list.lines().count());
    assert_snapshot!(world.grove(["rule", "lock-missing"]).success(), @"
    exit code: 0
    ----- stdout -----
    lock-missing (error): a distribution has no lock

    `distributions/<name>.yaml` has no `<name>.lock` beside it.

    The lock holds every package of the distribution with its hash. Only from it is a Python environment
    made, so that everybody renders with the same code; without it nothing that uses the distribution
    can be rendered.

    Run `grove lock <name>` and commit the file that it writes.
    ");
    assert_snapshot!(world.grove(["rule", "lock-missin"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: there is no rule `lock-missin`
    hint: did you mean `lock-missing`?
    ");
}

#[test]
fn schemas_of_every_kind_are_json() {
    let world = World::new(GROVE);
    let kinds = world.grove(["schema"]).success().stdout;
    assert_snapshot!(kinds, @"
    fleet
    distribution
    group
    cluster
    instance
    status
    ");
    for kind in kinds.lines() {
        let schema = json(&world.grove(["schema", kind]).success());
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["type"], "object");
    }
    let listed = json(&world.grove(["schema", "--format", "json"]).success());
    assert_eq!(
        listed["kinds"].as_array().unwrap().len(),
        kinds.lines().count()
    );
    assert_snapshot!(world.grove(["schema", "flet"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'flet' for '[KIND]'
      [possible values: fleet, distribution, group, cluster, instance, status]

      tip: a similar value exists: 'fleet'

    For more information, try '--help'.
    ");
}

/// From nothing to a fleet of which only what later steps make is missing.
#[test]
fn new_files_are_valid_and_overwrite_nothing() {
    let world = World::new(GROVE);
    let run = |arguments: &str| world.grove(arguments.split(' '));
    assert_snapshot!(run("init --name acme").success(), @"
    exit code: 0
    ----- stderr -----
    made an age key in [HOME]/.config/sops/age/keys.txt; keep a copy of it: without it the fleet's secrets are lost
    wrote .sops.yaml
    wrote grove.yaml
    next: `grove new cluster NAME`, `grove new distribution NAME`
    ");
    assert_snapshot!(world.grove(["check"]).success(), @"
    exit code: 0
    ----- stderr -----
    0 clusters, 0 instances, 0 distributions: 0 errors, 0 warnings
    ");
    let key = world.read("home/.config/sops/age/keys.txt");

    assert_snapshot!(run("new cluster prod --domain prod.example").success(), @"
    exit code: 0
    ----- stderr -----
    making the sealing key
    wrote clusters/prod/secrets.sops.yaml
    wrote clusters/prod/sealing.pem
    wrote clusters/prod/cluster.yaml
    next: `grove new instance prod/NAME`
    ");
    assert_snapshot!(run("new distribution verawood-1").success(), @"
    exit code: 0
    ----- stderr -----
    wrote distributions/verawood-1.yaml
    next: `grove lock verawood-1`
    ");
    assert_snapshot!(run("new group unis").success(), @"
    exit code: 0
    ----- stderr -----
    wrote groups/unis/group.yaml
    ");
    let instance = "new instance prod/uni --group unis --ring canary --distribution verawood-1";
    assert_snapshot!(run(instance).success(), @"
    exit code: 0
    ----- stderr -----
    wrote clusters/prod/instances/uni/instance.yaml
    next: `grove secret generate prod/uni`, `grove check`
    ");
    assert_snapshot!(world.files("fleet").join("\n"), @"
    .sops.yaml
    clusters/prod/cluster.yaml
    clusters/prod/instances/uni/instance.yaml
    clusters/prod/sealing.pem
    clusters/prod/secrets.sops.yaml
    distributions/verawood-1.yaml
    groups/unis/group.yaml
    grove.yaml
    ");
    assert_snapshot!(world.grove(["check"]).exits(1), @"
    exit code: 1
    ----- stdout -----
    error[lock-missing]: distribution `verawood-1` has no lock
    --> distributions/verawood-1.yaml
     |
     = help: run `grove lock verawood-1` and commit `distributions/verawood-1.lock`

    ----- stderr -----
    1 cluster, 1 instance, 1 distribution: 1 error, 0 warnings
    ");

    // The identity is made once, and the cluster's private key is encrypted.
    let text = world.read("fleet/clusters/prod/instances/uni/instance.yaml");
    let id = text.split_once("id: ").unwrap().1;
    let id = id.split_once('}').unwrap().0;
    assert!(
        id.len() == 24 && id.chars().all(|c| c.is_ascii_alphanumeric()),
        "{id}"
    );
    let secrets = world.read("fleet/clusters/prod/secrets.sops.yaml");
    assert!(secrets.contains("SEALING_PRIVATE_KEY: ENC["), "{secrets}");
    assert!(!secrets.contains("PRIVATE KEY-----"), "{secrets}");
    assert!(
        world
            .read("fleet/clusters/prod/sealing.pem")
            .starts_with("-----BEGIN CERTIFICATE")
    );

    let before: Vec<(String, String)> = world
        .files("fleet")
        .into_iter()
        .map(|path| (world.read(format!("fleet/{path}")), path))
        .collect();
    assert_snapshot!(run("new cluster prod").exits(4), @"
    exit code: 4
    ----- stderr -----
    error: `[WORLD]/fleet/clusters/prod/cluster.yaml` is there already
    hint: nothing was written; edit the file, or remove it first
    ");
    for arguments in [
        "init --name acme",
        "new distribution verawood-1",
        "new group unis",
        instance,
    ] {
        let output = run(arguments).exits(4);
        assert!(output.stderr.contains("is there already"), "{output}");
    }
    for (text, path) in before {
        assert_eq!(world.read(format!("fleet/{path}")), text, "{path}");
    }
    assert_eq!(world.read("home/.config/sops/age/keys.txt"), key);
}

#[test]
fn new_refuses_what_would_not_be_valid() {
    let world = copy_of("fleet");
    let files = world.files("fleet");
    let run = |arguments: &str| world.grove(arguments.split(' ')).exits(2);
    assert_snapshot!(run("new group Unis"), @"
    exit code: 2
    ----- stderr -----
    error: `Unis` cannot be a name
    hint: at most 40 lower-case letters, digits and dashes, beginning with a letter
    ");
    for arguments in [
        "new cluster -prod",
        "new cluster ../prod",
        "new distribution verawood-",
        "new instance alpha/9th --host nine.example",
        "new instance alpha/uni_2 --host uni2.example",
        "new instance alpha --host uni2.example",
        "new instance alpha/uni/2 --host uni2.example",
        "new distribution verawood-9 --plugin mfe",
        "new cluster gamma --provider other",
        "new instance alpha/next --environment other --host next.example",
    ] {
        let _ = run(arguments);
    }
    assert_snapshot!(run("new instance alpa/next --host next.example"), @"
    exit code: 2
    ----- stderr -----
    error: the fleet has no cluster `alpa`
    hint: did you mean `alpha`?
    ");
    assert_snapshot!(run("new instance alpha/next --host https://next.example --ring canry"), @"
    exit code: 2
    ----- stderr -----
    error[missing-key]: `alpha/next` has no `distribution`
    --> clusters/alpha/instances/next/instance.yaml
     |
     = help: none of its layers gives it: fleet, ring, cluster, groups, or its own file

    error[unknown-ring]: there is no ring `canry`
     --> clusters/alpha/instances/next/instance.yaml:4:7
      |
    4 | ring: canry
      |       ^^^^^
      |
      = help: did you mean `canary`?

    error[bad-host]: host `https://next.example` is more than a host name
      --> clusters/alpha/instances/next/instance.yaml:10:8
       |
    10 |   lms: https://next.example
       |        ^^^^^^^^^^^^^^^^^^^^
       |
       = help: leave out the scheme, the port and the path

    error[bad-host]: host `studio.https://next.example` is more than a host name
      --> clusters/alpha/instances/next/instance.yaml:11:8
       |
    11 |   cms: studio.https://next.example
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: leave out the scheme, the port and the path

    error[bad-host]: host `apps.https://next.example` is more than a host name
      --> clusters/alpha/instances/next/instance.yaml:12:8
       |
    12 |   mfe: apps.https://next.example
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: leave out the scheme, the port and the path
    error: the new files would not be valid; nothing was written
    hint: say it in another way, or mend first what it clashes with
    ");
    // Another instance has the host.
    let output = run("new instance beta/next --host learn.uni.example --distribution verawood-1");
    assert!(output.stderr.contains("error[host-clash]"), "{output}");
    assert_eq!(world.files("fleet"), files);

    let empty = World::new(GROVE);
    assert_snapshot!(empty.grove(["init", "--name", "a: b"]).exits(2), @r#"
    exit code: 2
    ----- stderr -----
    error[bad-name]: the name of the fleet has other characters than lower-case letters, digits and dashes: `a: b`
     --> grove.yaml:3:7
      |
    3 | name: "a: b"
      |       ^^^^^^
      |
      = help: such as `uni-2`
    error: the new files would not be valid; nothing was written
    hint: say it in another way, or mend first what it clashes with
    "#);
    let _ = empty
        .grove(["init", "--name", "acme", "--recipient", "ssh-rsa AAAA"])
        .exits(2);
    assert!(empty.files("fleet").is_empty() && empty.files("home").is_empty());
}

#[test]
fn secrets_come_from_stdin_and_are_shown_by_name_only() {
    let world = copy_of("fleet");
    let set = |owner: &str, value: &str| {
        world
            .command(["secret", "set", owner, "SHOP_TOKEN"])
            .stdin(value)
            .run()
    };
    let value = "correct-horse: battery {{ staple }}";
    let output = set("alpha/uni", &format!("{value}\n")).success();
    assert_snapshot!(output, @"
    exit code: 0
    ----- stderr -----
    set SHOP_TOKEN in clusters/alpha/instances/uni/secrets.sops.yaml
    ");
    let file = "fleet/clusters/alpha/instances/uni/secrets.sops.yaml";
    assert!(!world.read(file).contains("correct-horse"));
    assert_snapshot!(world.grove(["secret", "show", "alpha/uni"]).success(), @"
    exit code: 0
    ----- stdout -----
    CMS_OAUTH2_SECRET                        clusters/alpha/instances/uni/secrets.sops.yaml
    JWT_RSA_PRIVATE_KEY                      clusters/alpha/instances/uni/secrets.sops.yaml
    MEILISEARCH_API_KEY                      clusters/alpha/instances/uni/secrets.sops.yaml
    MEILISEARCH_API_KEY_UID                  clusters/alpha/instances/uni/secrets.sops.yaml
    MEILISEARCH_MASTER_KEY                   clusters/alpha/instances/uni/secrets.sops.yaml
    MYSQL_ROOT_PASSWORD                      clusters/alpha/instances/uni/secrets.sops.yaml
    OPENEDX_MYSQL_PASSWORD                   clusters/alpha/instances/uni/secrets.sops.yaml
    OPENEDX_SECRET_KEY                       clusters/alpha/instances/uni/secrets.sops.yaml
    SHOP_TOKEN                               clusters/alpha/instances/uni/secrets.sops.yaml
    SMTP_PASSWORD                            groups/uni/secrets.sops.yaml
    ");
    let show = ["secret", "show", "alpha/uni", "SHOP_TOKEN"];
    assert_eq!(world.grove(show).success().stdout, format!("{value}\n"));
    let shown = world.grove(show.into_iter().chain(["--format", "json"]));
    assert_eq!(json(&shown.success())["value"], value);
    let _ = world.grove(["check"]).success();

    assert_snapshot!(set("alpha/unix", "x").exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the fleet has no instance `alpha/unix`
    hint: did you mean `alpha/uni`?
    ");
    assert_snapshot!(set("gamma", "x").exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the fleet has no cluster `gamma`
    hint: an owner is `cluster/instance`, `cluster`, or `group:NAME`
    ");
    assert_snapshot!(set("group:unis", "x").exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the fleet has no group `unis`
    hint: `grove new group unis` makes it
    ");
    assert_snapshot!(set("alpha/uni", "").exits(2), @"
    exit code: 2
    ----- stderr -----
    error: no value came on standard input
    ");
    assert_snapshot!(world.grove(["secret", "set", "alpha/uni", "shop.token"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `shop.token` cannot be the name of a secret
    hint: names are upper-case letters, digits and `_`, as Tutor's keys
    ");
    assert_snapshot!(world.grove(["secret", "show", "alpha/uni", "SHOP"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: alpha/uni has no secret `SHOP`
    hint: without a name, the names are listed
    ");
    assert!(!world.path("fleet/groups/unis").exists());
}

#[test]
fn commands_that_write_need_a_selection() {
    let world = example_world();
    for arguments in [
        &["deploy"][..],
        &["hold", "-m", "exams"],
        &["unhold"],
        &["secret", "generate"],
    ] {
        let output = world.grove(arguments).exits(2);
        assert!(output.stderr.contains("needs a selection"), "{output}");
    }
    assert_snapshot!(world.grove(["deploy"]), @"
    exit code: 2
    ----- stderr -----
    error: this command writes, so it needs a selection
    hint: name instances (`cluster/instance`), a cluster or a ring, or say `--all`
    ");
    assert_snapshot!(world.grove(["deploy", "alpha/unix"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `alpha/unix` selects nothing: there is no such instance
    hint: did you mean `alpha/uni`?
    ");
    assert_snapshot!(world.grove(["hold", "@canari", "-m", "exams"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `@canari` selects nothing: there is no such ring
    hint: did you mean `@canary`?
    ");
    assert_snapshot!(world.grove(["unhold", "-l", "clint=uni"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `clint=uni` selects nothing: there is no such label
    hint: did you mean `client=uni`?
    ");
    assert_snapshot!(world.grove(["diff", "alfa"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `alfa` selects nothing: there is no such cluster
    ");
    assert_snapshot!(world.grove(["deploy", "alpha", "--all"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the argument '[SELECTOR]...' cannot be used with '--all'

    Usage: grove deploy <SELECTOR>...

    For more information, try '--help'.
    ");
}

#[test]
fn deploy_outside_a_repository_says_what_to_do() {
    let world = copy_of("fleet");
    assert_snapshot!(world.grove(["deploy", "--all"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: [WORLD]/fleet is not in a Git repository
    hint: run `git init` and commit the fleet, or pass `--local`
    ");
}

#[test]
fn a_fleet_is_found_above_the_current_directory_or_named() {
    let world = copy_of("fleet");
    let _ = world
        .command(["check"])
        .in_directory("fleet/clusters/alpha")
        .run()
        .success();
    let named = world.command(["check"]).in_directory("home");
    let _ = named.set("GROVE_FLEET", world.fleet()).run().success();
    assert_snapshot!(world.command(["check"]).in_directory("home").run().exits(2), @"
    exit code: 2
    ----- stderr -----
    error: no fleet here: `[HOME]` and its parents have no `grove.yaml`
    hint: name one with `--fleet DIR`, or make one with `grove init`
    ");
    let output = world.grove(["check", "--fleet", "../home"]);
    assert_snapshot!(output.exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `../home` has no `grove.yaml`
    hint: name a fleet's directory, a bare repository with `--rev REV`, or make a fleet with `grove init`
    ");
}

/// A revision is read from the repository: a bare one, or one that has the fleet in a directory.
#[test]
fn a_revision_is_read_without_its_work_tree() {
    let world = World::new(GROVE);
    world.copy(&example("fleet"), "fleet");
    let fleet = world.fleet();
    let repository = world.repository(&fleet);
    let first = repository.commit("The example fleet");
    edit(&world, "grove.yaml", "name: ", "nme: ");
    let _ = repository.commit("A mistake");
    let bare = world.bare_repository("fleet.git");
    repository.git(["push", "--quiet", "../fleet.git", "main"]);
    let bare = bare.to_str().unwrap();
    let at = |revision: &str| {
        world
            .command(["check", "--fleet", bare, "--rev", revision])
            .in_directory("home")
            .run()
    };
    let _ = at(&first).success();
    let _ = at("main~1").success();
    let output = at("main").exits(1);
    assert!(output.stdout.contains("error[unknown-key]: "), "{output}");
    assert_snapshot!(at("mian").exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the repository has no revision `mian`
    hint: fetch it first, or check its spelling
    ");
    // The work tree is not what is read.
    world.write("fleet/grove.yaml", "[");
    let _ = world.grove(["check", "--rev", &first]).success();

    let outer = World::new(GROVE);
    outer.copy(&example("fleet"), "fleet/deployments/edx");
    outer.write("fleet/README.md", "Much else.\n");
    outer
        .repository(&outer.fleet())
        .commit("A fleet among other things");
    outer.write("fleet/deployments/edx/grove.yaml", "[");
    let inside = |arguments: &[&str]| {
        outer
            .command(arguments)
            .in_directory("fleet/deployments/edx")
            .run()
    };
    assert_snapshot!(inside(&["check", "--rev", "HEAD"]).success(), @"
    exit code: 0
    ----- stderr -----
    2 clusters, 5 instances, 2 distributions: 0 errors, 0 warnings
    ");
    let _ = inside(&["check"]).exits(1);
    assert_snapshot!(inside(&["new", "group", "x", "--rev", "HEAD"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: this writes to the work tree; leave `--rev` out
    ");
}

/// What a shell asks after `grove rollback al` and the tab key, and the like.
#[test]
fn names_of_the_fleet_are_completed() {
    let world = copy_of("fleet");
    let ask = |words: &[&str]| {
        let last = (words.len()).to_string();
        world
            .command(["--", "grove"].iter().chain(words))
            .set("GROVE_COMPLETE", "bash")
            .set("_CLAP_COMPLETE_INDEX", last)
            .set("_CLAP_IFS", " ")
            .run()
            .success()
            .stdout
    };
    assert_snapshot!(ask(&["roll"]), @"rollback");
    assert_snapshot!(ask(&["rollback", "al"]), @"alpha/uni alpha/uni-next");
    assert_snapshot!(ask(&["deploy", "@"]), @"@canary @general");
    assert_snapshot!(ask(&["diff", "beta"]), @"beta/academy beta/academy-labs beta/library beta");
    assert!(ask(&["lock", ""]).starts_with("ulmo-1 verawood-1 "));
    // Without a fleet there is nothing to offer, and nothing to say about that.
    std::fs::remove_file(world.path("fleet/grove.yaml")).unwrap();
    assert_eq!(ask(&["rollback", "al"]), "");
}

#[test]
fn completions_and_manual_pages_are_written() {
    let world = World::new(GROVE);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.grove(["completions", shell]).success().stdout;
        assert!(script.contains("GROVE_COMPLETE"), "{shell}: {script}");
    }
    let script = world.grove(["completions", "bash"]).stdout;
    world.write("grove.bash", script);
    let syntax = world.program("bash").args(["-n", "../grove.bash"]).output();
    assert!(syntax.unwrap().status.success());

    let _ = world.grove(["man", "../man"]).success();
    let pages = world.files("man");
    for page in ["grove.1", "grove-deploy.1", "grove-secret-set.1"] {
        assert!(pages.iter().any(|known| known == page), "{page}: {pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("sandbox")));
    let page = world.read("man/grove-deploy.1");
    assert!(
        page.contains("seal, and commit to the deploy repository"),
        "{page}"
    );
}

#[test]
fn colour_is_for_terminals_or_for_who_asks() {
    let world = copy_of("broken");
    let escape = '\u{1b}';
    let runs: [&[&str]; 5] = [
        &["check"],
        &["--help"],
        &["bogus"],
        &["deploy"],
        &["rule", "x"],
    ];
    for arguments in runs {
        for colour in ["auto", "never"] {
            let output = world.grove(arguments.iter().chain(&["--color", colour]));
            assert!(
                !output.stdout.contains(escape) && !output.stderr.contains(escape),
                "{output}"
            );
        }
        let output = world
            .command(arguments)
            .set("CLICOLOR_FORCE", "0")
            .set("NO_COLOR", "1")
            .run();
        assert!(
            !output.stdout.contains(escape) && !output.stderr.contains(escape),
            "{output}"
        );
    }
    let output = world.grove(["check", "--color", "always"]).exits(1);
    assert!(output.stdout.contains(escape), "{output}");
}

#[test]
fn wrong_usage_ends_with_2() {
    let world = copy_of("fleet");
    for arguments in [
        &[][..],
        &["chek"],
        &["check", "--bogus"],
        &["check", "--format", "xml"],
        &["render"],
        &["hold", "alpha/uni"],
        &["show", "alpha/uni@first"],
        &["show", "alfa/uni"],
        &["rollback", "uni"],
        &["rollback", "alpha/uni", "--to", "-1"],
        &["deploy", "--local", "--rev", "HEAD"],
        &["completions", "tcsh"],
    ] {
        let output = world.grove(arguments).exits(2);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    assert_snapshot!(world.grove(["chek"]), @"
    exit code: 2
    ----- stderr -----
    error: unrecognized subcommand 'chek'

      tip: some similar subcommands exist: 'schema', 'check'

    Usage: grove [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(world.grove(["show", "alfa/uni"]), @"
    exit code: 2
    ----- stderr -----
    error: the fleet has no cluster `alfa`
    hint: there are: alpha, beta
    ");
}

/// `grove rule | head -1`: the reader goes away, and that is no error.
#[test]
fn a_reader_may_go_away() {
    let mut grove = Command::new(GROVE)
        .args(["rule", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, grove.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "{\n");
    drop(reader);
    let output = grove.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
