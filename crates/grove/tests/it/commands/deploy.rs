//! `grove deploy` where there is nothing to deploy from.

use insta::assert_snapshot;

use super::copy_of;

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
