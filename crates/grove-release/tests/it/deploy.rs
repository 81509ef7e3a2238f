//! Releases on a deploy branch: written, read again, unchanged.

use grove_release::{
    Changes, DeployBranch, Error, Freeze, Hold, create_remote, is_missing, refuse,
};

use crate::support::{Place, deploy, draft, draft_of, listing, objects};

#[test]
fn the_first_deploy_makes_the_branch() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    assert_eq!(branch.tip(), None);
    assert!(branch.view().unwrap().instances().unwrap().is_empty());

    let mut first = draft("uni", 1, "one");
    first.message.source = Some("1".repeat(40).parse().unwrap());
    first.message.releases = vec![("uni".to_owned(), 1)];
    let outcome = branch.commit(first, refuse).unwrap();
    assert!(outcome.pushed);
    assert_eq!(outcome.commit, branch.tip());

    insta::assert_snapshot!(place.in_remote(["ls-tree", "-r", "--name-only", "deploy/prod"]), @"
    README.md
    apps/uni-application.yaml
    format
    instances/uni/configmap-fixed.yaml
    instances/uni/configmap-settings.yaml
    releases/uni/0001.yaml
    releases/uni/sealed.yaml
    ");
    insta::assert_snapshot!(place.in_remote(["log", "--format=%an <%ae> %aI%n%B", "deploy/prod"]), @"
    Ada <ada@acme.example> 2026-01-02T03:04:05+00:00
    deploy uni

    Grove-Source: 1111111111111111111111111111111111111111
    Grove-Release: uni/0001
    Grove-Version: 0.1.0
    ");
    let trailers = place.in_remote(["log", "-1", "--format=%(trailers:only)", "deploy/prod"]);
    assert_eq!(trailers.trim().lines().count(), 3, "{trailers}");
    place.in_remote(["fsck", "--strict"]);
}

#[test]
fn what_was_written_is_read_again_from_another_machine() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    deploy(&mut branch, "two", 1, "two").unwrap();
    deploy(&mut branch, "uni", 2, "three").unwrap();

    let file_url = place.remote_at(&format!("file://{}", place.remote_path().display()));
    for remote in [remote, file_url] {
        let other = place.open(&remote, "b").unwrap();
        assert_eq!(other.tip(), branch.tip());
        let view = other.view().unwrap();
        assert_eq!(
            view.instances().unwrap().into_iter().collect::<Vec<_>>(),
            ["two", "uni"]
        );
        assert_eq!(view.objects("uni").unwrap(), Some(objects("three")));
        assert_eq!(view.objects("none").unwrap(), None);
        assert_eq!(view.apps("uni").unwrap().len(), 1);
        assert!(view.sealed("uni").unwrap().is_some());
        assert_eq!(view.hold("uni").unwrap(), None);
        let numbers: Vec<u32> = view
            .history("uni")
            .unwrap()
            .iter()
            .map(|record| record.release)
            .collect();
        assert_eq!(numbers, [2, 1]);
        let latest = view.latest("uni").unwrap().unwrap();
        assert_eq!(Some(latest.tree), view.tree_id("instances/uni").unwrap());
        assert!(matches!(
            view.record("uni", 3),
            Err(Error::NoRelease { release: 3, .. })
        ));
    }
}

#[test]
fn every_release_can_be_read_by_the_tree_of_its_record() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    for release in 1..=6 {
        deploy(&mut branch, "uni", release, &format!("value {release}")).unwrap();
    }
    // What a server does at times; trees that no commit reaches are gone after it.
    place.in_remote(["gc", "--quiet", "--prune=now"]);
    let other = place.open(&remote, "b").unwrap();
    for record in other.view().unwrap().history("uni").unwrap() {
        let expected = objects(&format!("value {}", record.release));
        assert_eq!(other.objects_of(record.tree).unwrap(), expected);
        // The record and its tree came with one commit.
        let path = format!("releases/uni/{:04}.yaml", record.release);
        let commit = place.in_remote(["log", "--format=%H", "deploy/prod", "--", &path]);
        let view = other.view_at(commit.parse().unwrap()).unwrap();
        assert_eq!(view.tree_id("instances/uni").unwrap(), Some(record.tree));
    }
    let unknown = "1".repeat(40).parse().unwrap();
    assert!(matches!(other.objects_of(unknown), Err(Error::NoTree(_))));
}

#[test]
fn a_draft_that_changes_nothing_writes_nothing() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    let nothing = branch
        .commit(draft_of(Changes::default(), "nothing"), refuse)
        .unwrap();
    assert_eq!((nothing.commit, nothing.pushed), (None, false));
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let before = (listing(&place.remote_path()), listing(&place.cache("a")));

    let again = deploy(&mut branch, "uni", 1, "one").unwrap();
    assert_eq!((again.commit, again.pushed), (branch.tip(), false));
    assert_eq!(
        before,
        (listing(&place.remote_path()), listing(&place.cache("a")))
    );
}

#[test]
fn objects_that_are_gone_leave_the_directory() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let mut changes = Changes::default();
    changes.replace(
        "instances/uni",
        [("configmap-new.yaml".to_owned(), b"a: 1\n".to_vec())].into(),
    );
    changes.delete("apps/uni-application.yaml");
    changes.delete("apps/not-there.yaml");
    branch.commit(draft_of(changes, "replace"), refuse).unwrap();
    assert_eq!(
        branch.view().unwrap().list("instances/uni").unwrap(),
        ["configmap-new.yaml"]
    );
    assert!(branch.view().unwrap().list("apps").unwrap().is_empty());
}

#[test]
fn a_hold_is_written_read_and_ended() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let hold = Hold {
        version: 1,
        reason: "the theme is broken".to_owned(),
        since: "2026-01-02T03:04:05Z".parse().unwrap(),
        by: "Ada <ada@acme.example>".to_owned(),
        release: 1,
        left: vec![2],
    };
    let mut changes = Changes::default();
    changes.hold("uni", &hold);
    branch
        .commit(draft_of(changes, "hold uni"), refuse)
        .unwrap();
    assert_eq!(branch.view().unwrap().hold("uni").unwrap(), Some(hold));
    let mut changes = Changes::default();
    changes.unhold("uni");
    branch
        .commit(draft_of(changes, "unhold uni"), refuse)
        .unwrap();
    assert_eq!(branch.view().unwrap().hold("uni").unwrap(), None);
}

#[test]
fn the_next_release_takes_out_what_is_left_of_a_freeze() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let before = branch.view().unwrap().apps("uni").unwrap();
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    let freeze = Freeze::new(now, 600, "by hand", "Ada <ada@acme.example>").unwrap();
    let mut changes = Changes::default();
    changes.freeze("uni", &freeze, &before);
    branch
        .commit(draft_of(changes, "freeze uni"), refuse)
        .unwrap();
    assert_eq!(branch.view().unwrap().freeze("uni").unwrap(), Some(freeze));
    deploy(&mut branch, "uni", 2, "two").unwrap();
    let view = branch.view().unwrap();
    assert_eq!(view.freeze("uni").unwrap(), None);
    assert_eq!(view.apps("uni").unwrap(), before);
}

#[test]
fn paths_that_lead_out_are_refused() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    for path in [
        "../x",
        "a//b",
        "/a",
        "a/.git/config",
        ".GIT/x",
        "a/./b",
        "a\nb",
        "",
    ] {
        let mut changes = Changes::default();
        changes.write(path, "x");
        let error = branch.commit(draft_of(changes, "x"), refuse).unwrap_err();
        assert!(matches!(error, Error::InvalidPath(_)), "{path}: {error}");
    }
    let mut changes = Changes::default();
    changes.replace("instances/uni", [("../x".to_owned(), Vec::new())].into());
    let error = branch.commit(draft_of(changes, "x"), refuse).unwrap_err();
    assert!(matches!(error, Error::InvalidPath(_)), "{error}");
}

#[test]
fn a_branch_or_record_of_a_newer_grove_is_refused() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let mut changes = Changes::default();
    changes.write(
        "releases/uni/0002.yaml",
        "version: 2\nshape: of things to come\n",
    );
    branch.commit(draft_of(changes, "newer"), refuse).unwrap();
    let error = branch.view().unwrap().latest("uni").unwrap_err();
    insta::assert_snapshot!(error, @"`releases/uni/0002.yaml` of the deploy branch has format version 2, this Grove knows 1");

    let mut changes = Changes::default();
    changes.write("format", "2\n");
    branch.commit(draft_of(changes, "newer"), refuse).unwrap();
    let error = place.open(&remote, "a").err().unwrap();
    insta::assert_snapshot!(error, @"the branch deploy/prod has format version 2, this Grove knows 1");
    assert!(error.hint().is_some());
}

#[test]
fn a_local_remote_is_made_once() {
    let place = Place::new();
    let remote = place.remote_at("new/deploy.git");
    assert!(create_remote(&place.git, &remote, "deploy/prod").unwrap());
    assert!(!create_remote(&place.git, &remote, "deploy/prod").unwrap());
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();

    place.world.write("occupied/file", "x");
    let occupied = place.remote_at("occupied");
    let error = create_remote(&place.git, &occupied, "deploy/prod").unwrap_err();
    assert!(matches!(error, Error::NotEmpty(_)), "{error}");
    let elsewhere = place.remote_at("git@git.example.org:acme/deploy.git");
    let error = create_remote(&place.git, &elsewhere, "deploy/prod").unwrap_err();
    assert!(matches!(error, Error::NotLocal(_)), "{error}");
}

#[test]
fn a_branch_begins_before_its_repository_is_made() {
    let place = Place::new();
    let remote = place.remote_at("new/deploy.git");
    assert!(is_missing(&remote).unwrap());
    let begin = |machine| DeployBranch::begin(&place.git, &remote, "prod", &place.caches(machine));
    let mut branch = begin("a").unwrap();
    assert!(branch.view().unwrap().latest("uni").unwrap().is_none());
    assert_eq!((branch.tip(), branch.rewritten()), (None, None));
    // Nothing is written before it is made.
    assert!(!place.world.path("new").exists());
    assert!(deploy(&mut branch, "uni", 1, "one").is_err());

    assert!(create_remote(&place.git, &remote, branch.name()).unwrap());
    assert!(!is_missing(&remote).unwrap());
    // Another one was faster.
    let mut other = place.open(&remote, "b").unwrap();
    deploy(&mut other, "college", 1, "one").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let view = branch.view().unwrap();
    let both = ["college", "uni"].map(str::to_owned);
    assert_eq!(view.instances().unwrap(), both.into());

    // What was there and is gone is worth a warning.
    std::fs::remove_dir_all(place.world.path("new")).unwrap();
    assert_eq!(begin("a").unwrap().rewritten(), branch.tip());
}
