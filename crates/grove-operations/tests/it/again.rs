//! The same request again where nothing of it is in a deploy branch: what is kept of it says what came of it.

use grove_operations::{
    Kind, Result,
    consent::Consent,
    deploy::{
        self,
        outcome::{Action, Outcome},
    },
    release::hold,
    request::{Target, is_known},
};

use grove_example::{World, id, request};

fn deploy(world: &World, target: &str, message: Option<&str>) -> Result<Outcome> {
    let around = world.around();
    let request = deploy::request::Request {
        id: Some(id("night-1")),
        message: message.map(str::to_owned),
        ..request(Target::of(target))
    };
    // With consent to nothing.
    deploy::plan::plan(&around, &request)?.carry_out(&Consent::none())
}

#[test]
fn a_deploy_that_changed_nothing_changes_nothing_later() {
    let mut world = World::new();
    world.site("beta/labs").volumes = 1;
    world.deploy(Target::of("*/*")).unwrap();
    world.site("alpha/uni").value = 2;
    let first = deploy(&world, "*/*", None).unwrap();
    let actions = first.instances.iter().map(|row| row.action);
    assert_eq!(
        actions.collect::<Vec<_>>(),
        [Action::Released, Action::Unchanged, Action::Unchanged]
    );
    let tips = world.tips();
    assert!(is_known(&world.around(), Some(&id("night-1"))));

    // What the fleet says now would take a volume away.
    world.site("beta/labs").volumes = 0;
    assert_eq!(deploy(&world, "*/*", None).unwrap(), first);
    // Even where it says nothing that can be read.
    world.site("alpha/uni").address = "alpha/UNI".to_owned();
    assert_eq!(deploy(&world, "*/*", None).unwrap(), first);
    for (target, message) in [("*/*", Some("Another")), ("beta", None)] {
        let error = deploy(&world, target, message).unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{error}");
        assert!(error.to_string().contains("did something else"), "{error}");
    }
    assert_eq!(world.tips(), tips);
}

fn change(world: &World, change: hold::Change, name: &str) -> hold::Outcome {
    let around = world.around();
    let request = hold::Request {
        id: Some(id(name)),
        target: Target::of("alpha/uni"),
        change,
    };
    let plan = hold::plan(&around, &request).unwrap();
    plan.carry_out(&Consent::none()).unwrap()
}

#[test]
fn a_hold_of_what_was_not_held_is_not_ended_later() {
    let world = World::deployed();
    let first = change(&world, hold::Change::Unhold, "unhold-1");
    let held = || hold::Change::Hold {
        reason: "Exams".to_owned(),
    };
    drop(change(&world, held(), "hold-1"));
    let again = change(&world, held(), "hold-2");
    assert_eq!(again.instances["alpha/uni"], "is held already: Exams");
    let tips = world.tips();
    assert_eq!(change(&world, hold::Change::Unhold, "unhold-1"), first);
    assert_eq!(world.tips(), tips);

    drop(change(&world, hold::Change::Unhold, "unhold-2"));
    let tips = world.tips();
    assert_eq!(change(&world, held(), "hold-2"), again);
    assert_eq!(world.tips(), tips);
}

#[test]
fn what_is_held_is_asked_again() {
    let mut world = World::deployed();
    let held = hold::Change::Hold {
        reason: "Exams".to_owned(),
    };
    drop(change(&world, held, "hold-1"));
    world.site("alpha/uni").value = 2;
    let action = |outcome: Outcome| outcome.instances[0].action;
    let passed_over = deploy(&world, "alpha/uni", None).unwrap();
    assert_eq!(action(passed_over), Action::Held);
    drop(change(&world, hold::Change::Unhold, "unhold-1"));
    let released = deploy(&world, "alpha/uni", None).unwrap();
    assert_eq!(action(released), Action::Released);
}

#[test]
fn of_two_at_once_one_waits_for_the_other() {
    let mut world = World::deployed();
    world.site("alpha/uni").value = 2;
    let [one, other] = std::thread::scope(|scope| {
        [(); 2]
            .map(|()| scope.spawn(|| deploy(&world, "*/*", None).unwrap()))
            .map(|thread| thread.join().unwrap())
    });
    assert_eq!(one, other);
    assert_eq!(one.instances[0].release, Some(2));
}
