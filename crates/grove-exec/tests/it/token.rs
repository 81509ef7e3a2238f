//! Programs are ended by the token that they were started under, and others are left alone.

use std::{
    collections::BTreeMap,
    fs::{File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use grove_exec::{Caller, Entered, ExecError, Invocation, Token, Variables};

fn enter(token: &Token) -> Entered {
    #[expect(clippy::disallowed_methods, reason = "programs are found on PATH")]
    let path = std::env::var_os("PATH").unwrap();
    Caller {
        token: token.clone(),
        variables: Arc::new(BTreeMap::from([("PATH".into(), path)])),
    }
    .enter()
}

fn sleep(token: &Token) -> Result<(), ExecError> {
    let _entered = enter(token);
    Invocation::new("sleep").args(["30"]).run().map(drop)
}

#[test]
fn a_token_ends_its_own_programs_and_no_other() {
    let (one, other) = (Token::new(), Token::new());
    thread::scope(|scope| {
        let ended = scope.spawn(|| sleep(&one));
        let goes_on = scope.spawn(|| sleep(&other));
        thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        one.end();
        assert!(matches!(
            ended.join().unwrap(),
            Err(ExecError::Ended { .. })
        ));
        assert!(asked.elapsed() < Duration::from_secs(10));
        assert!(!goes_on.is_finished());
        other.end();
        assert!(matches!(
            goes_on.join().unwrap(),
            Err(ExecError::Ended { .. })
        ));
    });
}

#[test]
fn nothing_is_started_under_a_token_that_has_ended() {
    let token = Token::new();
    token.end();
    assert!(matches!(sleep(&token), Err(ExecError::Ended { .. })));
    // The thread has left it.
    assert!(Invocation::new("true").run().is_ok());
}

#[test]
fn what_does_not_listen_is_ended_after_its_farewell() {
    let token = Token::new();
    thread::scope(|scope| {
        let stubborn = scope.spawn(|| {
            let _entered = enter(&token);
            Invocation::new("sh")
                .args(["-c", "trap '' TERM; sleep 30 & wait; sleep 30"])
                .run()
        });
        thread::sleep(Duration::from_millis(300));
        token.end();
        assert!(stubborn.join().unwrap().is_err());
    });
}

#[test]
fn who_waits_for_a_file_is_ended_and_who_has_it_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let open = || File::create(directory.path().join("lock")).unwrap();
    let (mine, theirs) = (open(), open());
    grove_exec::lock(&mine, None).unwrap();
    let waited = grove_exec::lock(&theirs, Some(Duration::from_millis(50)));
    assert_eq!(waited.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let token = Token::new();
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let _entered = enter(&token);
            grove_exec::lock(&theirs, None)
        });
        token.end();
        let ended = waits.join().unwrap().unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::Interrupted);
    });
    drop(mine);
    grove_exec::lock(&theirs, None).unwrap();
}

#[test]
fn programs_are_found_and_started_with_the_environment_of_whoever_asked() {
    let directory = tempfile::tempdir().unwrap();
    let tool = directory.path().join("tool");
    std::fs::write(&tool, "#!/bin/sh\necho \"$GIT_ASKPASS,$HOME,$SECRET\"\n").unwrap();
    std::fs::set_permissions(&tool, Permissions::from_mode(0o755)).unwrap();
    let of = |home: &str, path: &Path| Caller {
        token: Token::new(),
        variables: Arc::new(
            [
                ("PATH", path.to_str().unwrap()),
                ("HOME", home),
                ("GIT_ASKPASS", "ask"),
                ("SECRET", "kept"),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        ),
    };
    let run = || Invocation::new("tool").pass(Variables::Git).run();
    let (one, other) = (of("/one", directory.path()), of("/two", directory.path()));
    let entered = one.enter();
    assert_eq!(run().unwrap().text().unwrap().trim(), "ask,/one,");
    {
        let _inner = other.enter();
        assert_eq!(run().unwrap().text().unwrap().trim(), "ask,/two,");
        let _nothing = of("/three", Path::new("/nonexistent")).enter();
        assert!(run().is_err());
    }
    assert_eq!(run().unwrap().text().unwrap().trim(), "ask,/one,");
    drop(entered);
    assert!(run().is_err());
}
