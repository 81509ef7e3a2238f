//! Operations that are ended by whoever asked for them.

use std::{net::TcpListener, thread};

use grove_operations::{
    Around, Kind,
    consent::Consent,
    deploy::{self, outcome::Action},
    release::{history, rollback},
    request::Target,
};

use grove_example::{World, id, request};

use crate::schema;

/// A cluster that takes a connection and never answers, and what is around an operation that reaches for
/// it. The token ends as soon as it is asked something.
fn never_answers(world: &World) -> Around {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let kubeconfig = world.directory().join("kubeconfig");
    std::fs::write(
        &kubeconfig,
        format!(
            "apiVersion: v1
kind: Config
current-context: beta
contexts: [{{name: beta, context: {{cluster: beta, user: nobody}}}}]
clusters: [{{name: beta, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]
users: [{{name: nobody, user: {{}}}}]
"
        ),
    )
    .unwrap();
    let mut around = world.around();
    around.kubeconfigs = vec![kubeconfig];
    let token = around.token.clone();
    thread::spawn(move || {
        let connection = listener.accept();
        token.end();
        // The connection stays open.
        thread::park();
        drop(connection);
    });
    around
}

#[test]
fn a_deploy_that_is_ended_after_its_push_is_what_landed() {
    let world = World::new();
    let around = never_answers(&world);
    let deploy = deploy::request::Request {
        id: Some(id("deploy-1")),
        wait: Some(600),
        ..request(Target::of("beta/labs"))
    };
    let plan = deploy::plan::plan(&around, &deploy).unwrap();
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    schema::holds(&outcome);
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.instances[0].action, Action::Released);
    assert_eq!(outcome.instances[0].release, Some(1));
    assert_eq!(outcome.instances[0].commit, world.branch("beta").tip());
    let [wait] = &outcome.waits[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!((wait.instance.as_str(), &wait.follow), ("beta/labs", &None));
    assert!(wait.error.as_deref().unwrap().contains("ended"), "{wait:?}");
}

#[test]
fn a_rollback_that_is_ended_after_its_push_is_what_landed() {
    let mut world = World::deployed();
    world.site("beta/labs").value = 2;
    world.deploy(Target::of("beta/labs")).unwrap();
    let around = never_answers(&world);
    let request = rollback::Request {
        id: None,
        revision: None,
        instance: "beta/labs".to_owned(),
        from: None,
        to: None,
        message: None,
        wait: Some(600),
    };
    let plan = rollback::plan(&around, &request).unwrap();
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!((outcome.release, outcome.to), (3, 1));
    assert!(
        outcome.waits[0].error.as_deref().unwrap().contains("ended"),
        "{outcome:?}"
    );
}

#[test]
fn an_operation_whose_token_has_ended_does_not_begin() {
    let world = World::new();
    let around = world.around();
    around.token.end();
    assert_eq!(around.enter().err().unwrap().kind, Kind::Ended);
    // What is in memory needs no program, so that nothing else would stop it.
    let read = history::read(&around, &history::Request::default());
    assert_eq!(read.unwrap_err().kind, Kind::Ended);
    let plan = deploy::plan::plan(&around, &request(Target::of("beta/labs")));
    assert_eq!(plan.err().unwrap().kind, Kind::Ended);
}
