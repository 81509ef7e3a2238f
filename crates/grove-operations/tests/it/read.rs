//! What is only read.

use grove_operations::{
    check,
    fleet::{explain, rules, selection::Selection},
    release::{difference, history},
    request::Target,
    status,
};

use grove_example::World;

use crate::schema;

#[test]
fn what_is_read_survives_json() {
    let mut world = World::deployed();
    world.site("alpha/uni").value = 2;
    let around = world.around();

    let read = history::read(&around, &history::Request::default()).unwrap();
    assert_eq!((read.instances.len(), &read.failure), (3, &None));
    schema::holds(&read);
    let request = history::ShowRequest {
        release: "alpha/uni@1".to_owned(),
        objects: true,
        ..history::ShowRequest::default()
    };
    let shown = history::show(&around, &request).unwrap();
    assert_eq!(shown.record.author, "Ada <ada@acme.example>");
    schema::holds(&shown);

    let differs = difference::read(&around, &difference::Request::default()).unwrap();
    schema::holds(&differs);
    let checked = check::read(&around, &check::Request::default()).unwrap();
    schema::holds(&checked);
    let request = explain::Request {
        revision: None,
        instance: "alpha/uni".to_owned(),
        path: "config.TEST_VALUE".to_owned(),
    };
    schema::holds(&explain::read(&around, &request).unwrap());
    schema::holds(&rules::read().unwrap());
}

#[test]
fn a_cluster_that_does_not_answer_is_unknown() {
    let world = World::deployed();
    let around = world.around();
    let asking = status::gather::Asking {
        selection: Selection::of("beta"),
        timeout: 1,
        ..status::gather::Asking::default()
    };
    let status = status::now::read(&around, &asking).unwrap();
    let [beta] = &status.clusters[..] else {
        panic!("{status:?}");
    };
    assert_eq!((&*beta.cluster, beta.reached), ("beta", false));
    schema::holds(&status);
}

#[test]
fn what_is_not_there_is_wrong_usage() {
    let world = World::deployed();
    let around = world.around();
    let request = history::Request {
        selection: Target::of("alpha/nobody").selection,
        ..history::Request::default()
    };
    let error = history::read(&around, &request).unwrap_err();
    assert_eq!(error.kind, grove_operations::Kind::Usage);
    schema::holds(&error);
}
