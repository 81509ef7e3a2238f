//! The client against a worker that is played by a thread.

use std::io::{PipeReader, PipeWriter, pipe};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, Keep, Start};
use super::frames::Frame;
use super::{FailureKind, Limits, WorkerError};
use grove_exec::sandbox::Inner;

/// The other end of a conversation.
struct Played {
    requests: PipeReader,
    answers: PipeWriter,
}

impl Played {
    fn next(&mut self) -> Option<Value> {
        let frame = Frame::read(&mut self.requests).unwrap()?;
        Some(serde_json::from_slice(frame.head()).unwrap())
    }

    fn say(&mut self, head: &Value, body: &[u8]) {
        let frame = Frame::new(head, &[body]).unwrap();
        frame.write(&mut self.answers).unwrap();
    }

    fn greet(&mut self) {
        let start = self.next().unwrap();
        assert_eq!(start["protocol"], 1);
        assert_eq!(start["limits"]["memory_mib"], 1024);
        self.say(&json!({"protocol": 1, "tutor": "22.0.3"}), b"");
    }

    fn answer(&mut self, id: &Value, head: &Value) {
        let mut inner = Vec::new();
        Frame::new(head, &[]).unwrap().write(&mut inner).unwrap();
        self.say(&json!({"id": id}), &inner);
    }
}

/// A client, and a thread that plays its worker.
fn talk(
    patience: Duration,
    keep: Keep,
    play: impl FnOnce(Played) + Send + 'static,
) -> (Result<Client, WorkerError>, JoinHandle<()>) {
    let (requests, to_worker) = pipe().unwrap();
    let (from_worker, answers) = pipe().unwrap();
    let player = thread::spawn(move || play(Played { requests, answers }));
    let start = Start {
        parallel: 2,
        limits: Limits::default(),
        confinement: &Inner::default(),
        key: None,
        warm_after: 1,
    };
    let client = Client::start(
        Box::new(from_worker),
        Box::new(to_worker),
        &start,
        b"saved",
        patience,
        keep,
    );
    (client, player)
}

fn calm(
    play: impl FnOnce(Played) + Send + 'static,
) -> (Result<Client, WorkerError>, JoinHandle<()>) {
    talk(Duration::from_mins(1), Box::new(|_| {}), play)
}

#[test]
fn answers_find_those_who_asked() {
    const CALLERS: u64 = 8;
    let (client, player) = calm(|mut worker| {
        worker.greet();
        let mut requests: Vec<Value> = (0..CALLERS).map(|_| worker.next().unwrap()).collect();
        requests.reverse();
        for request in requests {
            worker.answer(&request["id"], &json!({"echo": request["number"]}));
        }
        assert_eq!(worker.next(), None);
    });
    let client = client.unwrap();
    assert_eq!(client.tutor, "22.0.3");
    thread::scope(|scope| {
        for number in 0..CALLERS {
            let client = &client;
            scope.spawn(move || {
                let answer = client.ask(&json!({"number": number}), &[]).unwrap();
                let head: Value = serde_json::from_slice(answer.head()).unwrap();
                assert_eq!(head, json!({"echo": number}));
            });
        }
    });
    client.close();
    player.join().unwrap();
}

#[test]
fn a_failure_is_its_requests_alone_and_is_tamed() {
    let (client, player) = calm(|mut worker| {
        worker.greet();
        let first = worker.next().unwrap();
        let error = json!({"error": {
            "kind": "missing-secret",
            "message": format!("\u{1b}[2Jno\nvalue {}", "x".repeat(100_000)),
            "keys": ["A\u{7}"],
        }});
        worker.answer(&first["id"], &error);
        let second = worker.next().unwrap();
        worker.answer(&second["id"], &json!({}));
    });
    let client = client.unwrap();
    let Err(WorkerError::Failed(failure)) = client.ask(&json!({}), &[]) else {
        panic!("the failure was not passed on");
    };
    assert_eq!(failure.kind, FailureKind::MissingSecret);
    assert_eq!(failure.keys, ["A"]);
    assert!(failure.message.starts_with("[2Jno\nvalue xxx"));
    assert!(failure.message.len() <= 8_000);
    assert!(client.ask(&json!({}), &[]).is_ok());
    player.join().unwrap();
}

#[test]
fn everybody_hears_of_the_end() {
    let (client, player) = calm(|mut worker| {
        worker.greet();
        worker.next().unwrap();
        worker.next().unwrap();
    });
    let client = client.unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let error = client.ask(&json!({}), &[]).unwrap_err();
                assert!(matches!(error, WorkerError::Ended { .. }), "{error:?}");
            });
        }
    });
    player.join().unwrap();
    let error = client.ask(&json!({}), &[]).unwrap_err();
    assert!(matches!(error, WorkerError::Ended { .. }), "{error:?}");
}

#[test]
fn a_worker_that_says_nothing_is_given_up() {
    let (client, player) = talk(Duration::from_millis(50), Box::new(|_| {}), |mut worker| {
        worker.greet();
        while worker.next().is_some() {}
    });
    let client = client.unwrap();
    let error = client.ask(&json!({}), &[]).unwrap_err();
    assert!(matches!(error, WorkerError::Silent), "{error:?}");
    client.close();
    player.join().unwrap();
}

#[test]
fn nonsense_ends_the_conversation() {
    let (client, player) = calm(|mut worker| {
        worker.greet();
        worker.next().unwrap();
        worker.say(&json!(["no envelope"]), b"");
        assert_eq!(worker.next(), None);
    });
    let client = client.unwrap();
    let error = client.ask(&json!({}), &[]).unwrap_err();
    assert!(matches!(error, WorkerError::Ended { .. }), "{error:?}");
    client.close();
    player.join().unwrap();
}

#[test]
fn compiled_templates_are_kept() {
    let (sender, kept) = mpsc::channel();
    let keep: Keep = Box::new(move |code| sender.send(code.to_vec()).unwrap());
    let (client, player) = talk(Duration::from_mins(1), keep, |mut worker| {
        worker.greet();
        worker.say(&json!({"id": 0, "event": "code"}), b"compiled");
        assert_eq!(worker.next(), None);
    });
    let client = client.unwrap();
    assert_eq!(kept.recv().unwrap(), b"compiled");
    client.close();
    player.join().unwrap();
}

#[test]
fn a_worker_that_does_not_start_says_why() {
    let (client, player) = calm(|mut worker| {
        worker.next().unwrap();
        let error = json!({"kind": "crash", "message": "No module named 'tutor'"});
        worker.say(&json!({"protocol": 1, "error": error}), b"");
    });
    assert_eq!(
        client.unwrap_err().to_string(),
        "the Tutor worker does not start: No module named 'tutor'"
    );
    player.join().unwrap();

    let (client, player) = calm(|mut worker| {
        worker.next().unwrap();
        worker.say(&json!({"protocol": 2, "tutor": "22.0.3"}), b"");
    });
    assert!(matches!(client, Err(WorkerError::Protocol(_))));
    player.join().unwrap();

    let (client, player) = calm(drop);
    assert!(matches!(
        client,
        Err(WorkerError::Ended { .. } | WorkerError::Io(_))
    ));
    player.join().unwrap();
}

#[test]
fn damaged_code_is_not_given_to_python() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("code");
    assert_eq!(super::load_code(&path), b"");
    super::keep_code(path.clone())(b"code");
    assert_eq!(super::load_code(&path), b"code");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(super::load_code(&path), b"");
    std::fs::write(&path, "short").unwrap();
    assert_eq!(super::load_code(&path), b"");
}
