//! Add-ons that the program carries.

use std::path::Path;

use grove_fleet::{Snapshot, addons};
use grove_test::World;

use crate::GROVE;

#[test]
fn every_file_of_a_carried_addon_is_carried() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../addons");
    let world = World::new(GROVE);
    for name in addons::carried() {
        world.copy(&root.join(name), name);
        let carried: Vec<String> = addons::addon(&Snapshot::default(), name)
            .into_keys()
            .collect();
        assert_eq!(carried, world.files(name), "{name}");
    }
}
