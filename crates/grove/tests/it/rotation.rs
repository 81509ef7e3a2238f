//! Who can read secrets, and what is not rotated.

use grove_test::World;
use insta::assert_snapshot;

use crate::{GROVE, edit, example};

fn production() -> World {
    let world = World::new(GROVE);
    world.copy(&example("production"), "fleet");
    world
}

#[test]
fn who_can_read_is_known_without_a_key_and_who_no_longer_may() {
    let world = production();
    std::fs::remove_file(world.path("fleet/example-key.txt")).unwrap();
    let who = || world.grove(["secret", "who"]).success();
    assert_snapshot!(who(), @"
    exit code: 0
    ----- stdout -----
    age15wdwhrattpycaa49scszpdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88
      clusters/prod/instances/uni/secrets.sops.yaml
      clusters/prod/secrets.sops.yaml
    ");
    edit(
        &world,
        ".sops.yaml",
        "age15wdwhrattpycaa49scszpdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88",
        "age1hyya6w07sp7tt74pmfk2ljeks5jkeclupwth93cw03v3lqv5y5lq6ekans",
    );
    assert_snapshot!(who().stderr, @"
    warning: age15wdwhrattpycaa49scszpdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88 is not in `.sops.yaml` and can still read: `sops updatekeys` takes it out of the files, and `grove secret who --recipient age15wdwhrattpycaa49scszpdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88` lists what to rotate
    clusters/prod/instances/uni/secrets.sops.yaml: age1hyya6w07sp7tt74pmfk2ljeks5jkeclupwth93cw03v3lqv5y5lq6ekans cannot read it yet: `sops updatekeys clusters/prod/instances/uni/secrets.sops.yaml`
    clusters/prod/secrets.sops.yaml: age1hyya6w07sp7tt74pmfk2ljeks5jkeclupwth93cw03v3lqv5y5lq6ekans cannot read it yet: `sops updatekeys clusters/prod/secrets.sops.yaml`
    ");
    let key = "age15wdwhrattpycaa49scszpdana8wkgdwt3e4yfw6tra7ssyr83vhq4z9f88";
    let values = world.grove(["secret", "who", "--recipient", key]).success();
    let database = values
        .stdout
        .lines()
        .find(|line| line.contains("_MYSQL_PASSWORD"));
    assert!(database.unwrap().contains(" is two-step: "), "{values}");
    assert_snapshot!(world.grove(["secret", "who", "--recipient", "age1nobody"]).exits(1), @"
    exit code: 1
    ----- stderr -----
    error: `age1nobody` opens no file of this fleet
    hint: `grove secret who` lists the keys that do; Git's history may hold files that it opened
    ");
}

#[test]
fn what_nobody_here_can_rotate_is_refused_and_nothing_is_written() {
    let world = production();
    let file = "fleet/clusters/prod/instances/uni/secrets.sops.yaml";
    let before = world.read(file);
    let rotate = |name: &str| world.grove(["secret", "rotate", "prod/uni", "--secret", name]);
    for name in [
        "SMTP_PASSWORD",
        "OPENEDX_AWS_ACCESS_KEY",
        "OPENEDX_MYSQL_USERNAME",
    ] {
        let refused = rotate(name).exits(4);
        assert!(refused.stderr.contains("is not rotated here"), "{refused}");
    }
    assert_snapshot!(rotate("OPENEDX_SECRET_KEY").exits(4), @"
    exit code: 4
    ----- stderr -----
    error: prod/uni
      cause: OPENEDX_SECRET_KEY: everybody is logged out, and links in mails that were sent stop working
    hint: if that is meant, say `--accept`
    ");
    assert_snapshot!(rotate("REGISTRY_AUTH").exits(4), @"
    exit code: 4
    ----- stderr -----
    error: prod/uni
      cause: REGISTRY_AUTH stands in `clusters/prod/secrets.sops.yaml`, which others read as well
    hint: `grove secret set` changes it there, for all of them
    ");
    assert_snapshot!(rotate("NOT_THERE").exits(1), @"
    exit code: 1
    ----- stderr -----
    error: prod/uni
      cause: prod/uni has no secret NOT_THERE
    hint: `grove secret rotate prod/uni --plan` shows those that it has
    ");
    assert_snapshot!(world.grove(["secret", "rotate", "prod/uni"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: which secret? name it with `--secret`
    hint: `--plan` shows all of them, and what each needs
    ");
    let done = world
        .grove(["secret", "rotate", "prod/uni", "--finish"])
        .success();
    assert!(done.stderr.contains("nothing is to be done"), "{done}");
    assert_eq!(world.read(file), before);
    // Two at once: one that cannot be is none.
    let both = [
        "--secret",
        "OPENEDX_MYSQL_PASSWORD",
        "--secret",
        "SMTP_PASSWORD",
    ];
    let _ = world
        .grove([&["secret", "rotate", "prod/uni"][..], &both].concat())
        .exits(4);
    assert_eq!(world.read(file), before);
}

#[test]
fn a_secret_is_removed_where_it_is_and_nowhere_else() {
    let world = production();
    let remove = |words: &[&str]| world.grove([&["secret", "remove"][..], words].concat());
    assert_snapshot!(remove(&["prod/uni", "MYSQL_ADMIN_PASSWORD"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `clusters/prod/instances/uni/secrets.sops.yaml` has no secret `MYSQL_ADMIN_PASSWORD` of that owner
    ");
    let _ = remove(&["prod", "MYSQL_ADMIN_PASSWORD", "--cluster-only"]).success();
    let left = world.read("fleet/clusters/prod/secrets.sops.yaml");
    assert!(!left.contains("MYSQL_ADMIN_PASSWORD") && left.contains("SEALING_PRIVATE_KEY"));
    // The file is whole: its other values open.
    let _ = world
        .grove(["secret", "show", "prod/uni", "REGISTRY_AUTH"])
        .success();
}
