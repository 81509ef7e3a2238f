//! Branches that someone deleted, or that another history took the place of.

use grove_release::{DeployBranch, Error, Gone, Id, Remote, memory::MemoryRemote, refuse};

use crate::support::{Place, deploy, draft};

const BRANCH: &str = "refs/heads/deploy/prod";
const MARK: &str = "refs/grove/prod";
const TAG: &str = "refs/tags/grove/prod";

fn id(place: &Place, name: &str) -> Id {
    place.in_remote(["rev-parse", name]).parse().unwrap()
}

/// A branch with two releases of one instance and one of another.
fn released(place: &Place) -> (Remote, Id) {
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    deploy(&mut branch, "uni", 2, "two").unwrap();
    deploy(&mut branch, "other", 1, "one").unwrap();
    (remote, branch.tip().unwrap())
}

/// Another history than the branch's own.
fn foreign(place: &Place) -> Id {
    let commit = place.in_remote([
        "-c",
        "user.name=Eve",
        "-c",
        "user.email=eve@acme.example",
        "commit-tree",
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "-m",
        "Another history",
    ]);
    place.in_remote(["update-ref", BRANCH, &commit]);
    commit.parse().unwrap()
}

/// Runs a command of a message as a person would.
fn run(place: &Place, text: &str) {
    let mut shell = place.world.process("sh");
    let ran = shell
        .args(["-ec", text])
        .current_dir(place.world.root())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{text}: {ran:?}");
}

/// The first command of a hint.
fn command(error: &Error) -> String {
    let hint = error.hint().unwrap();
    hint.split('`').nth(1).unwrap().to_owned()
}

#[test]
fn each_push_moves_a_second_reference() {
    let place = Place::new();
    let (remote, tip) = released(&place);
    assert_eq!(id(&place, MARK), tip);
    // A repository that an earlier version wrote has none.
    place.in_remote(["update-ref", "-d", MARK]);
    let mut branch = place.open(&remote, "b").unwrap();
    assert_eq!(branch.gone().unwrap(), None);
    let outcome = deploy(&mut branch, "uni", 3, "three").unwrap();
    assert_eq!(Some(id(&place, MARK)), outcome.commit);
    assert_eq!(outcome.unmarked, None);
    // What an earlier version pushed since is ahead of it.
    let behind = id(&place, "deploy/prod~1").to_string();
    place.in_remote(["update-ref", MARK, &behind]);
    let mut branch = place.open(&remote, "c").unwrap();
    assert_eq!(branch.gone().unwrap(), None);
    let outcome = deploy(&mut branch, "uni", 4, "four").unwrap();
    assert_eq!(Some(id(&place, MARK)), outcome.commit);
}

#[test]
fn a_branch_that_is_gone_is_not_made_anew_unasked() {
    let place = Place::new();
    let (remote, last) = released(&place);
    place.in_remote(["update-ref", "-d", BRANCH]);
    // The machine that wrote it, and one that never saw it, as in CI.
    for machine in ["a", "new"] {
        let mut branch = place.open(&remote, machine).unwrap();
        let gone = Some(Gone::Missing { last: Some(last) });
        assert_eq!(branch.gone().unwrap(), gone, "{machine}");
        let error = deploy(&mut branch, "uni", 1, "three").unwrap_err();
        assert!(matches!(error, Error::BranchGone { .. }), "{error}");
        assert!(error.to_string().contains(&last.to_string()), "{error}");
        assert_eq!(place.in_remote(["for-each-ref", BRANCH]), "");
        // And again: it is not forgotten.
        assert_eq!(place.open(&remote, machine).unwrap().gone().unwrap(), gone);
    }
    // Whoever agreed begins anew, and what was there stays to be had.
    let mut branch = place.open(&remote, "new").unwrap();
    branch.begin_anew();
    let outcome = deploy(&mut branch, "uni", 1, "three").unwrap();
    assert_eq!(Some(id(&place, MARK)), outcome.commit);
    assert_eq!(id(&place, &format!("{MARK}@{}", last.short())), last);
    let branch = place.open(&remote, "b").unwrap();
    assert_eq!(branch.gone().unwrap(), None);
    assert_eq!(branch.view().unwrap().releases("uni").unwrap(), [1]);
}

/// A command that brings a branch back.
type Way<'a> = Box<dyn Fn() -> String + 'a>;

#[test]
fn a_branch_that_is_gone_comes_back_from_wherever_it_is() {
    let place = Place::new();
    let (remote, last) = released(&place);
    let root = place.world.root().display();
    run(&place, &format!("git clone -q --bare {remote} clone.git"));
    let ways: [(&str, Way<'_>); 5] = [
        // What the message says, on a machine that never saw the branch.
        (
            "message",
            Box::new(|| {
                let mut branch = place.open(&remote, "new").unwrap();
                command(&deploy(&mut branch, "uni", 1, "three").unwrap_err())
            }),
        ),
        (
            "second reference",
            Box::new(|| {
                format!(
                    "git init -q any 2>/dev/null; cd any; git fetch -q {remote} {MARK}; git push -q {remote} FETCH_HEAD:{BRANCH}"
                )
            }),
        ),
        (
            "clone",
            Box::new(|| format!("git -C clone.git push -q {remote} {last}:{BRANCH}")),
        ),
        // As an Application names it, where the forge still has it.
        (
            "revision",
            Box::new(|| {
                place.in_remote(["config", "uploadpack.allowAnySHA1InWant", "true"]);
                format!(
                    "cd any; git fetch -q {remote} {last}; git push -q {remote} FETCH_HEAD:{BRANCH}"
                )
            }),
        ),
        (
            "cache",
            Box::new(|| {
                format!(
                    "git -C {} push -q {remote} {last}:{BRANCH}",
                    place.cache("a").display()
                )
            }),
        ),
    ];
    for (name, way) in ways {
        place.in_remote(["update-ref", "-d", BRANCH]);
        if matches!(name, "clone" | "revision" | "cache") {
            place.in_remote(["update-ref", "-d", MARK]);
        }
        let text = way();
        run(&place, &text);
        assert_eq!(id(&place, BRANCH), last, "{name} in {root}");
        let mut branch = place.open(&remote, name).unwrap();
        assert_eq!(branch.gone().unwrap(), None, "{name}");
        assert_eq!(branch.view().unwrap().releases("uni").unwrap(), [2, 1]);
        deploy(&mut branch, "again", 1, name).unwrap();
        place.in_remote(["update-ref", BRANCH, &last.to_string()]);
        place.in_remote(["update-ref", MARK, &last.to_string()]);
    }
}

#[test]
fn a_commit_that_was_lost_stays_in_the_cache() {
    let place = Place::new();
    let (remote, last) = released(&place);
    foreign(&place);
    place.in_remote(["update-ref", "-d", MARK]);
    assert_eq!(place.open(&remote, "a").unwrap().rewritten(), Some(last));
    let cache = place.cache("a");
    run(
        &place,
        &format!("git -C {} gc -q --prune=now", cache.display()),
    );
    run(
        &place,
        &format!("git -C {} cat-file -e {last}", cache.display()),
    );
}

#[test]
fn another_history_is_refused_with_both_commits() {
    let place = Place::new();
    let (remote, last) = released(&place);
    let older = id(&place, "deploy/prod~1");
    for (machine, make) in [
        ("a", Box::new(|| older) as Box<dyn Fn() -> Id>),
        ("new", Box::new(|| foreign(&place))),
    ] {
        let tip = make();
        place.in_remote(["update-ref", BRANCH, &tip.to_string()]);
        let mut branch = place.open(&remote, machine).unwrap();
        assert_eq!(branch.gone().unwrap(), Some(Gone::Replaced { tip, last }));
        // Consent to a first release is none to this.
        branch.begin_anew();
        let error = deploy(&mut branch, "third", 1, "x").unwrap_err();
        assert!(matches!(error, Error::BranchReplaced { .. }), "{error}");
        for commit in [tip, last] {
            assert!(error.to_string().contains(&commit.to_string()), "{error}");
        }
        assert_eq!(id(&place, BRANCH), tip);
        run(&place, &command(&error));
        assert_eq!(id(&place, BRANCH), last);
        assert_eq!(place.open(&remote, "b").unwrap().gone().unwrap(), None);
    }
    // What is there now is meant: the second command of the hint.
    let tip = foreign(&place);
    let error = deploy(&mut place.open(&remote, "c").unwrap(), "third", 1, "x").unwrap_err();
    let hint = error.hint().unwrap();
    let accept = hint.split('`').nth(3).unwrap();
    let cache = place.cache("c");
    run(
        &place,
        &accept.replace("git push", &format!("git -C {} push", cache.display())),
    );
    let mut branch = place.open(&remote, "c").unwrap();
    assert_eq!((branch.tip(), branch.gone().unwrap()), (Some(tip), None));
    deploy(&mut branch, "third", 1, "x").unwrap();
}

#[test]
fn a_history_that_another_takes_the_place_of_meanwhile_is_refused() {
    let place = Place::new();
    let (remote, last) = released(&place);
    let mut branch = place.open(&remote, "b").unwrap();
    let tip = foreign(&place);
    let error = deploy(&mut branch, "third", 1, "x").unwrap_err();
    assert!(matches!(error, Error::BranchReplaced { .. }), "{error}");
    assert_eq!((id(&place, BRANCH), id(&place, MARK)), (tip, last));
}

#[test]
fn only_an_empty_repository_begins_unasked() {
    let place = Place::new();
    let remote = place.remote();
    assert_eq!(place.open(&remote, "a").unwrap().gone().unwrap(), None);
    // One that others use, or that a forge made with a file in it.
    for name in ["refs/heads/deploy/other", "refs/heads/main", "refs/tags/v1"] {
        let commit = foreign(&place).to_string();
        place.in_remote(["update-ref", name, &commit]);
        place.in_remote(["update-ref", "-d", BRANCH]);
        let mut branch = place.open(&remote, name).unwrap();
        let gone = Some(Gone::Missing { last: None });
        assert_eq!(branch.gone().unwrap(), gone, "{name}");
        let error = deploy(&mut branch, "uni", 1, "one").unwrap_err();
        assert!(matches!(error, Error::BranchMissing { .. }), "{error}");
        assert!(error.hint().unwrap().contains("--first-release"));
        branch.begin_anew();
        deploy(&mut branch, "uni", 1, "one").unwrap();
        for made in [BRANCH, MARK, name] {
            place.in_remote(["update-ref", "-d", made]);
        }
    }
}

#[test]
fn a_repository_that_was_emptied_is_known_here() {
    let place = Place::new();
    let (remote, last) = released(&place);
    for name in [BRANCH, MARK] {
        place.in_remote(["update-ref", "-d", name]);
    }
    for _ in 0..2 {
        let branch = place.open(&remote, "a").unwrap();
        let gone = Some(Gone::Missing { last: Some(last) });
        assert_eq!(branch.gone().unwrap(), gone);
    }
}

/// Releases on a remote that is set up by `set`, and gives the branch and why it takes no second reference.
fn on(set: impl FnOnce(&Place)) -> (Place, Remote, Option<String>) {
    let place = Place::new();
    let remote = place.remote();
    set(&place);
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let outcome = deploy(&mut branch, "uni", 2, "two").unwrap();
    assert_eq!(Some(id(&place, BRANCH)), outcome.commit);
    (place, remote, outcome.unmarked)
}

#[test]
fn where_only_branches_and_tags_are_taken_it_is_a_tag() {
    let hide = |place: &Place| {
        place.in_remote(["config", "transfer.hideRefs", "refs/grove"]);
    };
    let update = |place: &Place| {
        place.script(
            "deploy.git/hooks/update",
            "case $1 in refs/heads/*|refs/tags/*) ;; *) exit 1;; esac",
        );
    };
    let receive = |place: &Place| {
        place.script(
            "deploy.git/hooks/pre-receive",
            "while read o n r; do case $r in refs/heads/*|refs/tags/*) ;; *) exit 1;; esac; done",
        );
    };
    for set in [&hide as &dyn Fn(&Place), &update, &receive] {
        let (place, remote, unmarked) = on(set);
        assert_eq!(unmarked, None);
        assert_eq!(id(&place, TAG), id(&place, BRANCH));
        let last = id(&place, BRANCH);
        place.in_remote(["update-ref", "-d", BRANCH]);
        let branch = place.open(&remote, "new").unwrap();
        let gone = Some(Gone::Missing { last: Some(last) });
        assert_eq!(branch.gone().unwrap(), gone);
    }
}

#[test]
fn where_nothing_else_is_taken_it_is_said() {
    let (place, _, unmarked) = on(|place| {
        place.script(
            "deploy.git/hooks/update",
            "case $1 in refs/heads/*) ;; *) exit 1;; esac",
        );
    });
    assert!(unmarked.unwrap().contains("hook declined"));
    assert_eq!(
        place.in_remote(["for-each-ref", "--format=%(refname)"]),
        BRANCH
    );
}

#[test]
fn a_remote_that_takes_one_reference_at_a_time_gets_the_branch_first() {
    let (place, _, unmarked) = on(|place| {
        place.in_remote(["config", "receive.advertiseAtomic", "false"]);
    });
    assert_eq!(unmarked, None);
    assert_eq!(id(&place, MARK), id(&place, BRANCH));
    // The second one fails: it is behind, which is no other history.
    let remote = place.remote_at("deploy.git");
    let mut branch = place.open(&remote, "a").unwrap();
    place.script(
        "deploy.git/hooks/update",
        "case $1 in refs/heads/*) ;; *) exit 1;; esac",
    );
    let behind = id(&place, MARK);
    assert!(deploy(&mut branch, "uni", 3, "three").unwrap().pushed);
    assert_eq!(id(&place, MARK), behind);
    std::fs::remove_file(place.world.path("deploy.git/hooks/update")).unwrap();
    let mut branch = place.open(&remote, "new").unwrap();
    assert_eq!(branch.gone().unwrap(), None);
    deploy(&mut branch, "uni", 4, "four").unwrap();
    assert_eq!(id(&place, MARK), id(&place, BRANCH));
}

#[test]
fn in_memory_it_is_the_same() {
    let remote = MemoryRemote::new("test");
    let open = || DeployBranch::open_in_memory(&remote, "prod").unwrap();
    let mut branch = open();
    assert_eq!(branch.gone().unwrap(), None);
    for release in 1..=2 {
        branch.commit(draft("uni", release, "x"), refuse).unwrap();
        assert_eq!(remote.mark("prod"), branch.tip());
    }
    let (last, older) = (branch.tip().unwrap(), branch.commits(2).unwrap()[1].commit);
    remote.force("prod", Some(older));
    let tip = older;
    assert_eq!(open().gone().unwrap(), Some(Gone::Replaced { tip, last }));
    let error = branch.commit(draft("uni", 3, "x"), refuse).unwrap_err();
    assert!(matches!(error, Error::BranchReplaced { .. }), "{error}");
    remote.force("prod", None);
    let mut branch = open();
    let gone = Some(Gone::Missing { last: Some(last) });
    assert_eq!(branch.gone().unwrap(), gone);
    assert!(branch.commit(draft("uni", 1, "x"), refuse).is_err());
    branch.begin_anew();
    assert!(branch.commit(draft("uni", 1, "x"), refuse).unwrap().pushed);
    let other = DeployBranch::open_in_memory(&remote, "beta").unwrap();
    assert_eq!(other.gone().unwrap(), Some(Gone::Missing { last: None }));
}
