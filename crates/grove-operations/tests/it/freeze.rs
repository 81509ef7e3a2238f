//! Freezes, where no cluster can be reached.

use grove_operations::{
    Kind,
    consent::Consent,
    deploy::outcome::Action,
    release::freeze::{Change, Outcome, Request, plan},
    request::Target,
};

use grove_example::{World, id};

use crate::schema;

fn freeze(world: &World, seconds: u32, name: &str) -> grove_operations::Result<Outcome> {
    let around = world.around();
    let request = Request {
        id: Some(id(name)),
        target: Target::of("beta"),
        change: Change::Freeze {
            seconds,
            reason: "A restore".to_owned(),
        },
    };
    let outcome = plan(&around, &request)?.carry_out(&Consent::none())?;
    schema::holds(&outcome);
    Ok(outcome)
}

#[test]
fn a_freeze_is_in_git_where_the_cluster_cannot_be_reached() {
    let mut world = World::deployed();
    let outcome = freeze(&world, 3600, "freeze-1").unwrap();
    assert_eq!(outcome.until.unwrap().to_string(), "2026-01-02T04:05:00Z");
    assert_eq!(outcome.failure, None);
    for row in &outcome.instances {
        assert!(row.in_git && !row.in_cluster, "{row:?}");
    }
    let heard = world.recorder.heard();
    assert!(
        heard.iter().any(|event| event["event"] == "warning"),
        "{heard:?}"
    );

    // The same again changes nothing, and says the same.
    let tips = world.tips();
    assert_eq!(freeze(&world, 3600, "freeze-1").unwrap(), outcome);
    assert_eq!(world.tips(), tips);

    world.site("beta/labs").value = 2;
    let row = world
        .deploy(Target::of("beta/labs"))
        .unwrap()
        .instances
        .remove(0);
    assert_eq!((row.action, row.release), (Action::Frozen, Some(1)));
}

#[test]
fn a_freeze_for_ever_is_a_hold() {
    let world = World::deployed();
    let error = freeze(&world, 32 * 24 * 3600, "freeze-1").unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
}
