//! Deploys.

use grove_operations::{
    Kind,
    consent::{Consent, Need},
    deploy::{outcome::Action, plan::plan},
    request::Target,
};

use grove_example::{World, id, request};

use crate::schema;

#[test]
fn what_goes_needs_consent() {
    let mut world = World::new();
    world.site("alpha/uni").volumes = 2;
    world.deploy(Target::of("alpha/uni")).unwrap();
    world.site("alpha/uni").volumes = 0;
    let tips = world.tips();

    let around = world.around();
    let deploy = request(Target::of("alpha/uni"));
    let needs = plan(&around, &deploy).unwrap().needs().clone();
    let Some(Need::Deletions { of, objects, .. }) = needs.iter().next() else {
        panic!("{needs:?}");
    };
    assert_eq!((of.as_str(), objects.len()), ("alpha/uni", 2));
    schema::holds(&needs);
    schema::holds(&Consent::to(needs.clone()));

    let refused = plan(&around, &deploy).unwrap().carry_out(&Consent::none());
    assert_eq!(refused.unwrap_err().kind, Kind::Refused);
    assert_eq!(world.tips(), tips);

    // A consent comes from somewhere else, as JSON.
    let consent = serde_json::to_string(&Consent::to(needs)).unwrap();
    let consent: Consent = serde_json::from_str(&consent).unwrap();
    let outcome = plan(&around, &deploy).unwrap().carry_out(&consent).unwrap();
    schema::holds(&outcome);
    assert_eq!(
        (outcome.confirm_deletes, outcome.instances[0].removed),
        (2, 2)
    );
    assert_eq!(outcome.instances[0].release, Some(2));
}

#[test]
fn the_same_request_again_gives_the_first_outcome() {
    let mut world = World::deployed();
    world.site("alpha/uni").value = 2;
    let deploy = grove_operations::deploy::request::Request {
        id: Some(id("deploy-1")),
        message: Some("Twice".to_owned()),
        ..request(Target::of("*/*"))
    };
    let carry_out = |world: &World| {
        let around = world.around();
        plan(&around, &deploy)
            .unwrap()
            .carry_out(&Consent::none())
            .unwrap()
    };
    let first = carry_out(&world);
    let actions: Vec<Action> = first.instances.iter().map(|row| row.action).collect();
    assert_eq!(
        actions,
        [Action::Released, Action::Unchanged, Action::Unchanged]
    );
    let tips = world.tips();
    // Whatever the fleet says by now, and on another machine.
    world.forget();
    world.site("alpha/uni").value = 3;
    let again = carry_out(&world);
    assert_eq!(again.instances[0], first.instances[0]);
    assert_eq!(world.branch("alpha").tip().unwrap().to_string(), tips[0]);
    assert_eq!(world.tips(), tips);
}

#[test]
fn nothing_is_planned_where_the_fleet_has_errors() {
    let mut world = World::deployed();
    world.site("alpha/uni").address = "alpha/UNI".to_owned();
    let around = world.around();
    let error = plan(&around, &request(Target::of("beta"))).err().unwrap();
    assert_eq!(error.kind, Kind::No);
    let heard = world.recorder.heard();
    assert!(
        heard.iter().any(|event| event["event"] == "findings"),
        "{heard:?}"
    );
}

#[test]
fn many_at_once_need_consent() {
    let mut world = World::new();
    for number in 0..4 {
        world
            .sites
            .push(grove_example::Site::new(&format!("beta/more-{number}")));
    }
    let around = world.around();
    let plan = plan(&around, &request(Target::of("*/*"))).unwrap();
    assert!(matches!(
        plan.needs().iter().next(),
        Some(Need::Instances { instances }) if instances.len() == 7
    ));
    assert_eq!(
        plan.carry_out(&Consent::none()).unwrap_err().kind,
        Kind::Refused
    );
}
