//! Rollbacks.

use grove_operations::{
    Kind,
    consent::{Consent, Need},
    deploy::outcome::Action,
    release::{
        hold,
        rollback::{Request, plan},
    },
    request::Target,
};

use crate::{
    fleet::SETTINGS,
    schema,
    world::{World, id},
};

fn request() -> Request {
    Request {
        id: Some(id("rollback-1")),
        revision: None,
        instance: "alpha/uni".to_owned(),
        from: None,
        to: None,
        message: Some("It broke".to_owned()),
        wait: None,
    }
}

#[test]
fn going_back_behind_a_mark_needs_consent() {
    let mut world = World::deployed();
    world.site("alpha/uni").value = 2;
    world.site("alpha/uni").mark = 2;
    world.deploy(Target::of("alpha/uni")).unwrap();
    let tips = world.tips();

    let around = world.around();
    let going = plan(&around, &request()).unwrap();
    let needs = going.needs().clone();
    let Some(Need::DataRisk { marks, release, .. }) = needs.iter().next() else {
        panic!("{needs:?}");
    };
    assert_eq!((marks.join("; ").as_str(), *release), ("openedx: 2 → 1", 1));
    assert_eq!(
        going.carry_out(&Consent::none()).unwrap_err().kind,
        Kind::Refused
    );
    assert_eq!(world.tips(), tips);

    let going = plan(&around, &request()).unwrap();
    let outcome = going.carry_out(&Consent::to(needs)).unwrap();
    schema::holds(&outcome);
    assert_eq!((outcome.from, outcome.to, outcome.release), (2, 1, 3));
    let branch = world.branch("alpha");
    let objects = branch.view().unwrap().objects("uni").unwrap().unwrap();
    assert_eq!(objects[SETTINGS]["data"]["value"], "1");

    // The same again is the first one, whatever it would need now.
    let tips = world.tips();
    let again = plan(&around, &request()).unwrap();
    assert!(again.needs().is_empty());
    assert_eq!(again.carry_out(&Consent::none()).unwrap(), outcome);
    assert_eq!(world.tips(), tips);

    // What was left stays away until the fleet says something else.
    let row = |world: &World| {
        world
            .deploy(Target::of("alpha/uni"))
            .unwrap()
            .instances
            .remove(0)
    };
    assert_eq!(row(&world).action, Action::Held);
    world.site("alpha/uni").value = 3;
    assert_eq!(row(&world).release, Some(4));
}

#[test]
fn what_was_released_once_has_nothing_before_it() {
    let world = World::deployed();
    let around = world.around();
    let error = plan(&around, &request()).err().unwrap();
    assert_eq!(error.kind, Kind::Refused);
}

#[test]
fn a_request_with_the_name_of_another_is_refused() {
    let mut world = World::deployed();
    world.site("beta/labs").value = 2;
    world.deploy(Target::of("beta/labs")).unwrap();
    let around = world.around();
    let first = Request {
        instance: "beta/labs".to_owned(),
        ..request()
    };
    let outcome = plan(&around, &first).unwrap();
    outcome.carry_out(&Consent::none()).unwrap();
    let tips = world.tips();
    world.forget();

    let other = Request {
        instance: "beta/library".to_owned(),
        ..request()
    };
    let error = plan(&around, &other).map(drop).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.to_string().contains("did something else"), "{error}");
    let held = hold::Request {
        id: request().id,
        target: Target::of("beta/library"),
        change: hold::Change::Hold {
            reason: "Exams".to_owned(),
        },
    };
    let error = hold::plan(&around, &held).map(drop).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(world.tips(), tips);
}

#[test]
fn what_is_left_is_what_whoever_asks_saw() {
    let mut world = World::deployed();
    world.site("alpha/uni").value = 2;
    world.deploy(Target::of("alpha/uni")).unwrap();
    let around = world.around();
    for (from, is_refused) in [(1, true), (2, false)] {
        let request = Request {
            from: Some(from),
            ..request()
        };
        let planned = plan(&around, &request).map(drop);
        assert_eq!(
            planned.err().map(|error| error.kind),
            is_refused.then_some(Kind::Refused)
        );
    }
}
