//! `grove secret set`, `grove secret show` and `grove secret rotate`.

use insta::assert_snapshot;

use super::{copy_of, json};

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
fn the_same_request_again_is_not_carried_out_twice() {
    let world = copy_of("fleet");
    let file = "fleet/clusters/alpha/instances/uni/secrets.sops.yaml";
    let set = |name: &str, value: &str| {
        let words = ["secret", "set", "alpha/uni", name, "--request-id", "ci-7"];
        world.command(words).stdin(value).run()
    };
    let first = set("SHOP_TOKEN", "one").success();
    let written = world.read(file);
    // No value is asked for, and none is looked at.
    assert_snapshot!(set("SHOP_TOKEN", "").success(), @"
    exit code: 0
    ----- stderr -----
    the request `ci-7` was carried out at 2026-01-02T03:04:05Z by operator: this is what came of it then, and nothing is done now
    set SHOP_TOKEN in clusters/alpha/instances/uni/secrets.sops.yaml
    ");
    assert_eq!(set("SHOP_TOKEN", "two").success().stdout, first.stdout);
    assert_eq!(world.read(file), written);
    assert_snapshot!(set("OTHER_TOKEN", "one").exits(4), @"
    exit code: 4
    ----- stderr -----
    error: the request `ci-7` was carried out before, and did something else: `secrets/set` at 2026-01-02T03:04:05Z
    hint: give each request a name of its own
    ");

    let rotate = |name: &str| {
        let words = ["secret", "rotate", "alpha/uni", "--secret", name];
        world.grove(words.into_iter().chain(["--request-id", "ci-8"]))
    };
    let first = rotate("OPENEDX_MYSQL_PASSWORD").success();
    let rotated = world.read(file);
    assert_ne!(rotated, written);
    let again = rotate("OPENEDX_MYSQL_PASSWORD").success();
    assert_eq!(again.stdout, first.stdout);
    let _ = rotate("MEILISEARCH_MASTER_KEY").exits(4);
    assert_eq!(world.read(file), rotated);

    let words = ["check", "--request-id", "Not one"];
    let _ = world.grove(words).exits(2);
}
