//! `grove schema`.

use grove_test::World;
use insta::assert_snapshot;

use super::json;
use crate::GROVE;

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
