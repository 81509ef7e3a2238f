//! Releases of what a cluster's instances share.

use std::collections::BTreeMap;

use grove_release::{
    Changes, Draft, Error, Id, Origin, RECORD_VERSION, SharedRecord, SharedRelease, refuse,
};
use serde_json::json;

use crate::support::{Place, deploy, draft_of};

/// A release whose chart has files in directories.
fn draft(release: u32, value: &str) -> (Draft, BTreeMap<String, Vec<u8>>) {
    let charts: BTreeMap<String, Vec<u8>> = [
        "notes/Chart.yaml",
        "notes/templates/a.yaml",
        "notes-2/b.yaml",
    ]
    .map(|path| (path.to_owned(), value.as_bytes().to_vec()))
    .into();
    let record = SharedRecord {
        version: RECORD_VERSION,
        release,
        time: "2026-01-02T03:04:05Z".parse().unwrap(),
        author: "Ada <ada@acme.example>".to_owned(),
        message: None,
        source: Origin::default(),
        tree: Id::empty_tree(),
        charts: Id::empty_tree(),
        parts: [("notes".to_owned(), "1.0.0".to_owned())].into(),
        forward_only: BTreeMap::new(),
        rollback_of: None,
        request: None,
        grove: "0.1.0".to_owned(),
    };
    let cluster = [(
        "application-grove-notes.yaml".to_owned(),
        json!({"kind": "Application", "value": value}),
    )];
    let mut changes = Changes::default();
    changes
        .release_shared(SharedRelease {
            record,
            cluster: cluster.into(),
            charts: charts.clone(),
        })
        .unwrap();
    (draft_of(changes, "what is shared"), charts)
}

#[test]
fn a_record_names_the_trees_that_are_in_its_commit() {
    let place = Place::new();
    let mut branch = place.open(&place.remote(), "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let (first, charts) = draft(1, "one");
    branch.commit(first, refuse).unwrap();
    branch.commit(draft(2, "two").0, refuse).unwrap();

    let view = branch.view().unwrap();
    let latest = view.shared_latest().unwrap().unwrap();
    assert_eq!(latest.release, 2);
    assert_eq!(view.tree_id("cluster").unwrap(), Some(latest.tree));
    assert_eq!(view.tree_id("charts").unwrap(), Some(latest.charts));
    // The older one can still be read whole, for a rollback.
    let older = view.shared_record(1).unwrap();
    assert_eq!(branch.files_of(older.charts).unwrap(), charts);
    // It is no instance.
    assert_eq!(
        view.instances().unwrap().into_iter().collect::<Vec<_>>(),
        ["uni"]
    );
}

#[test]
fn two_releases_at_once_conflict_with_each_other_and_with_no_instance() {
    let place = Place::new();
    let remote = place.remote();
    let mut one = place.open(&remote, "a").unwrap();
    deploy(&mut one, "uni", 1, "one").unwrap();
    let mut other = place.open(&remote, "b").unwrap();
    one.commit(draft(1, "one").0, refuse).unwrap();
    let error = other.commit(draft(1, "two").0, refuse).unwrap_err();
    let Error::Conflict(conflict) = error else {
        panic!("{error}");
    };
    assert_eq!(conflict.what, ["the shared part"]);
    deploy(&mut other, "uni", 2, "two").unwrap();
}
