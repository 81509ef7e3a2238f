//! Threads of an operation's own, for work that waits: programs, remotes, files.
//! They start programs on behalf of whoever the thread does that has them work.

use std::{
    num::NonZero,
    panic,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use grove_exec::Caller;

/// As many threads as the machine has processors.
pub(crate) fn all() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Does something with each of several, at most `parallel` of them at once, and gives what came of them in
/// their order. The threads end with it. A panic of one is the caller's.
pub(crate) fn each<T: Send, R: Send>(
    parallel: usize,
    list: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let length = list.len();
    if length <= 1 {
        return list.into_iter().map(work).collect();
    }
    let list: Vec<Mutex<Option<T>>> = list
        .into_iter()
        .map(|item| Mutex::new(Some(item)))
        .collect();
    let next = AtomicUsize::new(0);
    let caller = Caller::current();
    let take = || {
        let _entered = caller.as_ref().map(Caller::enter);
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = list.get(index) else {
                return done;
            };
            let item = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(item) = item {
                done.push((index, work(item)));
            }
        }
    };
    let mut done: Vec<(usize, R)> = Vec::with_capacity(length);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..parallel.clamp(1, length))
            .map(|_| scope.spawn(take))
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(part) => done.extend(part),
                Err(panicked) => panic::resume_unwind(panicked),
            }
        }
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does two things at once.
pub(crate) fn both<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    let caller = Caller::current();
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            let _entered = caller.as_ref().map(Caller::enter);
            one()
        });
        let other = other();
        match one.join() {
            Ok(one) => (one, other),
            Err(panicked) => panic::resume_unwind(panicked),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_what_they_are_of() {
        let list: Vec<u32> = (0..100).collect();
        let doubled = each(8, list.clone(), |number| number * 2);
        assert_eq!(
            doubled,
            list.iter().map(|number| number * 2).collect::<Vec<_>>()
        );
        assert!(each(8, Vec::<u32>::new(), |number| number).is_empty());
    }

    #[test]
    fn no_more_run_at_once_than_may() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        each(3, (0..30).collect::<Vec<u32>>(), |_| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(std::time::Duration::from_millis(2));
            now.fetch_sub(1, Ordering::SeqCst);
        });
        assert!((2..=3).contains(&most.into_inner()));
    }
}
