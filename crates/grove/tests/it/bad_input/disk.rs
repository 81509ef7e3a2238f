//! A file system without room, wherever something is written.

use std::path::Path;

use grove_test::{Output, World};

use super::{UNI, branches, deploys, world_with_remote};
use crate::edit;

/// Puts a file system with the content of its first argument there, seen by its own program alone,
/// and leaves as many KiB of room as the second says; then runs the rest, and shows the branches if
/// that place is a repository, and what was rendered there. The exit code 99 says that nothing may be mounted.
const FULL: &str = r#"
set -e
place=$1; room=$2; shift 2
content=$(mktemp -d)
mount -t tmpfs content "$content" || exit 99
[ ! -d "$place/objects" ] || cp -a "$place/." "$content"
mount -t tmpfs -o size=8m full "$place" || exit 99
cp -a "$content/." "$place"
dd if=/dev/zero of="$place/filler" bs=4k 2>/dev/null || true
truncate -s "-${room}K" "$place/filler"
code=0
"$@" || code=$?
[ ! -d "$place/objects" ] || git -C "$place" for-each-ref --format='%(refname) %(objectname)'
find "$place" -name '*.yaml'
exit $code
"#;

/// Runs Grove where `place` has `room` KiB; none where nothing can be mounted.
#[expect(clippy::print_stdout, reason = "says why a test was skipped")]
fn on_full_disk(world: &World, place: &Path, room: &str, arguments: &[&str]) -> Option<Output> {
    let place = place.display().to_string();
    let words = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        FULL,
        "sh",
        &place,
        room,
    ];
    let output = world.command_under(&words, arguments).run();
    if output.code == Some(99) || output.stderr.starts_with("unshare:") {
        println!("skipped: nothing can be mounted here: {}", output.stderr);
        return None;
    }
    Some(output)
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_full_disk_is_said_and_leaves_the_deploy_repository_as_it_was() {
    let world = world_with_remote();
    deploys(&world);
    let before = branches(&world);
    let remote = world.path("deploy-alpha.git");
    let cache = |name: &str| {
        let place = world.cache().join(name);
        std::fs::create_dir_all(&place).unwrap();
        place
    };
    let mut setting = "SESSION_COOKIE_AGE: 1209600".to_owned();
    for (place, room) in [
        (cache("scratch"), "8"),
        (cache("tutor-output-v1"), "8"),
        (cache("deploy-v1"), "128"),
        (remote.clone(), "8"),
    ] {
        // Each time something that was never rendered before.
        let age = world.root().as_os_str().len() + place.as_os_str().len();
        let other = format!("SESSION_COOKIE_AGE: {}{age}", std::process::id());
        edit(&world, UNI, &setting, &other);
        setting = other;
        world.repository(&world.fleet()).commit(&setting);

        let Some(output) = on_full_disk(&world, &place, room, &["deploy", "alpha/uni"]) else {
            return;
        };
        let output = output.exits(3);
        assert!(
            output.stderr.to_lowercase().contains("no space left")
                || output.stderr.contains("no storage space"),
            "{}: {output}",
            place.display()
        );
        if place == remote {
            assert_eq!(output.stdout.trim_end(), before);
        }
        assert_eq!(branches(&world), before);
    }
    deploys(&world);
    assert_ne!(branches(&world), before);
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_render_without_room_leaves_no_half_instance() {
    let world = world_with_remote();
    let out = world.path("out");
    std::fs::create_dir(&out).unwrap();
    let path = out.display().to_string();
    let words = ["render", "alpha/uni", "--out", &path];
    if let Some(output) = on_full_disk(&world, &out, "64", &words) {
        let output = output.exits(3);
        assert!(output.stderr.contains("No space left"), "{output}");
        assert_eq!(output.stdout, "");
    }
}
