//! The conversation with a worker, over any two pipes.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use grove_exec::sandbox::Inner;
use serde::{Deserialize, Serialize};

use super::error::{Failure, WorkerError};
use super::frames::Frame;
use super::options::Limits;

/// The protocol's version; `PROTOCOL` in `worker/grove_worker/__init__.py`.
const PROTOCOL: u32 = 1;

/// Takes the compiled templates that a worker made, to keep them for the next.
pub(crate) type Keep = Box<dyn Fn(&[u8]) + Send>;

/// What the worker is told first.
#[derive(Debug, Serialize)]
pub(crate) struct Start<'a> {
    /// Children at the same time.
    pub(crate) parallel: usize,
    /// What each child may use.
    pub(crate) limits: Limits,
    /// What each child sets before it runs what it does not trust.
    pub(crate) confinement: &'a Inner,
    /// The throw-away JWT key.
    pub(crate) key: Option<&'a str>,
    /// After how many requests with the same plugins compiled templates are made for all.
    pub(crate) warm_after: usize,
}

/// What the worker says first.
#[derive(Debug, Deserialize)]
struct Hello {
    protocol: u32,
    tutor: Option<String>,
    error: Option<Failure>,
}

/// One side of a conversation; requests may come from several threads.
pub(crate) struct Client {
    shared: Arc<Shared>,
    writer: Mutex<Option<Box<dyn Write + Send>>>,
    /// Tutor's version.
    pub(crate) tutor: String,
    /// How long the worker may say nothing while it has something to do.
    patience: Duration,
}

struct Shared(Mutex<State>);

struct State {
    /// Who waits for which answer; `None` once the worker has ended.
    waiting: Option<HashMap<u64, Sender<Frame>>>,
    last_id: u64,
    last_heard: Instant,
}

/// The head around every answer.
#[derive(Deserialize)]
struct Envelope {
    id: u64,
    event: Option<String>,
}

impl Client {
    /// Greets the worker and starts the thread that listens to it.
    pub(crate) fn start(
        mut reader: Box<dyn Read + Send>,
        mut writer: Box<dyn Write + Send>,
        start: &Start<'_>,
        code: &[u8],
        patience: Duration,
        keep: Keep,
    ) -> Result<Self, WorkerError> {
        #[derive(Serialize)]
        struct Head<'a> {
            protocol: u32,
            #[serde(flatten)]
            start: &'a Start<'a>,
        }
        let head = Head {
            protocol: PROTOCOL,
            start,
        };
        let written = Frame::new(&head, &[code])?.write(&mut writer);
        let hello = read_hello(&mut reader);
        // A worker that ended early says why; that its pipe is broken then says nothing more.
        let tutor = match (written, hello) {
            (_, Err(error @ WorkerError::Start(_))) => return Err(error),
            (Err(error), _) => return Err(error.into()),
            (Ok(()), hello) => hello?,
        };
        let shared = Arc::new(Shared(Mutex::new(State {
            waiting: Some(HashMap::new()),
            last_id: 0,
            last_heard: Instant::now(),
        })));
        let listener = Arc::clone(&shared);
        thread::Builder::new()
            .name("tutor worker".to_owned())
            .spawn(move || listener.listen(&mut reader, &keep))?;
        Ok(Self {
            shared,
            writer: Mutex::new(Some(writer)),
            tutor,
            patience,
        })
    }

    /// Sends a request and waits for its answer. `head` says the operation; an error that the
    /// worker reports is [`WorkerError::Failed`].
    pub(crate) fn ask<T: Serialize>(&self, head: &T, body: &[&[u8]]) -> Result<Frame, WorkerError> {
        #[derive(Serialize)]
        struct Head<'a, T> {
            id: u64,
            #[serde(flatten)]
            request: &'a T,
        }
        let (sender, answer) = mpsc::channel();
        let id = self.shared.enlist(sender)?;
        let frame = Frame::new(&Head { id, request: head }, body)?;
        if let Some(writer) = lock(&self.writer).as_mut() {
            frame.write(writer).map_err(|_| ended())?;
        }
        loop {
            match answer.recv_timeout(self.patience) {
                Ok(frame) => return answered(&frame),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) if self.shared.is_silent(self.patience) => {
                    return Err(WorkerError::Silent);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Says goodbye: the worker ends once it reads the end of its input.
    pub(crate) fn close(&self) {
        drop(lock(&self.writer).take());
    }
}

impl Shared {
    /// Puts a caller on the list of those who wait: the id of its request.
    fn enlist(&self, sender: Sender<Frame>) -> Result<u64, WorkerError> {
        let mut state = lock(&self.0);
        let id = state.last_id + 1;
        state.waiting.as_mut().ok_or_else(ended)?.insert(id, sender);
        state.last_id = id;
        Ok(id)
    }

    fn is_silent(&self, patience: Duration) -> bool {
        lock(&self.0).last_heard.elapsed() >= patience
    }

    /// Passes answers on until the worker ends or says something that makes no sense.
    fn listen(&self, reader: &mut impl Read, keep: &Keep) {
        while let Ok(Some(frame)) = Frame::read(reader) {
            let Ok(envelope) = serde_json::from_slice::<Envelope>(frame.head()) else {
                break;
            };
            if envelope.event.as_deref() == Some("code") {
                keep(frame.body());
                continue;
            }
            let mut state = lock(&self.0);
            state.last_heard = Instant::now();
            let waiting = state.waiting.as_mut();
            if let Some(sender) = waiting.and_then(|waiting| waiting.remove(&envelope.id)) {
                // The caller may have lost its patience.
                drop(sender.send(frame));
            }
        }
        // Those who still wait see their channel close.
        lock(&self.0).waiting = None;
    }
}

/// Reads the worker's greeting: Tutor's version.
fn read_hello(reader: &mut impl Read) -> Result<String, WorkerError> {
    let frame = Frame::read(reader)?.ok_or_else(ended)?;
    let hello: Hello = from_json(frame.head())?;
    if let Some(failure) = hello.error {
        return Err(WorkerError::Start(Box::new(failure.tame())));
    }
    match hello.tutor {
        Some(tutor) if hello.protocol == PROTOCOL => Ok(tutor),
        _ => Err(WorkerError::Protocol(format!(
            "it speaks version {}",
            hello.protocol
        ))),
    }
}

/// The child's answer in the parent's envelope, or the error that it is.
fn answered(envelope: &Frame) -> Result<Frame, WorkerError> {
    #[derive(Deserialize)]
    struct Head {
        error: Option<Failure>,
    }
    let frame =
        Frame::parse(envelope.body()).map_err(|error| WorkerError::Protocol(error.to_string()))?;
    match from_json::<Head>(frame.head())?.error {
        Some(failure) => Err(WorkerError::Failed(Box::new(failure.tame()))),
        None => Ok(frame),
    }
}

/// Reads what the worker sent as JSON.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WorkerError> {
    serde_json::from_slice(bytes).map_err(|error| WorkerError::Protocol(error.to_string()))
}

fn ended() -> WorkerError {
    WorkerError::Ended {
        stderr: String::new(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No step that these guard can stop half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Client")
            .field("tutor", &self.tutor)
            .finish_non_exhaustive()
    }
}
