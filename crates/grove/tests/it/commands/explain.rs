//! `grove explain`.

use insta::assert_snapshot;

use super::{copy_of, json};

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
