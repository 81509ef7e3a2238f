//! Levels and consent, with a program that only pretends.

use std::path::Path;

use grove_test::World;
use jiff::Timestamp;

use super::*;
use crate::Kind;

/// Two stacks, one that reads from the first of them, and one that destroys.
const CLUSTER: &str = "provider: existing
domain: alpha.example.org
state: {backend: local, path: ../states}
stacks:
  loses: {}
  one: {}
  reader: {inputs: {n: {output: one.o}}}
  two: {}
";

const READER: &str = "variable \"n\" { type = string }\n";
const OTHER: &str = "output \"o\" { value = \"v\" }\n";

struct Site {
    _world: World,
    around: Around,
}

impl Site {
    fn new() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let world = World::new("grove");
        world.copy(&here.join("../../examples/fleet"), "fleet");
        world.write("fleet/clusters/alpha/cluster.yaml", CLUSTER);
        for (name, text) in [
            ("loses", OTHER),
            ("one", OTHER),
            ("reader", READER),
            ("two", OTHER),
        ] {
            world.write(format!("fleet/clusters/alpha/stacks/{name}/main.tf"), text);
        }
        let mut around = Around::new(
            &world.fleet(),
            world.cache(),
            Path::new("grove"),
            Timestamp::UNIX_EPOCH,
        );
        around.variables = world.variables();
        around.tofu = Some(here.join("src/stacks/apply/program.sh"));
        Self {
            _world: world,
            around,
        }
    }

    fn begin(&self, stacks: &[&str]) -> Apply<'_> {
        let request = Request {
            selection: StackSelection {
                selectors: stacks.iter().map(|name| format!("alpha:{name}")).collect(),
                ..StackSelection::default()
            },
            ..Request::default()
        };
        begin(&self.around, &request).unwrap()
    }
}

fn states(outcome: &Outcome) -> Vec<String> {
    let rows = outcome.stacks.iter();
    rows.map(|row| format!("{} {}", row.stack, row.state))
        .collect()
}

fn failures(outcome: &Outcome) -> Vec<&str> {
    let failures = outcome.failures.iter();
    failures
        .map(|failure| failure.messages[0].as_str())
        .collect()
}

#[test]
fn what_nobody_agrees_to_fails_alone_and_what_reads_it_is_not_tried() {
    let site = Site::new();
    let mut apply = site.begin(&["loses", "one", "reader", "two"]);
    let mut levels = 0;
    while let Some(level) = apply.next().unwrap() {
        levels += 1;
        let agreed = level.proposals().iter().filter(
            |proposal| matches!(&proposal.need, Need::Apply { stack, .. } if stack == "alpha:two"),
        );
        let consent = Consent::to(agreed.map(|proposal| proposal.need.clone()).collect());
        level.carry_out(&consent).unwrap();
    }
    assert_eq!(levels, 2);
    let outcome = apply.outcome();
    assert_eq!(states(&outcome), ["alpha:two applied"]);
    assert_eq!(
        failures(&outcome),
        [
            "`alpha:loses` would destroy 1 object: x.a",
            "nobody agreed to apply `alpha:one`",
            "`alpha:reader` was not tried: it reads `alpha:one`, which failed",
        ]
    );
    let text = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
}

#[test]
fn a_stack_that_is_refused_says_why() {
    let site = Site::new();
    let mut apply = site.begin(&["one", "two"]);
    let mut level = apply.next().unwrap().unwrap();
    level.refuse("alpha:one", Error::refused("not today"));
    let consent = Consent::to(level.needs().clone());
    level.carry_out(&consent).unwrap();
    assert!(apply.next().unwrap().is_none());
    let (outcome, stacks) = apply.end();
    assert_eq!(failures(&outcome), ["not today"]);
    assert_eq!(states(&outcome), ["alpha:two applied"]);
    // Whoever goes on with the stacks sees what they give.
    let two = stacks.get(&"alpha:two".parse().unwrap()).unwrap();
    assert_eq!(two.outputs.as_ref().unwrap().serial, 1);
}

#[test]
fn a_level_that_is_left_alone_is_not_applied_nor_what_reads_it() {
    let site = Site::new();
    let mut apply = site.begin(&["one", "reader"]);
    while apply.next().unwrap().is_some() {}
    let outcome = apply.outcome();
    assert_eq!(states(&outcome), [""; 0]);
    assert_eq!(
        failures(&outcome),
        ["`alpha:reader` was not tried: it reads `alpha:one`, which failed"]
    );
}

#[test]
fn what_a_stack_still_reads_is_not_destroyed() {
    let site = Site::new();
    let mut apply = site.begin(&["one", "reader"]);
    while let Some(level) = apply.next().unwrap() {
        let consent = Consent::to(level.needs().clone());
        level.carry_out(&consent).unwrap();
    }
    assert_eq!(apply.outcome().failures, []);
    let request = Request {
        destroy: true,
        selection: StackSelection {
            selectors: vec!["alpha:one".to_owned(), "alpha:reader".to_owned()],
            ..StackSelection::default()
        },
        ..Request::default()
    };
    let mut apply = begin(&site.around, &request).unwrap();
    let mut level = apply.next().unwrap().unwrap();
    level.refuse("alpha:reader", Error::refused("its volume is in use"));
    level.carry_out(&Consent::none()).unwrap();
    while apply.next().unwrap().is_some() {}
    assert_eq!(
        failures(&apply.outcome()),
        [
            "its volume is in use",
            "`alpha:one` was not tried: it is read by `alpha:reader`, which failed",
        ]
    );
}

#[test]
fn a_consent_that_does_not_name_what_was_agreed_to_applies_nothing() {
    let site = Site::new();
    let mut apply = site.begin(&["two"]);
    let level = apply.next().unwrap().unwrap();
    let mut consent = serde_json::to_value(Consent::to(level.needs().clone())).unwrap();
    consent["digest"] = Needs::default().digest().into();
    let consent: Consent = serde_json::from_value(consent).unwrap();
    let error = level.carry_out(&consent).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(apply.outcome(), Outcome::default());
}

#[test]
fn a_plan_that_is_kept_was_seen() {
    let site = Site::new();
    let selection = StackSelection {
        selectors: vec!["alpha:two".to_owned()],
        ..StackSelection::default()
    };
    let request = super::super::plan::Request {
        selection,
        ..super::super::plan::Request::default()
    };
    let planned = super::super::plan::make(&site.around, &request).unwrap();
    assert_eq!(planned.stacks[0].state, Standing::Planned);
    let mut apply = site.begin(&["two"]);
    let level = apply.next().unwrap().unwrap();
    assert!(level.needs().is_empty());
    level.carry_out(&Consent::none()).unwrap();
    assert_eq!(states(&apply.outcome()), ["alpha:two applied"]);
}

#[test]
fn it_goes_from_thread_to_thread() {
    fn goes<T: Send + Sync>() {}
    goes::<Apply<'_>>();
    goes::<Level<'_, '_>>();
    goes::<super::super::unlock::Plan>();
    goes::<super::super::run::Prepared>();
}
