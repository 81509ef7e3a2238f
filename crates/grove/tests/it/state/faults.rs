//! A push that is killed, and one without room on the disk.

use std::path::PathBuf;

use super::{push, split_example};
use crate::GROVE;

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_push_that_is_killed_at_any_moment_ends_well_when_it_is_repeated() {
    let program = PathBuf::from(std::env::var_os("GROVE_TEST_TOFU").unwrap());
    let world = split_example(&program);
    world.write("fleet/combined/main.tf", "# All of it is in stacks now.\n");
    let combined = world.read("fleet/combined/terraform.tfstate");
    let text = program.display().to_string();
    let words = [
        "state", "push", "parts", "--source", "combined", "--stacks", "stacks",
    ];
    let mut killed = 0;
    for moment in [300, 700, 1100, 1500, 1900, 2300, 2700] {
        let mut child = world
            .process(GROVE)
            .args(words)
            .args(["--program", &text])
            .current_dir(world.fleet())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(moment));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        let _ = child.wait();
        // What it started ends by itself: its input is gone.
        let lock = world.path("fleet/combined/.terraform.tfstate.lock.info");
        let begun = std::time::Instant::now();
        while lock.exists() && begun.elapsed() < std::time::Duration::from_secs(20) {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let now = world.read("fleet/combined/terraform.tfstate");
        // The old state or the new one: never in between.
        assert!(now == combined || !now.contains("terraform_data"), "{now}");
    }
    assert!(killed > 1, "{killed} runs were cut off");
    let _ = push(&world, &program).success();
    for (part, objects) in [
        ("cluster/network", 1),
        ("instances/uni", 3),
        ("instances/academy", 3),
    ] {
        let state = world.read(format!("states/{part}.tfstate"));
        assert_eq!(
            state.matches("\"schema_version\"").count(),
            objects,
            "{part}: {state}"
        );
    }
}

/// Puts a file system with little room where its first argument says, seen by its own program alone, runs the
/// rest twice, without room and with it, and says what became of the file of its second argument. The exit
/// code 99 says that nothing may be mounted.
const FULL: &str = r#"
set -e
place=$1; combined=$2; shift 2
mkdir -p "$place"
mount -t tmpfs -o size=1m full "$place" || exit 99
before=$(sha256sum < "$combined")
dd if=/dev/zero of="$place/filler" bs=4k 2>/dev/null || true
truncate -s -12K "$place/filler"
code=0
"$@" || code=$?
[ "$before" != "$(sha256sum < "$combined")" ] || echo "without room: $code, the old state is untouched"
rm "$place/filler"
"$@"
find "$place" -name '*.tfstate' | sort | sed "s:^$place/::"
"#;

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_push_to_a_full_disk_leaves_the_old_state_and_goes_on_once_there_is_room() {
    let program = PathBuf::from(std::env::var_os("GROVE_TEST_TOFU").unwrap());
    let world = split_example(&program);
    world.write("fleet/combined/main.tf", "# All of it is in stacks now.\n");
    let text = program.display().to_string();
    let place = world.path("states").display().to_string();
    let combined = world.path("fleet/combined/terraform.tfstate");
    let combined = combined.display().to_string();
    let words = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        FULL,
        "sh",
        &place,
        &combined,
    ];
    let push = [
        "state",
        "push",
        "parts",
        "--source",
        "combined",
        "--stacks",
        "stacks",
        "--program",
        &text,
    ];
    let output = world.command_under(&words, push).run();
    if output.code == Some(99) || output.stderr.starts_with("unshare:") {
        println!("skipped: nothing can be mounted here: {}", output.stderr);
        return;
    }
    let output = output.success();
    assert!(
        output.stderr.contains("no space left on device"),
        "{output}"
    );
    insta::assert_snapshot!(output.stdout, @"
    without room: 3, the old state is untouched
    7 objects of 3 parts in 3 back ends; the combined state has none of them any more
    cluster/network.tfstate
    instances/academy.tfstate
    instances/uni.tfstate
    ");
}
