//! Waiting for others who write to the same branch.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use super::store::Store;
use crate::Error;

/// How many lost races without a winner there may be, one after the other: the remote turns everything away.
const WITHOUT_WINNER: u32 = 8;
/// The longest wait before another try.
const LONGEST: Duration = Duration::from_secs(2);

/// How a writer waits for its turn.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// How long it waits.
    pub limit: Duration,
    /// Called where it waits for the first time.
    pub waits: &'a dyn Fn(),
}

impl Turn<'_> {
    /// How long a writer waits where nothing is said.
    pub const LIMIT: Duration = Duration::from_mins(2);
}

impl Default for Turn<'_> {
    fn default() -> Self {
        Self {
            limit: Self::LIMIT,
            waits: &|| {},
        }
    }
}

/// One writer's turn: others of this machine wait until it is dropped.
pub(super) struct Taken<'a> {
    turn: Turn<'a>,
    /// None where nothing sleeps.
    begun: Option<Instant>,
    /// What was waited for without sleeping, where nothing but this process is asked.
    counted: Duration,
    /// Lost races without a winner since the last one with one.
    without_winner: u32,
    /// Lost races.
    lost: u32,
    is_told: bool,
    _lock: Option<File>,
}

impl<'a> Taken<'a> {
    /// Waits for the other writers of this machine. Those of others are met when it is pushed.
    pub(super) fn take(store: &Store, turn: Turn<'a>) -> Result<Self, Error> {
        let begun = Instant::now();
        let is_told = std::cell::Cell::new(false);
        let waits = || {
            is_told.set(true);
            (turn.waits)();
        };
        let lock = store.turn(turn.limit, &waits)?;
        Ok(Self {
            turn,
            begun: lock.is_some().then_some(begun),
            counted: Duration::ZERO,
            without_winner: 0,
            lost: 0,
            is_told: is_told.get(),
            _lock: lock,
        })
    }

    /// How many races were lost.
    pub(super) fn lost(&self) -> u32 {
        self.lost
    }

    /// Counts a race that others of this machine won before it was this one's turn.
    pub(super) fn lose(&mut self) {
        self.lost += 1;
    }

    /// Waits after a lost race, in which someone else wrote or nobody did. Gives false where the time is over.
    pub(super) fn wait(&mut self, store: &Store, has_winner: bool) -> Result<bool, Error> {
        self.without_winner = if has_winner {
            0
        } else {
            self.without_winner + 1
        };
        // Longer from time to time, so that many writers do not keep the remote from each of them.
        let longest = Duration::from_millis(20 << self.lost.min(7)).min(LONGEST);
        self.lost += 1;
        if self.waited() >= self.turn.limit || self.without_winner >= WITHOUT_WINNER {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.is_told, true) {
            (self.turn.waits)();
        }
        self.counted += store.wait(longest)?;
        Ok(true)
    }

    /// How long it has waited by now.
    pub(super) fn waited(&self) -> Duration {
        let slept = self.begun.map(|begun| begun.elapsed());
        self.counted.max(slept.unwrap_or_default())
    }
}
