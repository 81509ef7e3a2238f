//! What reaches a terminal, a file or a pipe.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use super::copy_of;
use crate::GROVE;

#[test]
fn colour_is_for_terminals_or_for_who_asks() {
    let world = copy_of("broken");
    let escape = '\u{1b}';
    let runs: [&[&str]; 5] = [
        &["check"],
        &["--help"],
        &["bogus"],
        &["deploy"],
        &["rule", "x"],
    ];
    for arguments in runs {
        for colour in ["auto", "never"] {
            let output = world.grove(arguments.iter().chain(&["--color", colour]));
            assert!(
                !output.stdout.contains(escape) && !output.stderr.contains(escape),
                "{output}"
            );
        }
        let output = world
            .command(arguments)
            .set("CLICOLOR_FORCE", "0")
            .set("NO_COLOR", "1")
            .run();
        assert!(
            !output.stdout.contains(escape) && !output.stderr.contains(escape),
            "{output}"
        );
    }
    let output = world.grove(["check", "--color", "always"]).exits(1);
    assert!(output.stdout.contains(escape), "{output}");
}

/// `grove rule | head -1`: the reader goes away, and that is no error.
#[test]
fn a_reader_may_go_away() {
    let mut grove = Command::new(GROVE)
        .args(["rule", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, grove.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "{\n");
    drop(reader);
    let output = grove.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
