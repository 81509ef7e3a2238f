use std::fmt::Write as _;

use super::*;

/// How long each step takes, in milliseconds, and a round's pause.
const STEP: u64 = 10;
const PAUSE: u64 = 300;

const fn time(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// An Application that says nothing of the release.
const UNSEEN: Look<'_> = Look {
    is_frozen: false,
    is_at_older: false,
    is_behind: false,
    is_busy: false,
    is_seen: false,
    is_syncing: false,
    is_under_way: false,
    is_synced: false,
    is_healthy: false,
    has_failed: false,
    is_superseded: false,
    revision: Some("unknown"),
};

/// It runs an older release, and Argo CD is free.
const BEHIND: Look<'_> = Look {
    is_behind: true,
    revision: Some("old"),
    ..UNSEEN
};

/// An operation applies an older release.
const AT_OLDER: Look<'_> = Look {
    is_at_older: true,
    is_busy: true,
    revision: Some("old"),
    ..UNSEEN
};

/// Argo CD has seen the commit, and nobody is at it.
const IDLE_COMMIT: Look<'_> = Look {
    is_seen: true,
    revision: Some("new"),
    ..UNSEEN
};

/// The commit is being applied.
const SYNCING: Look<'_> = Look {
    is_busy: true,
    is_syncing: true,
    is_under_way: true,
    ..IDLE_COMMIT
};

/// Its sync ended badly.
const FAILED: Look<'_> = Look {
    has_failed: true,
    ..IDLE_COMMIT
};

/// It is applied, and its pods start.
const SYNCED: Look<'_> = Look {
    is_under_way: true,
    is_synced: true,
    ..IDLE_COMMIT
};

/// All of it runs.
const HEALTHY: Look<'_> = Look {
    is_healthy: true,
    ..SYNCED
};

/// Argo CD saw a newer release.
const NEWER: Look<'_> = Look {
    is_superseded: true,
    revision: Some("newer"),
    ..UNSEEN
};

/// What is remembered where Argo CD was asked to look, and troubles were looked at, a moment ago.
fn lately(at: u64) -> Memory {
    Memory {
        refreshed: Some(time(at)),
        looked: Some(time(at)),
        ..Memory::new(false)
    }
}

/// The steps of one round, and what is remembered after it.
fn round<'a>(seen: &Seen<'a>, mut memory: Memory) -> (Vec<Step<'a>>, Memory) {
    let (mut steps, mut seen) = (Vec::new(), *seen);
    loop {
        let step;
        (step, memory) = decide(&seen, memory);
        steps.push(step);
        assert!(steps.len() < 10, "{steps:?}");
        if matches!(step, Step::Wait | Step::End(_)) {
            return (steps, memory);
        }
        seen.since += time(STEP);
    }
}

/// All steps but the waiting of following an Application of which `look` says at each time, in milliseconds,
/// what it is like; each with the time at which its round began. It ends after ten seconds.
fn follow(
    look: impl Fn(u64) -> Option<Look<'static>>,
    hopeless_at: u64,
    mut memory: Memory,
) -> (String, Memory) {
    let (mut text, mut now) = (String::new(), 0);
    loop {
        let seen = Seen {
            since: time(now),
            limit: time(10_000),
            look: look(now),
            is_hopeless: now >= hopeless_at,
        };
        let steps;
        (steps, memory) = round(&seen, memory);
        for step in steps.iter().filter(|step| **step != Step::Wait) {
            writeln!(text, "{now} {step:?}").unwrap();
        }
        if let Some(Step::End(_)) = steps.last() {
            return (text, memory);
        }
        now += PAUSE + STEP * steps.len() as u64;
    }
}

/// What a case is, what is seen, what is remembered, the time, and whether a trouble stays: the steps.
type Row = (
    &'static str,
    Option<Look<'static>>,
    Memory,
    u64,
    bool,
    Vec<Step<'static>>,
);

#[test]
fn the_steps_of_a_round() {
    use Step::{End, EndOther, LookAtTroubles, Refresh, RefreshRoot, Sync, SyncAtOnce, Wait};
    let first = Memory::new(false);
    let at_once = Memory::new(true);
    let asked = |times: u32| Memory {
        asked: times,
        idle_since: Some(time(0)),
        ..lately(5000)
    };
    let frozen = Look {
        is_frozen: true,
        ..AT_OLDER
    };
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        ("no Application yet", None, first, 0, false, vec![RefreshRoot, Wait]),
        ("no Application, asked lately", None, lately(4000), 5000, false, vec![Wait]),
        ("no Application, asked long ago", None, lately(3000), 5000, false, vec![RefreshRoot, Wait]),
        ("no Application, late", None, lately(9990), 10_000, false, vec![End(Ended::OutOfTime)]),
        // Not even an operation of an older release is ended.
        ("frozen", Some(frozen), at_once, 0, false, vec![End(Ended::Frozen)]),
        ("frozen and healthy", Some(Look { is_frozen: true, ..HEALTHY }), first, 0, false, vec![End(Ended::Frozen)]),
        ("an older release is applied", Some(AT_OLDER), at_once, 0, false, vec![EndOther, Refresh, Wait]),
        ("it is ended again, and no look asked for", Some(AT_OLDER), lately(5000), 5000, false, vec![EndOther, Wait]),
        ("behind", Some(BEHIND), at_once, 0, false, vec![SyncAtOnce, Wait]),
        ("behind, at once only once", Some(BEHIND), lately(4000), 5000, false, vec![Wait]),
        ("behind, where a look must come first", Some(BEHIND), first, 0, false, vec![Refresh, Wait]),
        ("seen", Some(IDLE_COMMIT), first, 0, false, vec![Refresh, LookAtTroubles, Wait]),
        ("being applied, asked long ago", Some(SYNCING), Memory { refreshed: Some(time(0)), ..lately(9000) }, 9000, false, vec![Wait]),
        ("another commit is being applied", Some(Look { is_syncing: true, is_busy: true, ..UNSEEN }), first, 0, false, vec![Wait]),
        // What Argo CD knows of pods may be old.
        ("applied, asked some time ago", Some(SYNCED), Memory { refreshed: Some(time(1000)), ..lately(9000) }, 9000, false, vec![Wait]),
        ("applied, stale", Some(SYNCED), Memory { refreshed: Some(time(990)), ..lately(9000) }, 9000, false, vec![Refresh, Wait]),
        ("troubles, looked at lately", Some(SYNCED), Memory { looked: Some(time(7000)), ..lately(9000) }, 9000, false, vec![Wait]),
        ("troubles, looked at long ago", Some(SYNCED), Memory { looked: Some(time(6990)), ..lately(9000) }, 9000, false, vec![LookAtTroubles, Wait]),
        ("healthy", Some(HEALTHY), lately(5000), 5000, false, vec![End(Ended::Healthy)]),
        ("healthy, whatever was wrong before", Some(HEALTHY), lately(5000), 5000, true, vec![End(Ended::Healthy)]),
        ("healthy, late", Some(HEALTHY), lately(10_000), 10_000, false, vec![End(Ended::Healthy)]),
        ("healthy, but of another commit", Some(Look { is_healthy: true, ..UNSEEN }), lately(5000), 5000, false, vec![Wait]),
        ("a trouble stays", Some(SYNCED), lately(5000), 5000, true, vec![End(Ended::Failed)]),
        ("a trouble of before stays", Some(UNSEEN), lately(5000), 5000, true, vec![Wait]),
        ("left alone for a moment", Some(IDLE_COMMIT), Memory { idle_since: Some(time(3800)), ..lately(5000) }, 5000, false, vec![Wait]),
        ("left alone", Some(IDLE_COMMIT), Memory { idle_since: Some(time(3799)), ..lately(5000) }, 5000, false, vec![Sync("new"), Wait]),
        ("left alone for the third time", Some(IDLE_COMMIT), asked(2), 5000, false, vec![Sync("new"), Wait]),
        ("left alone for the fourth time", Some(IDLE_COMMIT), asked(3), 5000, false, vec![Wait]),
        ("left alone, but a trouble stays", Some(IDLE_COMMIT), asked(0), 5000, true, vec![End(Ended::Failed)]),
        ("left alone, late", Some(IDLE_COMMIT), asked(0), 10_000, false, vec![Refresh, LookAtTroubles, End(Ended::OutOfTime)]),
        // Its sync may have failed before this release asked for anything: it is tried.
        ("failed, never asked for", Some(FAILED), asked(0), 5000, false, vec![Sync("new"), Wait]),
        ("failed, asked for", Some(FAILED), asked(1), 5000, false, vec![End(Ended::Failed)]),
        ("late while it is applied", Some(SYNCING), lately(9990), 10_000, false, vec![LookAtTroubles, End(Ended::OutOfTime)]),
        ("superseded", Some(NEWER), lately(5000), 5000, false, vec![End(Ended::Superseded)]),
        ("superseded, late", Some(NEWER), lately(10_000), 10_000, false, vec![End(Ended::Superseded)]),
    ];
    for (what, look, memory, since, is_hopeless, expected) in table {
        let seen = Seen {
            since: time(since),
            limit: time(10_000),
            look,
            is_hopeless,
        };
        assert_eq!(round(&seen, memory).0, expected, "{what}");
    }
}

/// Time that runs out while troubles are looked at ends it a round later, with what is wrong then.
#[test]
fn late_is_told_before_troubles_are_looked_at() {
    let seen = Seen {
        since: time(9995),
        limit: time(10_000),
        look: Some(SYNCING),
        is_hopeless: false,
    };
    let (steps, memory) = round(&seen, lately(0));
    assert_eq!(steps, [Step::LookAtTroubles, Step::Wait]);
    let later = Seen {
        since: time(10_310),
        ..seen
    };
    let (steps, _) = round(&later, memory);
    assert_eq!(steps, [Step::LookAtTroubles, Step::End(Ended::OutOfTime)]);
}

#[test]
fn a_release_that_becomes_healthy() {
    let look = |now| {
        Some(match now {
            0..1000 => BEHIND,
            1000..3000 => SYNCING,
            3000..4000 => SYNCED,
            _ => HEALTHY,
        })
    };
    let (text, memory) = follow(look, u64::MAX, Memory::new(true));
    insta::assert_snapshot!(text, @r"
    0 SyncAtOnce
    1250 LookAtTroubles
    3430 LookAtTroubles
    4060 End(Healthy)
    ");
    insta::assert_debug_snapshot!(memory.synced_after(), @r"
    Some(
        3.12s,
    )
    ");
    // Where what makes it brings another source, it has to be looked at first.
    let (text, _) = follow(look, u64::MAX, Memory::new(false));
    insta::assert_snapshot!(text, @r"
    0 Refresh
    1250 LookAtTroubles
    3430 LookAtTroubles
    4060 End(Healthy)
    ");
}

#[test]
fn an_operation_of_an_older_release_is_ended_until_the_commit_is_seen() {
    let look = |now| {
        Some(match now {
            0..700 => AT_OLDER,
            700..1300 => BEHIND,
            1300..1700 => SYNCING,
            _ => HEALTHY,
        })
    };
    let (text, _) = follow(look, u64::MAX, Memory::new(true));
    insta::assert_snapshot!(text, @r"
    0 EndOther
    0 Refresh
    330 EndOther
    650 EndOther
    970 SyncAtOnce
    1600 LookAtTroubles
    1920 End(Healthy)
    ");
}

#[test]
fn a_commit_that_is_left_alone_is_told_to_be_synced_three_times() {
    let (text, _) = follow(|_| Some(IDLE_COMMIT), u64::MAX, Memory::new(true));
    insta::assert_snapshot!(text, @r#"
    0 Refresh
    0 LookAtTroubles
    1260 Sync("new")
    1580 Refresh
    2210 LookAtTroubles
    2840 Sync("new")
    3160 Refresh
    4410 LookAtTroubles
    4410 Sync("new")
    4740 Refresh
    6300 Refresh
    6620 LookAtTroubles
    7870 Refresh
    8810 LookAtTroubles
    9440 Refresh
    10070 LookAtTroubles
    10070 End(OutOfTime)
    "#);
    // Once it was told, a sync that failed is the end of it.
    let look = |now| Some(if now < 2500 { IDLE_COMMIT } else { FAILED });
    let (text, _) = follow(look, u64::MAX, Memory::new(true));
    insta::assert_snapshot!(text, @r#"
    0 Refresh
    0 LookAtTroubles
    1260 Sync("new")
    1580 Refresh
    2210 LookAtTroubles
    2530 End(Failed)
    "#);
    // One that is busy in between begins again.
    let look = |now| {
        Some(if (1000..1400).contains(&now) {
            SYNCING
        } else {
            IDLE_COMMIT
        })
    };
    let (text, _) = follow(look, 4000, Memory::new(true));
    insta::assert_snapshot!(text, @r#"
    0 Refresh
    0 LookAtTroubles
    1570 Refresh
    2200 LookAtTroubles
    2830 Sync("new")
    3150 Refresh
    4090 End(Failed)
    "#);
}
