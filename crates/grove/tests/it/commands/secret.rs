//! `grove secret set` and `grove secret show`.

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
