//! Between a plan and its carrying out, others go on.

use grove_operations::{
    Kind, consent::Consent, deploy::plan::plan, release::hold, request::Target,
};

use grove_example::{World, request};

#[test]
fn work_of_others_on_the_same_instance_refuses_a_plan() {
    let mut mine = World::deployed();
    mine.site("alpha/uni").value = 2;
    let around = mine.around();
    let deploy = plan(&around, &request(Target::of("alpha/uni"))).unwrap();
    mine.site("alpha/uni").value = 3;
    mine.deploy(Target::of("alpha/uni")).unwrap();
    let tips = mine.tips();
    let outcome = deploy.carry_out(&Consent::none()).unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.kind, Kind::Refused, "{failure}");
    assert!(
        matches!(failure.cause(), Some(grove_release::Error::Conflict(_))),
        "{failure}"
    );
    assert!(outcome.instances.is_empty());
    assert_eq!(mine.tips(), tips);

    let around = mine.around();
    let held = |reason: &str| hold::Request {
        id: None,
        target: Target::of("alpha/uni"),
        change: hold::Change::Hold {
            reason: reason.to_owned(),
        },
    };
    let late = hold::plan(&around, &held("late")).unwrap();
    let first = hold::plan(&around, &held("first")).unwrap();
    first.carry_out(&Consent::none()).unwrap();
    assert_eq!(
        late.carry_out(&Consent::none()).unwrap_err().kind,
        Kind::Refused
    );
    let branch = mine.branch("alpha");
    assert_eq!(
        branch.view().unwrap().hold("uni").unwrap().unwrap().reason,
        "first"
    );
}

#[test]
fn work_of_others_on_other_instances_does_not() {
    let mut world = World::deployed();
    world.site("beta/labs").value = 2;
    world.site("beta/library").value = 2;
    let around = world.around();
    let deploy = plan(&around, &request(Target::of("beta/labs"))).unwrap();
    world.deploy(Target::of("beta/library")).unwrap();
    let outcome = deploy.carry_out(&Consent::none()).unwrap();
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.instances[0].release, Some(2));
    let view = world.branch("beta");
    let view = view.view().unwrap();
    for name in ["labs", "library"] {
        assert_eq!(view.releases(name).unwrap(), [2, 1], "{name}");
    }
}

#[test]
fn needs_that_grew_are_not_covered_by_the_consent_of_before() {
    let mut world = World::new();
    world.site("alpha/uni").volumes = 2;
    world.deploy(Target::of("alpha/uni")).unwrap();
    world.site("alpha/uni").volumes = 1;
    let deploy = request(Target::of("alpha/uni"));
    let around = world.around();
    let consent = Consent::to(plan(&around, &deploy).unwrap().needs().clone());

    // Meanwhile the fleet says that the other one goes, too.
    world.site("alpha/uni").volumes = 0;
    let around = world.around();
    let grown = plan(&around, &deploy).unwrap();
    let error = grown.carry_out(&consent).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(
        world
            .branch("alpha")
            .view()
            .unwrap()
            .releases("uni")
            .unwrap(),
        [1]
    );

    // Less than was agreed to is agreed to.
    let all = Consent::to(plan(&around, &deploy).unwrap().needs().clone());
    world.site("alpha/uni").volumes = 1;
    let around = world.around();
    let outcome = plan(&around, &deploy).unwrap().carry_out(&all).unwrap();
    assert_eq!(outcome.instances[0].removed, 1);
}
