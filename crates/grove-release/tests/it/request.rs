//! A request is carried out once.

use grove_release::{
    Changes, DeployBranch, Draft, Error, Hold, RequestId,
    memory::{Fault, MemoryRemote},
    refuse,
};

use crate::support::{Place, draft, draft_of};

fn id(text: &str) -> RequestId {
    text.parse().unwrap()
}

/// The draft of a release that a request asks for.
fn asked(request: &str, instance: &str, release: u32, value: &str) -> Draft {
    let mut draft = draft(instance, release, value);
    draft.message.request = Some(id(request));
    draft.message.releases = vec![(instance.to_owned(), release)];
    draft
}

#[test]
fn the_commit_of_a_request_is_found_by_its_id() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    assert_eq!(branch.landed(&id("r-1")).unwrap(), None);
    let first = branch
        .commit(asked("r-1", "uni", 1, "one"), refuse)
        .unwrap();
    assert_eq!((first.pushed, &first.landed), (true, &None));
    let mut other = asked("r-2", "two", 1, "two");
    other.message.text = Some("as in\n\nGrove-Request: r-3".to_owned());
    other.message.source = Some("1".repeat(40).parse().unwrap());
    other.message.local = true;
    branch.commit(other, refuse).unwrap();

    for branch in [branch, place.open(&remote, "b").unwrap()] {
        let landed = branch.landed(&id("r-1")).unwrap().unwrap();
        assert_eq!(Some(landed.commit), first.commit);
        assert_eq!(landed.parent, None);
        assert_eq!(landed.time.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(landed.author.to_string(), "Ada <ada@acme.example>");
        assert_eq!(landed.message.releases, [("uni".to_owned(), 1)]);
        let landed = branch.landed(&id("r-2")).unwrap().unwrap();
        assert_eq!(Some(landed.commit), branch.tip());
        assert_eq!(landed.parent, first.commit);
        assert!(landed.message.local && landed.message.source.is_some());
        assert_eq!(branch.landed(&id("r-3")).unwrap(), None);
        let commits = branch.commits(10).unwrap();
        assert_eq!(commits.len(), 2);
        assert_eq!(commits.first(), Some(&landed));
        assert_eq!(branch.commits(1).unwrap().len(), 1);
    }
    insta::assert_snapshot!(place.in_remote(["log", "-1", "--format=%(trailers:only)", "deploy/prod"]), @"
    Grove-Source: 1111111111111111111111111111111111111111 with local changes
    Grove-Release: two/0001
    Grove-Request: r-2
    Grove-Version: 0.1.0
    ");
}

#[test]
fn the_same_request_again_writes_nothing() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    let first = branch
        .commit(asked("r-1", "uni", 1, "one"), refuse)
        .unwrap();
    branch
        .commit(asked("r-2", "uni", 2, "two"), refuse)
        .unwrap();
    // Whatever the draft holds.
    for mut branch in [branch, place.open(&remote, "b").unwrap()] {
        let again = branch
            .commit(asked("r-1", "uni", 3, "three"), refuse)
            .unwrap();
        assert_eq!((again.pushed, again.commit), (false, first.commit));
        assert_eq!(again.landed.unwrap().message.releases[0].1, 1);
    }
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "2");
}

#[test]
fn two_processes_with_one_request_make_one_commit() {
    let place = Place::new();
    let remote = place.remote();
    let open = |machine| place.open(&remote, machine).unwrap();
    let mut branches = ["a", "b", "c"].map(open);
    // Each made its own draft, at another time.
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0_i64..)
            .zip(&mut branches)
            .map(|(second, branch)| {
                let mut draft = asked("r-1", "uni", 1, &format!("value {second}"));
                draft.time = jiff::Timestamp::from_second(second).unwrap();
                scope.spawn(move || branch.commit(draft, refuse).unwrap())
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let pushed = outcomes.iter().filter(|outcome| outcome.pushed).count();
    let landed = outcomes
        .iter()
        .filter(|outcome| outcome.landed.is_some())
        .count();
    assert_eq!((pushed, landed), (1, 2));
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.commit == outcomes[0].commit)
    );
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "1");
}

#[test]
fn a_push_that_landed_when_its_process_was_ended_is_not_made_again() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    // The remote takes the commit, and the connection ends; then nothing can be asked any more.
    place.script(
        "deploy.git/hooks/post-receive",
        "mv HEAD HEAD.away; kill -9 $PPID",
    );
    branch
        .commit(asked("r-1", "uni", 1, "one"), refuse)
        .unwrap_err();
    let head = place.remote_path().join("HEAD");
    std::fs::rename(head.with_extension("away"), &head).unwrap();
    std::fs::remove_file(place.remote_path().join("hooks/post-receive")).unwrap();

    for machine in ["a", "b"] {
        let mut branch = place.open(&remote, machine).unwrap();
        let again = branch
            .commit(asked("r-1", "uni", 1, "one"), refuse)
            .unwrap();
        assert_eq!((again.pushed, again.commit), (false, branch.tip()));
        assert_eq!(again.landed.unwrap().commit, branch.tip().unwrap());
    }
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "1");
}

/// A hold of `uni` that a request asks for, and others' work on another instance.
fn hold(request: &str) -> Draft {
    let mut changes = Changes::default();
    let hold = Hold {
        version: 1,
        reason: request.to_owned(),
        since: "2026-01-02T03:04:05Z".parse().unwrap(),
        by: "Ada <ada@acme.example>".to_owned(),
        release: 1,
        left: Vec::new(),
    };
    changes.hold("uni", &hold);
    let mut draft = draft_of(changes, "hold uni");
    draft.message.request = Some(id(request));
    draft
}

/// The same asked again: commits that are alike to the second are one commit.
fn again(mut draft: Draft) -> Draft {
    draft.time = "2026-01-02T03:05:00Z".parse().unwrap();
    draft
}

/// Another writer pushes just before the next push.
fn overtake(remote: &MemoryRemote, draft: Draft) {
    remote.inject(Fault::Overtaken {
        base: remote.tip("prod"),
        draft: Box::new(draft),
    });
}

fn two(remote: &MemoryRemote) -> (DeployBranch, DeployBranch) {
    let open = || DeployBranch::open_in_memory(remote, "prod").unwrap();
    open().commit(draft("uni", 1, "one"), refuse).unwrap();
    (open(), open())
}

#[test]
fn a_remote_in_memory_is_one_for_all_who_open_it() {
    let remote = MemoryRemote::new("test");
    let (mut one, mut other) = two(&remote);
    assert_eq!(one.remote().to_string(), "memory:test");
    assert_eq!(one.name(), "deploy/prod");
    one.commit(draft("two", 1, "two"), refuse).unwrap();
    let outcome = other.commit(draft("three", 1, "three"), refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 1));
    assert_eq!(other.tip(), remote.tip("prod"));
    let view = other.view().unwrap();
    let names: Vec<String> = view.instances().unwrap().into_iter().collect();
    assert_eq!(names, ["three", "two", "uni"]);
    // The slower of two on one instance.
    let error = one.commit(draft("three", 1, "else"), refuse).unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error}");
    // Another cluster is another branch.
    let elsewhere = DeployBranch::open_in_memory(&remote, "test").unwrap();
    assert_eq!(elsewhere.tip(), None);
}

#[test]
fn a_remote_in_memory_holds_what_git_would() {
    let place = Place::new();
    let real = place.remote();
    let remote = MemoryRemote::new("test");
    let mut in_git = place.open(&real, "a").unwrap();
    let mut in_memory = DeployBranch::open_in_memory(&remote, "prod").unwrap();
    for branch in [&mut in_git, &mut in_memory] {
        branch.commit(draft("uni", 1, "one"), refuse).unwrap();
        branch.commit(hold("r-1"), refuse).unwrap();
        branch.commit(draft("two", 1, "two"), refuse).unwrap();
    }
    // The same bytes to the last one.
    assert_eq!(in_git.tip(), in_memory.tip());
}

#[test]
fn faults_happen_once_and_leave_what_they_say() {
    let remote = MemoryRemote::new("test");
    let (mut one, mut other) = two(&remote);
    let unreachable = |error: &Error| matches!(error, Error::RemoteUnreachable { .. });

    remote.inject(Fault::FetchFails);
    let error = DeployBranch::open_in_memory(&remote, "prod").err().unwrap();
    assert!(unreachable(&error), "{error}");
    assert_eq!(remote.faults(), 0);

    // Lost before it landed.
    let before = remote.tip("prod");
    remote.inject(Fault::PushLost);
    let error = one.commit(hold("r-1"), refuse).unwrap_err();
    assert!(unreachable(&error), "{error}");
    assert_eq!(remote.tip("prod"), before);

    // Landed, and the answer was lost: the fetch tells.
    remote.inject(Fault::AnswerLost);
    let outcome = one.commit(hold("r-1"), refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.commit), (true, remote.tip("prod")));

    // The same where that fetch is lost too: the next try tells.
    remote.inject(Fault::AnswerLost);
    remote.inject(Fault::FetchFails);
    let error = one.commit(hold("r-2"), refuse).unwrap_err();
    assert!(unreachable(&error), "{error}");
    let outcome = one.commit(again(hold("r-2")), refuse).unwrap();
    assert_eq!(
        (outcome.pushed, outcome.commit),
        (false, remote.tip("prod"))
    );
    assert!(outcome.landed.is_some());

    // Another writer wins, with other work and with the same.
    overtake(&remote, draft("two", 1, "two"));
    let outcome = one.commit(hold("r-3"), refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 1));
    assert!(one.view().unwrap().latest("two").unwrap().is_some());
    overtake(&remote, hold("r-4"));
    let outcome = one.commit(again(hold("r-4")), refuse).unwrap();
    assert!(!outcome.pushed && outcome.landed.is_some());
    overtake(&remote, hold("r-5"));
    let error = one.commit(hold("r-6"), refuse).unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error}");

    // A busy remote lets one through in the end, or not.
    remote.inject(Fault::TurnedAway);
    let outcome = one.commit(draft("two", 2, "three"), refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 1));
    for _ in 0..20 {
        remote.inject(Fault::TurnedAway);
    }
    let error = one.commit(draft("two", 3, "four"), refuse).unwrap_err();
    assert!(matches!(error, Error::Contended { .. }), "{error}");
    remote.clear_faults();
    assert_eq!(remote.faults(), 0);
    drop(other.commit(draft("four", 1, "four"), refuse).unwrap());
}

#[test]
fn a_late_push_lands_if_nobody_was_there_before_it() {
    let fresh = || {
        let remote = MemoryRemote::new("test");
        let branches = two(&remote);
        (remote, branches)
    };
    // In quiet, though its sender gave it up: the request is known when it is sent again.
    let (remote, (mut one, mut other)) = fresh();
    remote.inject(Fault::Late { overtakes: false });
    one.commit(hold("r-1"), refuse).unwrap_err();
    assert_eq!(remote.late(), 1);
    assert_eq!(remote.arrive(), [remote.tip("prod").unwrap()]);
    assert_eq!(remote.late(), 0);
    let outcome = other.commit(again(hold("r-1")), refuse).unwrap();
    assert_eq!((outcome.retries, outcome.pushed), (0, false));
    assert_eq!(outcome.commit, remote.tip("prod"));

    // Before the next push, which is put on top of it.
    let (remote, (mut one, mut other)) = fresh();
    remote.inject(Fault::Late { overtakes: true });
    one.commit(hold("r-1"), refuse).unwrap_err();
    let outcome = other.commit(draft("two", 1, "two"), refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 1));
    assert!(other.landed(&id("r-1")).unwrap().is_some());

    // After it: too late.
    let (remote, (mut one, mut other)) = fresh();
    remote.inject(Fault::Late { overtakes: false });
    one.commit(hold("r-1"), refuse).unwrap_err();
    let outcome = other.commit(draft("two", 1, "two"), refuse).unwrap();
    assert_eq!((outcome.pushed, outcome.retries), (true, 0));
    assert_eq!((remote.late(), remote.tip("prod")), (0, outcome.commit));
    let outcome = one.commit(again(hold("r-1")), refuse).unwrap();
    assert!(outcome.pushed);
    assert_eq!(one.commits(10).unwrap().len(), 3);
}
