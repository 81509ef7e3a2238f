//! Programs that are not confined.

use std::io::{BufRead as _, BufReader, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use grove_exec::{ExecError, Invocation};

fn sh(script: &str) -> Invocation {
    Invocation::new("sh").args(["-c", script])
}

#[test]
fn output_status_and_input_pass() {
    let outcome = sh("cat; echo warned >&2").stdin("hello").run().unwrap();
    assert_eq!(outcome.stdout, b"hello");
    assert_eq!(outcome.stderr, b"warned\n");
    let outcome = sh("exit 3").run_any().unwrap();
    assert_eq!(outcome.status.code(), Some(3));
}

#[test]
fn large_input_and_output_do_not_block_each_other() {
    let bytes = vec![b'x'; 4 << 20];
    assert_eq!(sh("cat").stdin(bytes.clone()).run().unwrap().stdout, bytes);
    // One that reads none of its input.
    sh("true").stdin(bytes).run().unwrap();
}

#[test]
fn a_failure_names_the_program_its_status_and_its_last_lines() {
    let error = sh("seq 30 >&2; printf '\\033[31mbad\\033[0m\\n' >&2; exit 4")
        .run()
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("`sh` exited with 4: 12\n13\n"), "{text}");
    assert!(text.ends_with("30\n[31mbad[0m"), "{text}");
    let error = sh("kill -9 $$").run().unwrap_err();
    assert_eq!(error.to_string(), "`sh` was ended by signal 9");
}

#[test]
fn a_missing_program_is_named_with_the_way_to_get_it() {
    let error = Invocation::new("grove-no-such-tool")
        .hint("ask your vendor")
        .run()
        .unwrap_err();
    assert_eq!(error.to_string(), "`grove-no-such-tool` was not found");
    assert_eq!(error.hint().as_deref(), Some("ask your vendor"));
}

#[test]
fn the_environment_is_a_clean_one() {
    let text = sh("env").env("GIVEN", "1").run().unwrap().text().unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    assert!(
        names.contains(&"GIVEN") && names.contains(&"PATH"),
        "{names:?}"
    );
    // Cargo sets this one for tests.
    assert!(
        !names.iter().any(|name| name.starts_with("CARGO")),
        "{names:?}"
    );
    assert!(text.contains("LC_ALL=C.UTF-8"), "{text}");
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let script = format!("(sleep 1; touch '{}') & sleep 100", mark.display());
    let start = Instant::now();
    let error = sh(&script)
        .timeout(Duration::from_millis(200))
        .run()
        .unwrap_err();
    assert!(matches!(error, ExecError::TimedOut { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20));
    thread::sleep(Duration::from_millis(1300));
    assert!(!mark.exists());
}

#[test]
fn one_that_floods_is_ended() {
    let error = sh("yes").output_limit(1 << 20).run().unwrap_err();
    assert!(
        matches!(
            error,
            ExecError::TooMuchOutput {
                limit: 1_048_576,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_a_program_leaves_behind_does_not_hold_its_end_up() {
    // In the group: ended at once, although it holds the pipe.
    let start = Instant::now();
    assert_eq!(sh("sleep 100 & echo done").run().unwrap().stdout, b"done\n");
    // Out of the group: left alone, and not waited for.
    let outcome = sh("setsid sleep 3 & sleep 0.1; echo done").run().unwrap();
    assert_eq!(outcome.stdout, b"done\n");
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_conversation_ends_with_its_program() {
    let mut running = sh("while read line; do echo \"got $line\"; done; echo bye >&2")
        .spawn()
        .unwrap();
    let mut input = running.take_stdin().unwrap();
    let mut output = BufReader::new(running.take_stdout().unwrap()).lines();
    for word in ["a", "b"] {
        writeln!(input, "{word}").unwrap();
        assert_eq!(output.next().unwrap().unwrap(), format!("got {word}"));
    }
    assert_eq!(running.wait(Duration::from_millis(50)).unwrap(), None);
    drop(input);
    let status = running.wait(Duration::from_secs(20)).unwrap().unwrap();
    assert!(status.success());
    assert_eq!(running.stderr_tail(), "bye");
}

#[test]
fn a_conversation_can_be_ended_from_another_thread_and_by_dropping_it() {
    let mut running = sh("echo up; sleep 100").spawn().unwrap();
    let mut output = BufReader::new(running.take_stdout().unwrap()).lines();
    assert_eq!(output.next().unwrap().unwrap(), "up");
    let ender = running.ender();
    thread::spawn(move || ender.end());
    assert!(output.next().is_none());
    assert!(running.wait(Duration::from_secs(20)).unwrap().is_some());

    let running = sh("sleep 100").spawn().unwrap();
    let process = format!("/proc/{}", running.id());
    drop(running);
    assert!(!std::path::Path::new(&process).exists());
}

#[test]
fn many_at_once() {
    let threads: Vec<_> = (0..16)
        .map(|n| thread::spawn(move || sh(&format!("echo {n}")).run().unwrap().text().unwrap()))
        .collect();
    for (n, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), format!("{n}\n"));
    }
}
