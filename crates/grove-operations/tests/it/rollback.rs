//! Rollbacks.

use grove_operations::{
    Kind,
    consent::{Consent, Need},
    deploy::outcome::Action,
    release::{
        hold,
        rollback::{Outcome, Request, plan},
    },
    request::Target,
};

use grove_example::{SETTINGS, World, id};

use crate::schema;

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

/// A site with three releases.
fn three() -> World {
    let mut world = World::deployed();
    for value in [2, 3] {
        world.site("alpha/uni").value = value;
        world.deploy(Target::of("alpha/uni")).unwrap();
    }
    world
}

#[test]
fn a_rollback_that_is_asked_for_again_goes_no_further() {
    let world = three();
    let around = world.around();
    let asked = |from: Option<u32>, to: Option<u32>| Request {
        id: None,
        from,
        to,
        ..request()
    };
    let carry_out = |request: &Request| {
        let plan = plan(&around, request)?;
        let consent = Consent::to(plan.needs().clone());
        plan.carry_out(&consent)
    };
    let outcome = carry_out(&asked(Some(3), None)).unwrap();
    let said = |outcome: &Outcome| (outcome.from, outcome.to, outcome.release);
    assert_eq!((said(&outcome), outcome.repeated), ((3, 2, 4), false));
    let tips = world.tips();

    // Said as it was, or by where it goes: it is done, and says so.
    for (from, to) in [(Some(3), None), (Some(3), Some(2)), (None, Some(2))] {
        let again = carry_out(&asked(from, to)).unwrap();
        schema::holds(&again);
        assert_eq!((said(&again), again.repeated), ((3, 2, 4), true));
        assert_eq!(again.diff, outcome.diff);
        assert_eq!(world.tips(), tips);
    }
    // By neither: whoever asks may mean another one.
    let error = carry_out(&asked(None, None)).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(
        error.to_string(),
        "alpha/uni was rolled back from 0003 to 0002 as release 0004, and the hold of that stands"
    );
    assert!(error.hints[0].contains("`--to 1`"), "{error:?}");
    assert!(error.hints[0].contains("`--from 3`"), "{error:?}");
    // What is not left is not what runs.
    let error = carry_out(&asked(Some(2), None)).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(world.tips(), tips);

    // Further, by what is left now, and by where it goes.
    let further = carry_out(&asked(Some(4), None)).unwrap();
    assert_eq!((said(&further), further.repeated), ((4, 1, 5), false));
    let other = carry_out(&asked(None, Some(3))).unwrap();
    assert_eq!((said(&other), other.repeated), ((5, 3, 6), false));
}

#[test]
fn a_rollback_after_its_hold_is_one_of_its_own() {
    let world = three();
    let around = world.around();
    let asked = Request {
        id: None,
        ..request()
    };
    plan(&around, &asked)
        .unwrap()
        .carry_out(&Consent::none())
        .unwrap();
    let unhold = hold::Request {
        id: None,
        target: Target::of("alpha/uni"),
        change: hold::Change::Unhold,
    };
    hold::plan(&around, &unhold)
        .unwrap()
        .carry_out(&Consent::none())
        .unwrap();
    let outcome = plan(&around, &asked)
        .unwrap()
        .carry_out(&Consent::none())
        .unwrap();
    assert_eq!((outcome.from, outcome.to), (4, 1));
}
