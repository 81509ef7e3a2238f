//! States taken apart and put together, with paths that begin elsewhere than where the process is.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use grove_operations::{
    Around, Kind, Result,
    consent::{Consent, Need},
    state::{diff, join, push, source::Source, split, verify},
};
use grove_test::World;
use jiff::Timestamp;

use crate::{
    refused::{bytes, wrong},
    schema,
};

const COMBINED: &str = "combined/terraform.tfstate";

struct Site {
    world: World,
    around: Around,
}

impl Site {
    fn new() -> Self {
        let world = World::new("grove");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        world.copy(&here.join("../../examples/split"), "fleet");
        let now = Timestamp::UNIX_EPOCH;
        let mut around = Around::new(&world.fleet(), world.cache(), Path::new("grove"), now);
        around.variables = world.variables();
        around.tofu = std::env::var_os("GROVE_TEST_TOFU").map(PathBuf::from);
        // Not the process's own.
        around.directory = world.fleet();
        Self { world, around }
    }

    fn split(&self) -> split::Plan<'_> {
        let places = split::Places {
            from: split::From::Text(Source::File(COMBINED.into())),
            map: Path::new("rules.yaml"),
            out: Path::new("parts"),
            stacks: None,
            config: None,
        };
        split::plan(&self.around, &split::Request::default(), &places).unwrap()
    }

    fn join(&self) -> Result<join::Plan<'_>> {
        let (parts, out) = (Path::new("parts"), Path::new("joined.tfstate"));
        join::plan(&self.around, &join::Request::default(), parts, out)
    }

    fn push(&self) -> Result<push::Plan<'_>> {
        let places = push::Places {
            directory: Path::new("parts"),
            source: Path::new("combined"),
            stacks: Path::new("stacks"),
        };
        push::plan(&self.around, &push::Request::default(), places)
    }

    /// Everything but what `init` prepares beside root modules.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = bytes(self.world.root());
        all.retain(|file, _| !file.contains("/.terraform/"));
        all
    }
}

#[test]
fn a_state_is_split_and_joined_where_the_caller_is_and_only_with_consent() {
    let site = Site::new();
    let before = site.bytes();
    let plan = site.split();
    assert_eq!(plan.record().parts.len(), 3);
    let consent = wrong(plan.needs());
    assert_eq!(plan.carry_out(&consent).unwrap_err().kind, Kind::Refused);
    assert!(site.bytes() == before);

    let late = site.split();
    let record = site.split().carry_out(&Consent::none()).unwrap();
    let part = format!("fleet/parts/{}/terraform.tfstate", record.parts[0].stack);
    assert!(site.world.path(part).is_file());
    // A second one comes too late, and says so by the name that it was given.
    let error = late.carry_out(&Consent::none()).unwrap_err();
    assert_eq!(error.messages, ["parts is there already"]);

    let before = site.bytes();
    let plan = site.join().unwrap();
    let consent = wrong(plan.needs());
    assert_eq!(plan.carry_out(&consent).unwrap_err().kind, Kind::Refused);
    assert!(site.bytes() == before);
    let (plan, late) = (site.join().unwrap(), site.join().unwrap());
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    schema::holds(&outcome);
    assert_eq!((outcome.objects, outcome.parts), (7, 3));
    let error = late.carry_out(&Consent::none()).unwrap_err();
    assert_eq!(error.messages, ["joined.tfstate is there already"]);

    let file = |name: &str| Source::File(name.into());
    let same = diff::read(&site.around, &file(COMBINED), &file("joined.tfstate")).unwrap();
    assert_eq!(same.differences, []);
    let error = diff::read(&site.around, &file(COMBINED), &file("none.tfstate")).unwrap_err();
    assert_eq!(error.messages, ["there is no none.tfstate"]);
    let missing = join::plan(
        &site.around,
        &join::Request::default(),
        Path::new("combined"),
        Path::new("other.tfstate"),
    );
    let error = missing.err().unwrap();
    assert!(
        error.messages[0].contains("`combined/split.json`"),
        "{error}"
    );
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_push_writes_what_was_agreed_to_and_refuses_states_that_moved() {
    let site = Site::new();
    for stack in ["cluster/network", "instances/uni", "instances/academy"] {
        let path = site.world.path(format!("states/{stack}.tfstate"));
        site.world.write(
            format!("fleet/stacks/{stack}/backend.tf"),
            format!(
                "terraform {{\n  backend \"local\" {{\n    path = \"{}\"\n  }}\n}}\n",
                path.display()
            ),
        );
    }
    site.split().carry_out(&Consent::none()).unwrap();
    site.world
        .write("fleet/combined/main.tf", "# All of it is in stacks now.\n");
    let combined = format!("fleet/{COMBINED}");
    let text = site.world.read(&combined);
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    let serial = state["serial"].as_u64().unwrap();

    let before = site.bytes();
    let plan = site.push().unwrap();
    let replaced: Vec<_> = plan
        .needs()
        .iter()
        .map(|need| match need {
            Need::Push {
                stack,
                back_end,
                replaces,
                objects,
                ..
            } => (
                stack.as_str(),
                back_end.starts_with("local"),
                *replaces,
                *objects,
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        replaced,
        [
            (".", true, Some(serial), 0),
            ("cluster/network", true, None, 1),
            ("instances/academy", true, None, 3),
            ("instances/uni", true, None, 3),
        ]
    );
    for consent in [Consent::none(), wrong(plan.needs())] {
        let error = site.push().unwrap().carry_out(&consent).unwrap_err();
        assert_eq!(error.kind, Kind::Refused);
        assert!(site.bytes() == before);
    }
    let agreed = Consent::to(plan.needs().clone());

    // Somebody applies the old root, so that its state is another one.
    let moved = text.replace("10.0.0.0", "10.9.0.0");
    assert_ne!(moved, text);
    site.world.write(&combined, &moved);
    let error = plan.carry_out(&agreed).unwrap_err();
    assert_eq!(
        error.messages,
        ["the combined state changed since it was looked at"]
    );
    site.world.write(&combined, &text);
    assert!(site.bytes() == before);

    // Somebody puts a state where there was none: the consent is to no such thing.
    let plan = site.push().unwrap();
    site.world.write("states/instances/academy.tfstate", &text);
    let error = plan.carry_out(&agreed).unwrap_err();
    assert_eq!(error.messages[0], "cannot push `instances/academy`");
    assert_eq!(site.world.read(&combined), text);
    assert_eq!(site.world.read("states/instances/academy.tfstate"), text);
    fs::remove_file(site.world.path("states/instances/academy.tfstate")).unwrap();

    // The rest of what was agreed to goes on.
    let outcome = site.push().unwrap().carry_out(&agreed).unwrap();
    schema::holds(&outcome);
    assert_eq!((outcome.parts, outcome.objects), (3, 7));
    assert!(outcome.journal.finished);
    let again = site.push().unwrap();
    assert!(again.needs().is_empty());
    assert_eq!(again.carry_out(&Consent::none()).unwrap(), outcome);
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn parts_are_planned_where_the_caller_is() {
    let site = Site::new();
    let places = split::Places {
        from: split::From::Root(Path::new("combined")),
        map: Path::new("rules.yaml"),
        out: Path::new("parts"),
        stacks: Some(Path::new("stacks")),
        config: None,
    };
    let plan = split::plan(&site.around, &split::Request::default(), &places).unwrap();
    plan.carry_out(&Consent::none()).unwrap();
    let request = verify::Request::default();
    let outcome = verify::read(&site.around, &request, Path::new("parts")).unwrap();
    assert!(outcome.is_fine(), "{outcome:?}");

    // With the configuration taken from the old root.
    let places = split::Places {
        from: split::From::Text(Source::File(COMBINED.into())),
        map: Path::new("rules.yaml"),
        out: Path::new("taken"),
        stacks: None,
        config: Some(Path::new("combined")),
    };
    let before = site.bytes();
    let plan = split::plan(&site.around, &split::Request::default(), &places).unwrap();
    assert!(site.bytes() == before);
    plan.carry_out(&Consent::none()).unwrap();
    let outcome = verify::read(&site.around, &request, Path::new("taken")).unwrap();
    assert!(outcome.is_fine(), "{outcome:?}");
}
