//! `grove rule`.

use grove_test::World;
use insta::assert_snapshot;

use super::json;
use crate::GROVE;

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
