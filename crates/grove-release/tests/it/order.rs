//! Where a fleet's repository stands, and which source may follow which.

use grove_release::{Ancestry, Id, Order, Published, Source};

use crate::support::Place;

#[test]
fn changes_of_the_fleet_are_seen_and_others_are_not() {
    let place = Place::new();
    let top = place.world.fleet();
    let fleet = place.world.path("fleet/infra");
    place.world.write("fleet/infra/grove.yaml", "a");
    place.world.write("fleet/app/main.py", "a");
    let repository = place.world.repository(&top);
    let source = Source::discover(&fleet).unwrap();
    let before = source.revision(&place.git).unwrap();
    assert_eq!(
        (before.head, before.branch.as_deref()),
        (None, Some("main"))
    );
    assert!(!before.changed.is_empty());

    let commit = repository.commit("one");
    place.world.write("fleet/app/main.py", "b");
    let index = std::fs::read(place.world.path("fleet/.git/index")).unwrap();
    let clean = source.revision(&place.git).unwrap();
    assert_eq!(clean.head.unwrap().to_string(), commit);
    assert_eq!(clean.changed, Vec::<String>::new());
    assert_eq!(
        std::fs::read(place.world.path("fleet/.git/index")).unwrap(),
        index
    );

    place.world.write("fleet/infra/grove.yaml", "b");
    place.world.write("fleet/infra/clusters/new é.yaml", "b");
    let changed = source.revision(&place.git).unwrap().changed;
    assert_eq!(changed, ["infra/grove.yaml", "infra/clusters/new é.yaml"]);

    repository.git(["checkout", "--quiet", "--detach"]);
    assert_eq!(source.revision(&place.git).unwrap().branch, None);
}

#[test]
fn a_commit_is_published_when_the_upstream_has_it() {
    let place = Place::new();
    let fleet = place.world.fleet();
    place.world.write("fleet/grove.yaml", "a");
    let repository = place.world.repository(&fleet);
    let one: Id = repository.commit("one").parse().unwrap();
    let source = Source::discover(&fleet).unwrap();
    let published = |commit| source.published(&place.git, commit).unwrap();
    assert_eq!(published(one), Published::NoUpstream);

    let remote = place.world.bare_repository("fleet.git");
    repository.git(["remote", "add", "origin", remote.to_str().unwrap()]);
    repository.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    assert_eq!(published(one), Published::Yes("origin/main".to_owned()));
    let two: Id = repository.commit("two").parse().unwrap();
    assert_eq!(published(two), Published::No("origin/main".to_owned()));
    assert_eq!(published(one), Published::Yes("origin/main".to_owned()));

    // As in CI.
    repository.git(["checkout", "--quiet", "--detach", "HEAD"]);
    assert_eq!(published(two), Published::No("origin/main".to_owned()));
    repository.git(["push", "--quiet", "origin", "HEAD:refs/heads/topic"]);
    assert_eq!(published(two), Published::Yes("origin/topic".to_owned()));
    // Where the clone knows the remote's main branch, no other one counts.
    repository.git(["remote", "set-head", "origin", "main"]);
    assert_eq!(published(two), Published::No("origin/main".to_owned()));
    assert_eq!(published(one), Published::Yes("origin/main".to_owned()));
}

#[test]
fn only_descendants_may_follow() {
    let place = Place::new();
    let fleet = place.world.fleet();
    let repository = place.world.repository(&fleet);
    let id = |text: String| -> Id { text.parse().unwrap() };
    let one = id(repository.commit("one"));
    let two = id(repository.commit("two"));
    repository.git(["checkout", "--quiet", "-b", "side", &one.to_string()]);
    place.world.write("fleet/side", "x");
    let side = id(repository.commit("side"));
    repository.git(["checkout", "--quiet", "--orphan", "other"]);
    let other = id(repository.commit("other"));
    let source = Source::discover(&fleet).unwrap();
    let ancestry = |one, two| source.ancestry(one, two).unwrap();
    assert_eq!(ancestry(one, one), Ancestry::Same);
    assert_eq!(ancestry(one, two), Ancestry::Before);
    assert_eq!(ancestry(two, one), Ancestry::After);
    assert_eq!(ancestry(two, side), Ancestry::Apart);
    assert_eq!(ancestry(two, other), Ancestry::Apart);
    let unknown = id("1".repeat(40));
    assert_eq!(ancestry(two, unknown), Ancestry::Unknown);

    assert_eq!(source.check_order(one, None).unwrap(), Order::First);
    assert_eq!(source.check_order(two, Some(one)).unwrap(), Order::Newer);
    assert_eq!(
        source.check_order(one, Some(two)).unwrap(),
        Order::Stale {
            source: one,
            running: two,
            ancestry: Ancestry::Before
        }
    );

    // A shallow clone cannot tell.
    let shallow = place.world.path("shallow");
    let url = format!("file://{}", fleet.display());
    repository.git([
        "clone",
        "--quiet",
        "--depth=1",
        "--branch=main",
        &url,
        shallow.to_str().unwrap(),
    ]);
    let source = Source::discover(&shallow).unwrap();
    assert_eq!(source.ancestry(two, one).unwrap(), Ancestry::Unknown);
    // Not even where it has both and only lacks what joins them.
    let in_shallow = place.world.open(&shallow);
    in_shallow.git(["fetch", "--quiet", "--depth=1", "origin", "side"]);
    assert_eq!(source.ancestry(two, side).unwrap(), Ancestry::Unknown);
}
