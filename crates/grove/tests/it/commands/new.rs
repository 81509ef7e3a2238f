//! `grove init` and `grove new`.

use grove_test::World;
use insta::assert_snapshot;

use super::copy_of;
use crate::GROVE;

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
