//! Two hundred operations at once in one process, on two fleets of two clusters each, with two dead remotes
//! among them: no mix-up, no deadlock, each is ended by its own token, and nothing is left.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these are tests"
)]

mod dead;
mod left;
mod operation;
mod place;
mod running;

use std::{collections::BTreeMap, time::Duration};

use grove_example::CLUSTERS;
use grove_operations::Kind;
use grove_test::World;

use crate::{
    dead::Silent,
    left::Left,
    operation::{Came, Operation, Verb},
    place::Place,
    running::Running,
};

/// How many go on at each cluster's branch.
const OF_CLUSTER: usize = 40;
/// Nothing takes as long, however slow the machine: what has not come by then hangs.
const PATIENCE: Duration = Duration::from_mins(4);
/// What was ended comes as soon as its programs are gone.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn two_hundred_at_once() {
    let world = World::new("grove");
    let places = ["one", "two"].map(|name| Place::new(&world, name));
    for place in &places {
        place.begin();
    }
    let silent = Silent::new();
    let left = Left::settled();

    let mut operations = Vec::new();
    for place in &places {
        for cluster in CLUSTERS {
            operations.extend((0..OF_CLUSTER).map(|number| place.operation(cluster, number)));
            // A remote that takes the connection and says nothing, and one that takes none.
            for (verb, number) in Verb::ALL.into_iter().zip(0..) {
                let at = |remote: String| Operation {
                    remote: Some(remote),
                    verb,
                    ..place.operation(cluster, number)
                };
                let path = format!("{}-{cluster}-{number}.git", place.name);
                operations.push(at(silent.remote(&path)));
                operations.push(at(format!("http://127.0.0.1:{}/{path}", dead::refused())));
            }
        }
    }
    assert_eq!(operations.len(), 200);
    let (hangs, others): (Vec<Operation>, Vec<Operation>) = operations
        .into_iter()
        .partition(|operation| silent.is_of(operation));
    assert_eq!((hangs.len(), others.len()), (20, 180));

    let mut running = Running::new(hangs.len() + others.len());
    let hanging = running.start(hangs);
    let numbers = running.start(others);
    let mut came = BTreeMap::new();
    for _ in &numbers {
        let (number, what) = running.next(PATIENCE);
        assert!(
            !hanging.contains(&number),
            "{} came to {what:?}",
            running.name(number)
        );
        came.insert(number, what);
    }

    // Whoever waits for nothing keeps nobody from anything.
    let one_more = running.start(vec![places[0].operation("alpha", OF_CLUSTER)]);
    let (number, what) = running.next(PATIENCE);
    assert_eq!(one_more, [number]);
    came.insert(number, what);

    // Each by its own token.
    let (first, rest) = hanging.split_first().unwrap();
    running.end(*first);
    assert_eq!(running.next(SOON).0, *first);
    running.nothing(Duration::from_millis(500));
    for number in rest {
        running.end(*number);
        let (ended, what) = running.next(SOON);
        assert_eq!(ended, *number);
        assert_eq!(
            what.kind(),
            Some(Kind::Ended),
            "{}: {what:?}",
            running.name(ended)
        );
    }

    // Of two at one branch of a dead remote the second waits for the first.
    let twice = |place: &Place| Operation {
        remote: Some(silent.remote("twice.git")),
        verb: Verb::History,
        ..place.operation("alpha", 0)
    };
    let seen = silent.seen();
    let first = running.start(vec![twice(&places[0])])[0];
    silent.wait_for(seen + 1, SOON);
    let second = running.start(vec![twice(&places[1])])[0];
    running.nothing(Duration::from_millis(500));
    for number in [second, first] {
        running.end(number);
        let (ended, what) = running.next(SOON);
        assert_eq!(
            (ended, what.kind()),
            (number, Some(Kind::Ended)),
            "{what:?}"
        );
    }

    let operations = running.join();
    for place in &places {
        let own = came.iter().filter_map(|(number, what)| {
            let operation = &operations[*number];
            (operation.place == place.name && operation.remote.is_none())
                .then_some((operation, what))
        });
        place.holds(&own.collect::<Vec<_>>());
    }
    for (number, what) in &came {
        let operation = &operations[*number];
        if operation.remote.is_some() && !matches!(operation.verb, Verb::Status) {
            assert_eq!(what.kind(), Some(Kind::Tool), "{operation:?}: {what:?}");
        }
        if operation.remote.is_none() {
            assert!(!matches!(what, Came::Failed(_)), "{operation:?}: {what:?}");
        }
    }
    left.holds(SOON);
    drop(silent);
}
