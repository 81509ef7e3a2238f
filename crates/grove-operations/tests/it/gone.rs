//! Deploy branches that someone deleted or forced elsewhere: every verb that writes to one says so first.

use grove_operations::{
    Error, Kind,
    consent::{Consent, Need, Needs},
    deploy,
    release::{freeze, history, hold, init, rollback},
    request::Target,
    shared,
};
use grove_release::Id;

use grove_example::World;

/// What a verb that writes to the branch of `alpha` needs, or why it is refused.
type Verb = (&'static str, fn(&World) -> Result<Needs, Error>);

const VERBS: [Verb; 6] = [
    ("deploy", |world| {
        let request = deploy::request::Request {
            local: true,
            ..deploy::request::Request::new(Target::of("alpha/uni"))
        };
        let around = world.around();
        deploy::plan::plan(&around, &request).map(|plan| plan.needs().clone())
    }),
    ("rollback", |world| {
        let request = serde_json::json!({"instance": "alpha/uni"});
        let request: rollback::Request = serde_json::from_value(request).unwrap();
        let around = world.around();
        rollback::plan(&around, &request).map(|plan| plan.needs().clone())
    }),
    ("cluster rollback", |world| {
        let request = serde_json::json!({"cluster": "alpha"});
        let request: shared::rollback::Request = serde_json::from_value(request).unwrap();
        let around = world.around();
        shared::rollback::plan(&around, &request).map(|plan| plan.needs().clone())
    }),
    ("hold", |world| {
        let request = hold::Request {
            id: None,
            target: Target::of("alpha/uni"),
            change: hold::Change::Unhold,
        };
        let around = world.around();
        hold::plan(&around, &request).map(|plan| plan.needs().clone())
    }),
    ("init", |world| {
        let request = init::Request {
            id: None,
            target: Target::of("alpha/uni"),
            task: "lms".to_owned(),
            change: init::Change::Retry,
            message: None,
            wait: None,
        };
        let around = world.around();
        init::plan(&around, &request).map(|plan| plan.needs().clone())
    }),
    ("freeze", |world| {
        // It goes on with the cluster alone, and says what became of Git in the end.
        let request = freeze::Request {
            id: None,
            target: Target::of("alpha/uni"),
            change: freeze::Change::Freeze {
                seconds: 60,
                reason: "A restore".to_owned(),
            },
        };
        let around = world.around();
        let plan = freeze::plan(&around, &request)?;
        let outcome = plan.carry_out(&Consent::none())?;
        let rows = serde_json::to_value(&outcome).unwrap();
        assert_eq!(rows["instances"][0]["in_git"], false, "{rows}");
        Err(Error::refused("deploy/alpha"))
    }),
];

/// A world with two releases of a site, and the branch's newest commit and the one before.
fn released() -> (World, Id, Id) {
    let mut world = World::deployed();
    world.site("alpha/uni").value = 2;
    world.deploy(Target::of("alpha/uni")).unwrap();
    let commits = world.branch("alpha").commits(2).unwrap();
    (world, commits[0].commit, commits[1].commit)
}

#[test]
fn a_branch_that_is_gone_needs_consent_or_is_refused() {
    let (world, last, _) = released();
    world.force("alpha", None);
    for (verb, of) in VERBS {
        let result = of(&world);
        if verb == "deploy" {
            let needs = result.unwrap_or_else(|error| panic!("{verb}: {error}"));
            let is_asked = needs.iter().any(|need| {
                matches!(need, Need::FirstRelease { last: Some(id), .. } if *id == last.to_string())
            });
            assert!(is_asked, "{verb}: {needs:?}");
        } else {
            let error = result.map(drop).unwrap_err();
            assert_eq!(error.kind, Kind::Refused, "{verb}: {error}");
            assert!(
                error.to_string().contains("deploy/alpha"),
                "{verb}: {error}"
            );
        }
        assert_eq!(world.branch("alpha").tip(), None, "{verb}");
    }
    // Without consent nothing is written, and with it the branch begins.
    let request = deploy::request::Request {
        local: true,
        ..deploy::request::Request::new(Target::of("alpha/uni"))
    };
    let around = world.around();
    let plan = deploy::plan::plan(&around, &request).unwrap();
    let needs = plan.needs().clone();
    let error = plan.carry_out(&Consent::none()).map(drop).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(world.branch("alpha").tip(), None);
    let plan = deploy::plan::plan(&around, &request).unwrap();
    let outcome = plan.carry_out(&Consent::to(needs)).unwrap();
    assert_eq!(outcome.instances[0].release, Some(1));
}

#[test]
fn a_branch_at_another_commit_is_refused_with_both() {
    let (world, last, older) = released();
    world.force("alpha", Some(older));
    for (verb, of) in VERBS {
        let error = of(&world).map(drop).unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{verb}: {error}");
        if verb != "freeze" {
            for id in [last, older] {
                assert!(
                    error.to_string().contains(&id.to_string()),
                    "{verb}: {error}"
                );
            }
        }
    }
    assert_eq!(world.branch("alpha").tip(), Some(older));
    // Whoever only looks is told, and sees what is there.
    let around = world.around();
    let outcome = history::read(&around, &history::Request::default()).unwrap();
    assert_eq!(outcome.failure, None);
    assert!(!outcome.instances.is_empty());
}
