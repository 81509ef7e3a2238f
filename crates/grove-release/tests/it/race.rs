//! Several machines push at once.

use grove_release::{DeployBranch, Error, Turn, refuse};

use crate::support::{Place, deploy, draft, objects};

#[test]
fn two_deploys_of_different_instances_both_land() {
    let place = Place::new();
    let remote = place.remote();
    deploy(&mut place.open(&remote, "a").unwrap(), "zero", 1, "zero").unwrap();
    let mut one = place.open(&remote, "a").unwrap();
    let mut other = place.open(&remote, "b").unwrap();
    deploy(&mut one, "uni", 1, "one").unwrap();
    let outcome = deploy(&mut other, "two", 1, "two").unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 1));
    let view = other.view().unwrap();
    assert_eq!(view.objects("uni").unwrap(), Some(objects("one")));
    assert_eq!(view.objects("two").unwrap(), Some(objects("two")));
    assert_eq!(view.objects("zero").unwrap(), Some(objects("zero")));
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "3");
}

#[test]
fn two_first_deploys_both_land() {
    let place = Place::new();
    let remote = place.remote();
    let mut one = place.open(&remote, "a").unwrap();
    let mut other = place.open(&remote, "b").unwrap();
    deploy(&mut one, "uni", 1, "one").unwrap();
    let outcome = deploy(&mut other, "two", 1, "two").unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 1));
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "2");
}

#[test]
fn many_at_once_all_land() {
    let place = Place::new();
    let remote = place.remote();
    let names = ["a", "b", "c"];
    std::thread::scope(|scope| {
        for name in names {
            let mut branch = place.open(&remote, name).unwrap();
            scope.spawn(move || {
                for release in 1..=2 {
                    deploy(&mut branch, name, release, &format!("{name} {release}")).unwrap();
                }
            });
        }
    });
    let branch = place.open(&remote, "z").unwrap();
    for name in names {
        let objects_there = branch.view().unwrap().objects(name).unwrap();
        assert_eq!(objects_there, Some(objects(&format!("{name} 2"))));
        assert_eq!(branch.view().unwrap().releases(name).unwrap(), [2, 1]);
    }
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "6");
    place.in_remote(["fsck", "--strict"]);
}

#[test]
fn two_processes_may_share_one_cache() {
    let place = Place::new();
    let remote = place.remote();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let mut branch = place.open(&remote, "same").unwrap();
            scope.spawn(move || deploy(&mut branch, name, 1, name).unwrap());
        }
    });
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "3");
}

#[test]
fn many_writers_on_two_machines_all_have_their_turn() {
    const EACH: usize = 12;
    let place = Place::new();
    let remote = place.remote();
    deploy(&mut place.open(&remote, "a").unwrap(), "zero", 1, "zero").unwrap();
    // All of them begin at the same commit.
    let mut writers = Vec::new();
    for number in 0..EACH {
        for machine in ["a", "b"] {
            let branch = place.open(&remote, machine).unwrap();
            writers.push((format!("{machine}{number}"), branch));
        }
    }
    std::thread::scope(|scope| {
        for (name, mut branch) in writers {
            scope.spawn(move || deploy(&mut branch, &name, 1, &name).unwrap());
        }
    });
    let count = (2 * EACH + 1).to_string();
    assert_eq!(
        place.in_remote(["rev-list", "--count", "deploy/prod"]),
        count
    );
    assert_eq!(
        place.in_remote(["rev-parse", "refs/grove/prod"]),
        place.in_remote(["rev-parse", "deploy/prod"])
    );
}

#[test]
fn a_writer_waits_as_long_as_it_is_said_and_says_so() {
    use std::{cell::Cell, time::Duration};
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    // Another one of this machine is at it.
    let path = place.cache("a").with_extension("turn");
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.lock().unwrap();
    let told = Cell::new(0);
    let turn = Turn {
        limit: Duration::from_millis(200),
        waits: &|| told.set(told.get() + 1),
    };
    let error = branch
        .commit_in_turn(draft("uni", 2, "two"), turn, refuse)
        .unwrap_err();
    assert!(matches!(error, Error::CacheBusy { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--wait-for-turn"));
    assert_eq!(told.get(), 1);
    file.unlock().unwrap();
    let outcome = branch
        .commit_in_turn(draft("uni", 2, "two"), turn, refuse)
        .unwrap();
    assert!(outcome.pushed);
    assert_eq!(told.get(), 1);
}

fn rivals(place: &Place) -> (DeployBranch, DeployBranch) {
    let remote = place.remote();
    deploy(&mut place.open(&remote, "a").unwrap(), "uni", 1, "zero").unwrap();
    let mut one = place.open(&remote, "a").unwrap();
    let other = place.open(&remote, "b").unwrap();
    deploy(&mut one, "uni", 2, "one").unwrap();
    deploy(&mut one, "other", 1, "one").unwrap();
    (one, other)
}

#[test]
fn the_slower_of_two_deploys_of_one_instance_is_told() {
    let place = Place::new();
    let (one, mut other) = rivals(&place);
    let base = other.tip().unwrap();
    let culprit = place.in_remote(["rev-parse", "deploy/prod~1"]);
    let error = deploy(&mut other, "uni", 2, "two").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "uni changed while this deploy was made: it was made from {}, then came {} (deploy uni)",
            base.short(),
            &culprit[..12]
        )
    );
    // The remote is as the faster one left it.
    assert_eq!(
        place.in_remote(["rev-parse", "deploy/prod"]),
        one.tip().unwrap().to_string()
    );
}

#[test]
fn a_deploy_that_can_be_made_again_is_made_from_the_new_state() {
    let place = Place::new();
    let (_, mut other) = rivals(&place);
    let outcome = other
        .commit::<Error>(draft("uni", 2, "two"), |branch, conflict| {
            assert_eq!(conflict.what, ["uni"]);
            let latest = branch.view()?.latest("uni")?.unwrap();
            Ok(draft("uni", latest.release + 1, "two"))
        })
        .unwrap();
    assert!(outcome.pushed);
    let view = other.view().unwrap();
    assert_eq!(view.releases("uni").unwrap(), [3, 2, 1]);
    assert_eq!(view.objects("uni").unwrap(), Some(objects("two")));
    assert_eq!(view.objects("other").unwrap(), Some(objects("one")));
}

#[test]
fn equal_deploys_of_one_instance_are_no_conflict() {
    let place = Place::new();
    let remote = place.remote();
    let mut one = place.open(&remote, "a").unwrap();
    let mut other = place.open(&remote, "b").unwrap();
    deploy(&mut one, "uni", 1, "one").unwrap();
    // The same content, in a commit of its own.
    let mut same = draft("uni", 1, "one");
    same.message.subject = "deploy uni once more".to_owned();
    let outcome = other.commit(same, refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.commit), (false, one.tip()));
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "1");
}
