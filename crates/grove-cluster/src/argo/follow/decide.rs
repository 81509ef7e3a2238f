//! What is done next about an Application that is followed.

use std::time::Duration;

use super::{Ended, seen::Look};

/// After how long Argo CD is asked again to look at the repository.
const AGAIN: Duration = Duration::from_millis(1500);
/// After how long it is asked again while the sync itself is done: what it knows may lag.
const STALE: Duration = Duration::from_secs(8);
/// How long Argo CD may leave a commit alone that it has seen.
const IDLE: Duration = Duration::from_millis(1200);
/// How often it is told to sync a commit.
const ASKED: u32 = 3;
/// How often Jobs and pods are looked at.
const TROUBLES: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// The time since following began.
    pub(super) since: Duration,
    /// How long it is followed.
    pub(super) limit: Duration,
    /// What the Application says; none where it is not there.
    pub(super) look: Option<Look<'a>>,
    /// One of the troubles that were found last does not go away by waiting.
    pub(super) is_hopeless: bool,
}

impl Seen<'_> {
    /// Whether more time has passed since `time` than `pause`.
    fn is_past(&self, time: Duration, pause: Duration) -> bool {
        self.since.saturating_sub(time) > pause
    }

    /// Whether all of the wanted commit is applied and healthy.
    fn is_healthy(&self) -> bool {
        self.look
            .is_some_and(|look| look.is_synced && look.is_healthy)
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// End the operation that applies an older release, and ask Argo CD to look at the repository.
    EndOther,
    /// Tell it to sync the released commit, which it has not seen yet, and ask it to look.
    SyncAtOnce,
    /// Ask it to look at the repository.
    Refresh,
    /// Ask it to look at what makes the Application.
    RefreshRoot,
    /// Look for what is wrong with Jobs and pods.
    LookAtTroubles,
    /// Tell it to sync a commit that it has seen.
    Sync(&'a str),
    /// Nothing for a moment; then the Application is read again.
    Wait,
    /// Nothing any more.
    End(Ended),
}

/// What is remembered: of earlier rounds, and of this one. A round begins where the Application is read, and
/// times are since following began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// The released commit may still be synced without a look before.
    may_sync_at_once: bool,
    /// When Argo CD was asked last to look.
    refreshed: Option<Duration>,
    /// When Jobs and pods were looked at last.
    looked: Option<Duration>,
    /// When the wanted commit was applied as a whole.
    synced_after: Option<Duration>,
    /// How often Argo CD was told to sync a commit that it left alone.
    asked: u32,
    /// Since when it leaves one alone.
    idle_since: Option<Duration>,
    /// How far this round is.
    stage: Stage,
}

/// How far a round is: what was done last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The Application was read.
    Read,
    /// The operation of an older release was ended.
    EndedOther,
    /// The released commit was synced at once.
    SyncedAtOnce,
    /// Argo CD was asked to look.
    Refreshed,
    /// Jobs and pods were looked at; whether time had run out before that.
    Looked { is_late: bool },
    /// It was told to sync a commit.
    Synced,
}

impl Memory {
    /// When following begins. `may_sync_at_once`: whether Argo CD may be told to sync the released commit
    /// before it has looked at it.
    pub(super) fn new(may_sync_at_once: bool) -> Self {
        Self {
            may_sync_at_once,
            refreshed: None,
            looked: None,
            synced_after: None,
            asked: 0,
            idle_since: None,
            stage: Stage::Read,
        }
    }

    /// When the wanted commit was seen to be applied as a whole.
    pub(super) fn synced_after(&self) -> Option<Duration> {
        self.synced_after
    }

    /// This, at another stage of the round.
    fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

/// What is to be done next, and what is remembered when it is done. Asked again after each step, of the same
/// look at the Application until the step is [`Step::Wait`].
pub(super) fn decide<'a>(seen: &Seen<'a>, memory: Memory) -> (Step<'a>, Memory) {
    match memory.stage {
        Stage::Read if seen.look.is_some_and(|look| look.is_frozen) => {
            // Not even what is asked for by hand: whoever froze it works on it.
            (Step::End(Ended::Frozen), memory)
        }
        Stage::Read if seen.look.is_some_and(|look| look.is_at_older) => {
            (Step::EndOther, memory.at(Stage::EndedOther))
        }
        Stage::Read | Stage::EndedOther => make_it_look(seen, memory),
        Stage::SyncedAtOnce => {
            let refreshed = Some(seen.since);
            wait(Memory {
                refreshed,
                ..memory
            })
        }
        Stage::Refreshed => look_at_troubles(seen, memory),
        Stage::Looked { is_late } => sync_or_end(seen, memory, is_late),
        Stage::Synced => wait(memory),
    }
}

/// The next round.
fn wait<'a>(memory: Memory) -> (Step<'a>, Memory) {
    (Step::Wait, memory.at(Stage::Read))
}

/// Brings the commit to Argo CD's notice.
fn make_it_look<'a>(seen: &Seen<'a>, mut memory: Memory) -> (Step<'a>, Memory) {
    let has = |fact: fn(&Look<'_>) -> bool| seen.look.as_ref().is_some_and(fact);
    let is_synced = has(|look| look.is_synced);
    if is_synced {
        memory.synced_after.get_or_insert(seen.since);
    }
    if memory.may_sync_at_once && has(|look| look.is_behind) {
        memory.may_sync_at_once = false;
        return (Step::SyncAtOnce, memory.at(Stage::SyncedAtOnce));
    }
    // A look while another operation was being ended starts none, so it is asked for again until one runs.
    let is_at_it = has(|look| look.is_syncing || look.is_seen && look.is_under_way);
    let pause = match (is_synced, is_at_it) {
        (true, _) => Some(STALE),
        (false, true) => None,
        (false, false) => Some(AGAIN),
    };
    let is_due = |pause| {
        memory
            .refreshed
            .is_none_or(|time| seen.is_past(time, pause))
    };
    if !pause.is_some_and(is_due) {
        return look_at_troubles(seen, memory);
    }
    memory.refreshed = Some(seen.since);
    let step = if seen.look.is_some() {
        Step::Refresh
    } else {
        Step::RefreshRoot
    };
    (step, memory.at(Stage::Refreshed))
}

/// Looks what is wrong, where the commit is there and not healthy.
fn look_at_troubles<'a>(seen: &Seen<'a>, mut memory: Memory) -> (Step<'a>, Memory) {
    let is_late = seen.since >= seen.limit;
    let is_due = is_late
        || memory
            .looked
            .is_none_or(|time| seen.is_past(time, TROUBLES));
    if seen.look.is_some_and(|look| look.is_seen) && !seen.is_healthy() && is_due {
        memory.looked = Some(seen.since);
        return (Step::LookAtTroubles, memory.at(Stage::Looked { is_late }));
    }
    sync_or_end(seen, memory, is_late)
}

/// Tells Argo CD to sync what it left alone, ends, or goes on.
fn sync_or_end<'a>(seen: &Seen<'a>, mut memory: Memory, is_late: bool) -> (Step<'a>, Memory) {
    let has_failed = seen.look.is_some_and(|look| look.has_failed);
    // Argo CD tries each commit once, and one that it saw while another operation ran it may never try (seen
    // on 3.6.1: the next comparison finds no changed path, and the last operation failed): then it is told to.
    let idle = seen
        .look
        .filter(|look| look.is_seen && !look.is_under_way && !look.is_busy);
    memory.idle_since = idle.and(memory.idle_since.or(Some(seen.since)));
    let is_asked_in_vain = memory.asked > 0 && has_failed;
    if let Some(revision) = idle.and_then(|look| look.revision)
        && memory
            .idle_since
            .is_some_and(|time| seen.is_past(time, IDLE))
        && !seen.is_hopeless
        && !is_late
        && !is_asked_in_vain
        && memory.asked < ASKED
    {
        memory.asked += 1;
        memory.idle_since = None;
        return (Step::Sync(revision), memory.at(Stage::Synced));
    }
    let is_over = seen.is_hopeless || is_asked_in_vain || memory.asked >= ASKED && has_failed;
    let is_seen = seen.look.is_some_and(|look| look.is_seen);
    let ended = if seen.is_healthy() {
        Ended::Healthy
    } else if seen.look.is_some_and(|look| look.is_superseded) {
        Ended::Superseded
    } else if is_seen && is_over {
        Ended::Failed
    } else if is_late {
        Ended::OutOfTime
    } else {
        return wait(memory);
    };
    (Step::End(ended), memory)
}

#[cfg(test)]
mod tests;
