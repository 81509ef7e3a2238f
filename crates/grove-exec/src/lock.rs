//! Waiting for files that others hold.

use std::{
    fs::{File, TryLockError},
    io, thread,
    time::{Duration, Instant},
};

use crate::Token;

/// How often is tried.
const ROUND: Duration = Duration::from_millis(20);

/// Locks a file, once others let go of it. Who holds it may be at work for minutes, so that waiting ends with
/// the token that this thread [entered](Token::enter): an error of kind [`io::ErrorKind::Interrupted`]. One of
/// kind [`io::ErrorKind::TimedOut`] where `limit` is over.
pub fn lock(file: &File, limit: Option<Duration>) -> io::Result<()> {
    let token = Token::current();
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        if token.as_ref().is_some_and(Token::is_ended) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if limit.is_some_and(|limit| begun.elapsed() >= limit) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(ROUND);
    }
}

/// Waits for a time, or until the token that this thread [entered](Token::enter) ends: an error of kind
/// [`io::ErrorKind::Interrupted`].
pub fn wait(time: Duration) -> io::Result<()> {
    let token = Token::current();
    let begun = Instant::now();
    loop {
        if token.as_ref().is_some_and(Token::is_ended) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(ROUND));
    }
}
