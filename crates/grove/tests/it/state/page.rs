//! The page on splitting a combined state.

use std::path::Path;

use grove_test::World;

use super::programs;
use crate::GROVE;

/// `docs/split-a-combined-state.md`, command by command.
#[test]
#[ignore = "split: needs OpenTofu"]
fn the_page_can_be_followed() {
    let page = include_str!("../../../../../docs/split-a-combined-state.md");
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let commands = rest.split_once("```").unwrap().0;
    assert!(commands.lines().count() > 5, "{commands}");
    let world = World::with_shared_cache(GROVE);
    world.copy(&crate::example("split"), "examples/split");
    let tofu = programs().remove(0);
    let directories = [Path::new(GROVE).parent(), tofu.parent()];
    let mut path = std::env::var_os("PATH").unwrap();
    for directory in directories.into_iter().flatten() {
        let all = std::iter::once(directory.to_owned()).chain(std::env::split_paths(&path));
        path = std::env::join_paths(all.collect::<Vec<_>>()).unwrap();
    }
    let output = world
        .program("sh")
        .current_dir(world.root())
        .env("PATH", path)
        .args(["-e", "-c", commands])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("3 plans: no changes"), "{printed}");
}
