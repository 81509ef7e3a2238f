//! Remotes that are no good.

use std::{
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::operation::Operation;

/// Takes every connection and says nothing.
pub(crate) struct Silent {
    port: u16,
    seen: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Silent {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let thread = thread::spawn({
            let (seen, is_over) = (Arc::clone(&seen), Arc::clone(&is_over));
            move || {
                let mut kept = Vec::new();
                while !is_over.load(Ordering::SeqCst) {
                    kept.push(listener.accept().unwrap());
                    seen.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Self {
            port,
            seen,
            is_over,
            thread: Some(thread),
        }
    }

    pub(crate) fn remote(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    pub(crate) fn is_of(&self, operation: &Operation) -> bool {
        let remote = self.remote("");
        operation
            .remote
            .as_ref()
            .is_some_and(|of| of.starts_with(&remote))
    }

    /// How many connections it has taken.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// Waits until it has taken so many.
    pub(crate) fn wait_for(&self, count: usize, limit: Duration) {
        let begun = Instant::now();
        while self.seen() < count {
            assert!(begun.elapsed() < limit, "nobody came");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A port at which nobody listens.
pub(crate) fn refused() -> u16 {
    // The system gives no port twice in a row.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
