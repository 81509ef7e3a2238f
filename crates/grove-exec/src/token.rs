//! Ending the programs of one caller without touching those of others.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use crate::processes;

/// Ends the programs that were started under it: by threads that have a [`Caller`](crate::Caller) with it. A
/// clone is the same token.
#[derive(Clone, Debug, Default)]
pub struct Token(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_ended: AtomicBool,
    /// Who is to be woken at the end.
    waiting: Mutex<Vec<Waker>>,
}

impl Token {
    /// A token that has not ended.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it has ended.
    pub fn is_ended(&self) -> bool {
        self.0.is_ended.load(Ordering::SeqCst)
    }

    /// Ends every program that runs under it, and lets none be started. They are asked first, so that Git
    /// takes its lock files away, and have a second for that, or what
    /// [`Invocation::farewell`](crate::Invocation::farewell) says; this does not wait for them.
    pub fn end(&self) {
        self.0.is_ended.store(true, Ordering::SeqCst);
        processes::end_those_of(self);
        let waiting = mem::take(
            &mut *self
                .0
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for waker in waiting {
            waker.wake();
        }
    }

    /// Waits until it ends.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        UntilEnded(self.clone())
    }

    /// Whether two are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

struct UntilEnded(Token);

impl Future for UntilEnded {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let state = &self.0.0;
        let mut waiting = state.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock: who ends it takes the list after that.
        if self.0.is_ended() {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}
