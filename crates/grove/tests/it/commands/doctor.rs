//! What `doctor` says of a machine that cannot confine what renders.

use grove_test::{Lesser, World};

use crate::GROVE;

/// The line about the sandbox, and whether the command found something missing.
fn sandbox(lesser: Option<Lesser>) -> (String, bool) {
    let world = World::new(GROVE);
    let words = lesser.map(Lesser::line).unwrap_or_default();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let command = if words.is_empty() {
        world.command(["doctor"])
    } else {
        world.command_under(&words, ["doctor"])
    };
    let text = command.run().to_string();
    let line = text.lines().find(|line| line.contains("  sandbox "));
    (
        line.unwrap_or_default().to_owned(),
        text.contains("exit code: 1"),
    )
}

#[test]
fn the_floor_is_there_or_doctor_says_what_it_needs() {
    let (line, _) = sandbox(None);
    assert!(line.starts_with("ok "), "{line}");
    assert!(
        line.contains("confines files, network, system calls"),
        "{line}"
    );

    let (line, _) = sandbox(Some(Lesser::NoNamespaces));
    assert!(line.starts_with("ok "), "{line}");
    assert!(line.ends_with("without namespaces"), "{line}");

    let (line, missing) = sandbox(Some(Lesser::NoLandlock));
    assert!(line.starts_with("missing") && missing, "{line}");
    assert!(
        line.contains(
            "nothing is rendered: this machine cannot confine files (needs Linux 5.13 or newer"
        ),
        "{line}"
    );

    let (line, missing) = sandbox(Some(Lesser::NoFilters));
    assert!(line.starts_with("missing") && missing, "{line}");
    assert!(line.contains("system calls (needs"), "{line}");
}
