//! Holds.

use grove_operations::{
    consent::Consent,
    deploy::outcome::Action,
    release::hold::{Change, Outcome, Request, plan},
    request::Target,
};

use grove_example::{World, id};

use crate::schema;

fn change(world: &World, change: Change, name: &str) -> Outcome {
    let around = world.around();
    let request = Request {
        id: Some(id(name)),
        target: Target::of("alpha/uni"),
        change,
    };
    let plan = plan(&around, &request).unwrap();
    assert!(plan.needs().is_empty());
    let planned = plan.outcome().clone();
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(planned, outcome);
    schema::holds(&outcome);
    outcome
}

fn held() -> Change {
    Change::Hold {
        reason: "The exam week".to_owned(),
    }
}

#[test]
fn what_is_held_stays_until_it_is_let_go() {
    let mut world = World::deployed();
    assert_eq!(
        change(&world, held(), "hold-1").instances["alpha/uni"],
        "held at 0001"
    );
    let heard = world.recorder.heard();
    assert!(
        heard
            .iter()
            .any(|event| event["doing"] == "fetching" && event["cluster"] == "alpha"),
        "{heard:?}"
    );
    world.site("alpha/uni").value = 2;
    let row = |world: &World| {
        world
            .deploy(Target::of("alpha/uni"))
            .unwrap()
            .instances
            .remove(0)
    };
    let kept = row(&world);
    assert_eq!(
        (kept.action, kept.release, kept.commit),
        (Action::Held, Some(1), None)
    );
    assert_eq!(kept.reason.as_deref(), Some("The exam week"));

    let let_go = change(&world, Change::Unhold, "unhold-1");
    assert_eq!(
        let_go.instances["alpha/uni"],
        "no longer held (The exam week)"
    );
    assert_eq!(row(&world).release, Some(2));
}

#[test]
fn the_same_hold_again_is_the_first_one() {
    let world = World::deployed();
    let first = change(&world, held(), "hold-1");
    let tips = world.tips();
    assert_eq!(change(&world, held(), "hold-1"), first);
    world.forget();
    assert_eq!(change(&world, held(), "hold-1"), first);
    assert_eq!(world.tips(), tips);
    // Under another name it is another one, and finds the first.
    let other = change(&world, held(), "hold-2");
    assert_eq!(
        other.instances["alpha/uni"],
        "is held already: The exam week"
    );
    assert_eq!(world.tips(), tips);
}
