//! Files that would cost a careless reader its memory, its stack or its time.

use std::{fmt::Write as _, fs::File, os::unix::fs::symlink};

use grove_test::World;
use serde_json::Value;

use super::UNI;
use crate::{edit, example_world};

/// Sets what a check may use: 512 MiB of address space, which is more than what is resident, and
/// 20 s of processor time; a debug build needs more of both than a real one.
const LIMITS: [&str; 4] = [
    "sh",
    "-c",
    "ulimit -v 524288 && ulimit -t 20 && exec \"$@\"",
    "sh",
];

/// The findings of `grove check` under [`LIMITS`] as `rule path:line`; there must be some.
#[track_caller]
fn check(world: &World, more: &[&str]) -> Vec<String> {
    let words = ["check", "--format", "json"].iter().chain(more);
    let output = world.command_under(&LIMITS, words).run().exits(1);
    let result: Value = serde_json::from_str(&output.stdout).unwrap();
    result["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let place = &finding["locations"][0];
            let (rule, path) = (finding["rule"].as_str(), place["path"].as_str());
            let line = &place["start"]["line"];
            format!("{} {}:{line}", rule.unwrap(), path.unwrap())
        })
        .collect()
}

/// Each line is nine times the one before.
fn bomb() -> String {
    let mut text = "config:\n  X0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*x{}", level - 1); 9].join(", ");
        writeln!(text, "  X{level}: &x{level} [{aliases}]").unwrap();
    }
    text
}

fn bytes() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(64 << 10).collect()
}

#[test]
fn a_bomb_and_ten_thousand_levels_are_findings_at_their_place() {
    let world = example_world();
    let original = world.read(format!("fleet/{UNI}"));
    edit(&world, UNI, "config:\n", &bomb());
    assert_eq!(
        check(&world, &[]),
        [format!("limit-exceeded {UNI}:20")],
        "a bomb"
    );
    for (name, nested) in [
        ("lists", "[".repeat(10_000) + &"]".repeat(10_000)),
        ("lists without an end", "[".repeat(10_000)),
        ("maps", "{a: ".repeat(10_000) + &"}".repeat(10_000)),
        (
            "a list in each line",
            "\n    ".to_owned() + &"- ".repeat(10_000),
        ),
    ] {
        let text = original.replace(
            "PLATFORM_NAME:",
            &format!("DEEP: {nested}\n  PLATFORM_NAME:"),
        );
        world.write(format!("fleet/{UNI}"), text);
        let found = check(&world, &[]);
        assert!(
            found
                .iter()
                .any(|found| found.starts_with(&format!("limit-exceeded {UNI}:"))),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn large_files_and_bytes_are_findings_wherever_they_stand() {
    const LARGE: u64 = 100 << 20;
    let world = example_world();
    for path in [
        "grove.yaml",
        UNI,
        "groups/uni/secrets.sops.yaml",
        "clusters/alpha/sealing.pem",
        "distributions/verawood-1.lock",
    ] {
        let place = world.path(format!("fleet/{path}"));
        let original = std::fs::read(&place).unwrap();
        // A file with a hole: it takes no room here, and as much as any other for who reads it.
        File::create(&place).unwrap().set_len(LARGE).unwrap();
        let found = check(&world, &[]);
        assert!(
            found
                .iter()
                .any(|found| found.starts_with(&format!("limit-exceeded {path}:"))),
            "{found:?}"
        );

        std::fs::write(&place, bytes()).unwrap();
        let found = check(&world, &[]);
        assert!(
            found.iter().any(|found| found.contains(path)),
            "{path}: {found:?}"
        );
        std::fs::write(&place, original).unwrap();
    }
    let _ = world.grove(["check"]).success();
    // What a plugin's bytes mean is for Python to say.
    let plugin = "plugins/announcement.py";
    File::create(world.fleet().join(plugin))
        .unwrap()
        .set_len(LARGE)
        .unwrap();
    assert_eq!(check(&world, &[]), [format!("limit-exceeded {plugin}:1")]);
}

#[test]
fn links_that_lead_in_a_circle_are_findings() {
    let world = example_world();
    let fleet = world.fleet();
    std::fs::remove_file(fleet.join(UNI)).unwrap();
    for (target, link) in [
        ("instance.yaml", UNI),
        ("b.py", "plugins/a.py"),
        ("a.py", "plugins/b.py"),
        // Not endless, but each shows the whole fleet, and so itself.
        ("../..", "groups/uni/all"),
        ("..", "clusters/all"),
        (".", "plugins/all"),
    ] {
        symlink(target, fleet.join(link)).unwrap();
    }
    let found = check(&world, &[]);
    for link in [UNI, "plugins/a.py", "plugins/b.py"] {
        assert!(
            found
                .iter()
                .any(|found| found.starts_with(&format!("broken-link {link}:"))),
            "{link}: {found:?}"
        );
    }
}

#[test]
fn a_revision_is_read_with_the_same_care_as_a_work_tree() {
    let world = example_world();
    let fleet = world.fleet();
    edit(&world, UNI, "config:\n", &bomb());
    let large = "clusters/alpha/instances/uni-next/instance.yaml";
    File::create(fleet.join(large))
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    let binary = "clusters/beta/instances/library/instance.yaml";
    std::fs::write(fleet.join(binary), bytes()).unwrap();
    let circle = "clusters/beta/instances/academy/instance.yaml";
    std::fs::remove_file(fleet.join(circle)).unwrap();
    symlink("instance.yaml", fleet.join(circle)).unwrap();
    let commit = world.repository(&fleet).commit("Hostile");
    let mut found = check(&world, &["--rev", &commit]);
    found.sort();
    assert_eq!(
        found,
        [
            format!("broken-link {circle}:1"),
            format!("limit-exceeded {large}:1"),
            format!("limit-exceeded {UNI}:20"),
            format!("yaml-syntax {binary}:1"),
        ]
    );
}
