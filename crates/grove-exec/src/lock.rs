//! Waiting for files that others hold.

use std::{
    fs::{File, TryLockError},
    io, thread,
    time::{Duration, Instant},
};

use crate::Caller;

/// How often is tried.
const ROUND: Duration = Duration::from_millis(20);

/// Locks a file, once others let go of it. Who holds it may be at work for minutes, so that waiting ends with
/// the token of this thread's [`Caller`]: an error of kind [`io::ErrorKind::Interrupted`]. One of
/// kind [`io::ErrorKind::TimedOut`] where `limit` is over.
pub fn lock(file: &File, limit: Option<Duration>) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        if Caller::is_ended() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if limit.is_some_and(|limit| begun.elapsed() >= limit) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(ROUND);
    }
}

/// Waits for a time, or until the token of this thread's [`Caller`] ends: an error of kind
/// [`io::ErrorKind::Interrupted`].
pub fn wait(time: Duration) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        if Caller::is_ended() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(ROUND));
    }
}
