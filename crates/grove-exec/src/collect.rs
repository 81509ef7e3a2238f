//! Reading a program's output in threads, within bounds.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Something that happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// One of its output pipes was closed.
    Closed,
    /// It wrote more than it may.
    Flooded,
    /// It ended, and has not been reaped.
    Ended,
}

/// Bytes that a thread collects from a pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected(Arc<Mutex<VecDeque<u8>>>);

impl Collected {
    /// Takes what was collected until now.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock()).into()
    }

    /// A copy of what was collected until now.
    pub(crate) fn copy(&self) -> Vec<u8> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        // A panic cannot leave bytes half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens beyond the limit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beyond {
    /// Reading stops and [`Event::Flooded`] is sent.
    Refuse,
    /// The oldest bytes are forgotten.
    Forget,
}

/// Starts to collect `pipe`, `limit` bytes at most.
pub(crate) fn collect(
    mut pipe: impl Read + Send + 'static,
    limit: usize,
    beyond: Beyond,
    events: Sender<Event>,
) -> io::Result<Collected> {
    let collected = Collected::default();
    let bytes = collected.clone();
    thread::Builder::new().spawn(move || {
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let mut bytes = bytes.lock();
            bytes.extend(&chunk[..count]);
            let over = bytes.len().saturating_sub(limit);
            if over > 0 {
                match beyond {
                    Beyond::Forget => drop(bytes.drain(..over)),
                    Beyond::Refuse => {
                        bytes.clear();
                        // Nobody listens any more where the run has ended.
                        let _: Result<_, _> = events.send(Event::Flooded);
                        return;
                    }
                }
            }
        }
        let _: Result<_, _> = events.send(Event::Closed);
    })?;
    Ok(collected)
}
