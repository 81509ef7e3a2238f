//! Secrets of the example fleet, as a caller without a terminal handles them.

use grove_fleet::model::SecretReference;
use grove_seal::Secret;
use grove_test::World;

use super::{generate, open::Secrets, remove, rotate, set, show};
use crate::{
    Around, Kind,
    consent::{Consent, Need},
    fleet::workspace::Workspace,
    request::Target,
    threads,
};

const FILE: &str = "fleet/clusters/prod/instances/uni/secrets.sops.yaml";

fn production() -> (World, Around) {
    let world = World::new("grove");
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    world.copy(&examples.join("production"), "fleet");
    let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut around = Around::new(&world.fleet(), world.cache(), "grove".as_ref(), now);
    around.variables = world.variables();
    (world, around)
}

fn shown(around: &Around, name: &str) -> Secret {
    let request = show::Request {
        revision: None,
        instance: "prod/uni".to_owned(),
    };
    show::open(around, &request, name).unwrap()
}

fn rotation(step: rotate::Step) -> rotate::Request {
    rotate::Request {
        id: None,
        target: Target::of("prod/uni"),
        step,
    }
}

fn begin(name: &str) -> rotate::Request {
    rotation(rotate::Step::Begin {
        names: vec![name.to_owned()],
    })
}

#[test]
fn a_value_goes_in_and_out_beside_requests_and_outcomes() {
    let (world, around) = production();
    let request = set::Request {
        id: None,
        owner: "prod/uni".to_owned(),
        name: "SHOP_TOKEN".to_owned(),
        cluster_only: false,
    };
    let plan = set::plan(&around, &request).unwrap();
    let outcome = plan
        .carry_out(&Consent::none(), Secret::from("correct horse"))
        .unwrap();
    assert_eq!(format!("fleet/{}", outcome.file), FILE);
    assert_eq!(shown(&around, "SHOP_TOKEN").expose(), "correct horse");
    assert!(!world.read(FILE).contains("correct horse"));
    for wrong in [String::new(), "x".repeat(set::LIMIT + 1)] {
        let plan = set::plan(&around, &request).unwrap();
        let refused = plan.carry_out(&Consent::none(), Secret::new(wrong));
        assert_eq!(refused.unwrap_err().kind, Kind::Usage);
    }
    let request = remove::Request {
        id: None,
        owner: request.owner,
        name: request.name,
        cluster_only: false,
    };
    let plan = remove::plan(&around, &request).unwrap();
    plan.carry_out(&Consent::none()).unwrap();
    assert!(remove::plan(&around, &request).is_err());
}

#[test]
fn a_rotation_is_planned_by_name_and_without_a_key() {
    let (world, around) = production();
    let before = world.read(FILE);
    let key = world.path("fleet/example-key.txt");
    let aside = world.path("key.txt");
    std::fs::rename(&key, &aside).unwrap();
    let plan = rotate::plan(&around, &begin("OPENEDX_MYSQL_PASSWORD")).unwrap();
    assert!(plan.needs().is_empty());
    let planned = plan.outcome();
    // Without a key no value of today can be read: nothing is written.
    assert!(plan.carry_out(&Consent::none()).is_err());
    assert_eq!(world.read(FILE), before);

    std::fs::rename(&aside, &key).unwrap();
    let old = shown(&around, "OPENEDX_MYSQL_PASSWORD");
    let plan = rotate::plan(&around, &begin("OPENEDX_MYSQL_PASSWORD")).unwrap();
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(outcome.rotated, planned.rotated);
    assert!(outcome.failure.is_none());
    assert!(old != shown(&around, "OPENEDX_MYSQL_PASSWORD"));
}

#[test]
fn what_users_notice_and_what_is_not_looked_at_must_be_agreed_to() {
    let (world, around) = production();
    let before = world.read(FILE);
    let plan = rotate::plan(&around, &begin("OPENEDX_SECRET_KEY")).unwrap();
    let needs: Vec<&Need> = plan.needs().iter().collect();
    assert!(
        matches!(&needs[..], [Need::Disrupts { secret, .. }] if secret == "OPENEDX_SECRET_KEY")
    );
    let refused = plan.carry_out(&Consent::none()).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert_eq!(world.read(FILE), before);

    let plan = rotate::plan(&around, &begin("OPENEDX_MYSQL_PASSWORD")).unwrap();
    plan.carry_out(&Consent::none()).unwrap();
    let before = world.read(FILE);
    let finish = rotation(rotate::Step::Finish {
        names: Vec::new(),
        wait: None,
    });
    let plan = rotate::plan(&around, &finish).unwrap();
    let consent = Consent::to(plan.needs().clone());
    assert!(plan.carry_out(&Consent::none()).is_err());
    assert_eq!(world.read(FILE), before);
    let plan = rotate::plan(&around, &finish).unwrap();
    assert_eq!(plan.carry_out(&consent).unwrap().rotated.len(), 1);
    assert!(world.read(FILE) != before);
}

#[test]
fn files_are_written_in_the_work_tree_alone() {
    let (_world, around) = production();
    let mut target = Target::of("prod/uni");
    target.revision = Some("HEAD".to_owned());
    let request = generate::Request { id: None, target };
    let refused = generate::plan(&around, &request).err().unwrap();
    assert_eq!(refused.kind, Kind::Usage);
}

#[test]
fn threads_that_open_the_same_files_at_once_have_the_same_values() {
    let (_world, around) = production();
    let workspace = Workspace::open(&around, None).unwrap();
    let fleet = workspace.check().fleet;
    let secrets = Secrets::new(&workspace, &fleet);
    let all: Vec<&SecretReference> = fleet
        .instances
        .values()
        .flat_map(|instance| instance.secrets.values())
        .collect();
    let values = |list: &[Vec<&SecretReference>]| {
        threads::each(8, list.to_vec(), |part| {
            let part = part.into_iter();
            part.map(|reference| secrets.value(reference).unwrap())
                .collect::<Vec<_>>()
        })
    };
    let many = values(&vec![all.clone(); 8]);
    assert!(!all.is_empty());
    for one in &many {
        assert!(*one == many[0]);
    }
}

#[test]
fn what_others_wrote_since_is_not_written_over() {
    let (world, around) = production();
    let request = set::Request {
        id: None,
        owner: "prod/uni".to_owned(),
        name: "SHOP_TOKEN".to_owned(),
        cluster_only: false,
    };
    let late = set::plan(&around, &request).unwrap();
    let first = set::plan(&around, &request).unwrap();
    first
        .carry_out(&Consent::none(), Secret::from("correct horse"))
        .unwrap();
    let text = world.read(FILE);
    let error = late
        .carry_out(&Consent::none(), Secret::from("battery staple"))
        .unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(world.read(FILE), text);
}
