//! Ending the programs of one caller without touching those of others.

use std::{
    cell::RefCell,
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

thread_local! {
    /// Under which token this thread starts programs.
    static CURRENT: RefCell<Option<Token>> = const { RefCell::new(None) };
}

/// Ends the programs that were started under it. A clone is the same token.
///
/// A thread starts programs under the token that it [entered](Self::enter); threads that it starts have
/// none until they enter it, too.
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

    /// The token that this thread entered last and has not left.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Starts programs of this thread under the token until what this gives is dropped.
    #[must_use = "it is left when this is dropped"]
    pub fn enter(&self) -> Entered {
        Entered {
            before: CURRENT.replace(Some(self.clone())),
            here: std::marker::PhantomData,
        }
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

/// Leaves a token when it is dropped: see [`Token::enter`].
#[derive(Debug)]
pub struct Entered {
    before: Option<Token>,
    /// It belongs to its thread.
    here: std::marker::PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}
