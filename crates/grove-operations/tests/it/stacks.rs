//! Stacks with the real OpenTofu: what is written is what was agreed to.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use grove_operations::{
    Around, Error, Kind, Recorder,
    consent::{Consent, Need, Needs},
    stacks::{
        apply, drift, eject, list, output, plan, renew, run, select::StackSelection,
        standing::Standing, unlock,
    },
};
use grove_test::World;
use jiff::Timestamp;

use crate::{
    refused::{bytes, wrong},
    schema,
};

const CLUSTER: &str = "provider: existing
domain: alpha.example.org
state: {backend: local, path: ../states}
stacks: {one: {}, reader: {inputs: {n: {output: one.o}}}}
";
const ONE: &str = "resource \"terraform_data\" \"a\" {
  input = \"x\"
}
output \"o\" {
  value = terraform_data.a.output
}
output \"s\" {
  value     = \"sevenfold-secret\"
  sensitive = true
}
";
const READER: &str = "variable \"n\" {
  type = string
}
resource \"terraform_data\" \"b\" {
  input = var.n
}
";
const MODULE: &str = "fleet/clusters/alpha/stacks/one/main.tf";
const STATE: &str = "states/example/alpha/one.tfstate";

struct Site {
    world: World,
    around: Around,
    recorder: Arc<Recorder>,
}

impl Site {
    fn new() -> Self {
        let world = World::new("grove");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        world.copy(&here.join("../../examples/fleet"), "fleet");
        world.write("fleet/clusters/alpha/cluster.yaml", CLUSTER);
        world.write(MODULE, ONE);
        world.write("fleet/clusters/alpha/stacks/reader/main.tf", READER);
        let now = Timestamp::UNIX_EPOCH;
        let mut around = Around::new(&world.fleet(), world.cache(), Path::new("grove"), now);
        around.variables = world.variables();
        around.tofu = Some(std::env::var_os("GROVE_TEST_TOFU").unwrap().into());
        let recorder = Arc::new(Recorder::default());
        around.listener = Arc::clone(&recorder) as Arc<_>;
        Self {
            world,
            around,
            recorder,
        }
    }

    /// With everything applied once, and a module that says something else since.
    fn changed() -> Self {
        let site = Self::new();
        let outcome = site.apply(&apply_request(&[]), Clone::clone);
        assert_eq!(outcome.failures, []);
        site.world.write(MODULE, ONE.replace("\"x\"", "\"y\""));
        site
    }

    /// Applies, with consent to what `agrees` gives of the needs of each level.
    fn apply(&self, request: &apply::Request, agrees: impl Fn(&Needs) -> Needs) -> apply::Outcome {
        let mut apply = apply::begin(&self.around, request).unwrap();
        while let Some(level) = apply.next().unwrap() {
            let consent = Consent::to(agrees(level.needs()));
            level.carry_out(&consent).unwrap();
        }
        apply.outcome()
    }

    /// A state as an apply leaves it here that could not write it; where it is.
    fn unwritten(&self) -> String {
        let state = self.world.read(STATE);
        let newer = state.replace("\"serial\":1", "\"serial\":2");
        assert_ne!(newer, state);
        let modules = self.world.files("cache");
        let module = modules
            .iter()
            .find(|file| file.ends_with("stacks/one/main.tf"))
            .unwrap();
        let file = module.replace("main.tf", "errored.tfstate");
        self.world.write(format!("cache/{file}"), newer);
        format!("cache/{file}")
    }

    /// Everything that an operation could write.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        bytes(self.world.root())
    }
}

fn selection(names: &[&str]) -> StackSelection {
    StackSelection {
        selectors: names.iter().map(|name| format!("alpha:{name}")).collect(),
        labels: Vec::new(),
        all: names.is_empty(),
    }
}

fn apply_request(names: &[&str]) -> apply::Request {
    apply::Request {
        selection: selection(names),
        ..apply::Request::default()
    }
}

fn plan_request() -> plan::Request {
    plan::Request {
        selection: selection(&["one"]),
        ..plan::Request::default()
    }
}

fn unlock_request() -> unlock::Request {
    unlock::Request {
        id: None,
        revision: None,
        stack: "alpha:one".to_owned(),
        lock: "11111111-2222-3333-4444-555555555555".to_owned(),
    }
}

#[track_caller]
fn refused<T>(result: Result<T, Error>) {
    assert_eq!(result.err().unwrap().kind, Kind::Refused);
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn what_was_not_agreed_to_leaves_fleet_cache_and_back_end_as_they_were() {
    let site = Site::changed();
    let around = &site.around;
    let out = site.world.path("handed-over");
    let verbs: [(&str, &dyn Fn()); 6] = [
        ("plan", &|| {
            let plan = plan::plan(around, &plan_request()).unwrap();
            assert_eq!(
                plan.files(),
                ["clusters/alpha/stacks/one/.terraform.lock.hcl"]
            );
            let consent = wrong(plan.needs());
            refused(plan.carry_out(&consent));
        }),
        ("apply", &|| {
            let mut apply = apply::begin(around, &apply_request(&["one"])).unwrap();
            let level = apply.next().unwrap().unwrap();
            assert!(matches!(
                level.needs().iter().next(),
                Some(Need::Apply { .. })
            ));
            let consent = wrong(level.needs());
            refused(level.carry_out(&consent));
        }),
        ("apply, agreed to by none", &|| {
            let outcome = site.apply(&apply_request(&["one"]), |_| Needs::default());
            assert_eq!(outcome.stacks, []);
            assert_eq!(outcome.failures[0].kind, Kind::Refused);
        }),
        ("renew", &|| {
            let request = renew::Request {
                selection: selection(&["one"]),
                ..renew::Request::default()
            };
            let plan = renew::plan(around, &request).unwrap();
            let consent = wrong(plan.needs());
            refused(plan.carry_out(&consent));
        }),
        ("unlock", &|| {
            let plan = unlock::plan(around, &unlock_request()).unwrap();
            let consent = wrong(plan.needs());
            refused(plan.carry_out(&consent));
        }),
        ("eject", &|| {
            let request = eject::Request {
                selection: selection(&["one"]),
                ..eject::Request::default()
            };
            let plan = eject::plan(around, &request, &out).unwrap();
            let consent = wrong(plan.needs());
            refused(plan.carry_out(&consent));
            assert!(!out.exists());
        }),
    ];
    let of_cache = |(file, _): &(String, Vec<u8>)| !file.starts_with("cache/");
    for (name, verb) in verbs {
        let before: BTreeMap<_, _> = site.bytes().into_iter().filter(of_cache).collect();
        verb();
        let after: BTreeMap<_, _> = site.bytes().into_iter().filter(of_cache).collect();
        assert!(before == after, "{name}");
        // What `init` prepares is prepared now.
        let before = site.bytes();
        verb();
        let after = site.bytes();
        let changed: Vec<_> = after
            .iter()
            .filter(|(file, text)| before.get(*file) != Some(text))
            .map(|(file, _)| file)
            .chain(before.keys().filter(|file| !after.contains_key(*file)))
            .collect();
        assert!(changed.is_empty(), "{name}: {changed:?}");
    }

    // A plan that was shown and refused is none that was seen: it needs the same again.
    let mut apply = apply::begin(around, &apply_request(&["one"])).unwrap();
    assert!(!apply.next().unwrap().unwrap().needs().is_empty());
    drop(apply);

    // Agreed to, it is kept, and then carried out without another word.
    let plan = plan::plan(around, &plan_request()).unwrap();
    let outcome = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(outcome.stacks[0].state, Standing::Planned);
    schema::holds(&outcome);
    // Another kind of plan that nobody agrees to leaves it.
    let before = site.bytes();
    let destroy = apply::Request {
        destroy: true,
        ..apply_request(&["reader"])
    };
    site.apply(&destroy, |_| Needs::default());
    assert!(before.keys().all(|file| site.bytes().contains_key(file)));
    let outcome = site.apply(&apply_request(&["one"]), |_| Needs::default());
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.stacks[0].state, Standing::Applied);
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn a_state_that_was_not_written_is_put_into_the_back_end_by_an_agreed_apply_alone() {
    let site = Site::changed();
    let around = &site.around;
    let errored = site.unwritten();
    let before = site.bytes();
    let said = "the last apply of `alpha:one` could not write its state, which is kept in ";
    let is_said = |error: &Error| error.messages.iter().any(|text| text.starts_with(said));

    let looked = drift::read(around, &drift::Request::default()).unwrap();
    let failed: Vec<_> = looked
        .failures
        .iter()
        .filter(|error| is_said(error))
        .collect();
    assert_eq!(failed.len(), 1, "{looked:?}");
    assert_eq!(
        failed[0].hints,
        ["`grove stack apply alpha:one` puts it into the back end first"]
    );
    let plan = plan::plan(around, &plan_request()).unwrap();
    let planned = plan.carry_out(&Consent::none()).unwrap();
    assert!(is_said(&planned.failures[0]), "{planned:?}");
    let renewed = renew::plan(
        around,
        &renew::Request {
            selection: selection(&["one"]),
            ..renew::Request::default()
        },
    );
    assert!(is_said(&renewed.err().unwrap()));
    // These go on, and say it.
    let warnings = || {
        let heard = site.recorder.heard();
        let warned = heard.iter().filter(|event| event["event"] == "warning");
        warned
            .filter(|event| event["text"].as_str().unwrap().starts_with(said))
            .count()
    };
    assert_eq!(warnings(), 0);
    list::read(around, &list::Request::default()).unwrap();
    assert_eq!(warnings(), 1);
    let plan = unlock::plan(around, &unlock_request()).unwrap();
    assert_eq!(warnings(), 2);
    // Nobody holds the lock.
    assert_eq!(
        plan.carry_out(&Consent::none()).unwrap_err().kind,
        Kind::Tool
    );
    let request = run::Request {
        id: None,
        revision: None,
        stack: "alpha:one".to_owned(),
    };
    let prepared = run::prepare(around, &request).unwrap();
    let mut lines = Vec::new();
    prepared
        .follow(&["state", "list"].map(str::to_owned), |line| {
            lines.push(line.to_owned());
        })
        .unwrap();
    assert_eq!(
        (lines, warnings()),
        (vec!["terraform_data.a".to_owned()], 3)
    );
    drop(prepared);

    // An apply that nobody agrees to writes it no more.
    let outcome = site.apply(&apply_request(&[]), |_| Needs::default());
    assert_eq!(
        outcome.failures[0].messages,
        ["nobody agreed to put the state of `alpha:one` that is kept here into its back end"]
    );
    let after = site.bytes();
    for file in [STATE, &errored, "fleet/clusters/alpha/outputs/one.json"] {
        assert!(before[file] == after[file], "{file}");
    }

    // Another one than was agreed to is not written.
    let mut apply = apply::begin(around, &apply_request(&["one"])).unwrap();
    let level = apply.next().unwrap().unwrap();
    assert_eq!(level.proposals(), []);
    let consent = Consent::to(level.needs().clone());
    let text = site.world.read(&errored);
    site.world.write(&errored, format!("{text}\n"));
    level.carry_out(&consent).unwrap();
    assert!(apply.next().unwrap().unwrap().proposals().is_empty());
    let outcome = apply.outcome();
    assert!(
        outcome.failures[0]
            .messages
            .iter()
            .any(|text| text.contains("is not the state any more")),
        "{outcome:?}"
    );
    site.world.write(&errored, text);

    // Agreed to, it comes first, and the plan is made on it.
    let outcome = site.apply(&apply_request(&["one"]), |needs| {
        if let Some(Need::Recover { stack, serial, .. }) = needs.iter().next() {
            assert_eq!((stack.as_str(), *serial), ("alpha:one", Some(2)));
        }
        needs.clone()
    });
    assert_eq!(outcome.failures, []);
    assert!(!site.world.path(&errored).exists());
    assert_eq!(outcome.stacks[0].serial, Some(3));
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn no_outcome_holds_a_sensitive_output() {
    let site = Site::changed();
    let request = output::Request {
        selection: selection(&["one"]),
        ..output::Request::default()
    };
    let outcome = output::read(&site.around, &request).unwrap();
    schema::holds(&outcome);
    assert_eq!(outcome.stacks["alpha:one"]["o"], "x");
    assert_eq!(outcome.stacks["alpha:one"]["s"], "(sensitive)");

    let mut around = site.around.clone();
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/fleet/example-key.txt");
    Arc::make_mut(&mut around.variables).insert("SOPS_AGE_KEY_FILE".into(), key.into());
    let values = output::open(&around, &request).unwrap();
    assert_eq!(values["s"].expose(), "\"sevenfold-secret\"");
    let several = output::Request::default();
    assert_eq!(
        output::open(&around, &several).unwrap_err().kind,
        Kind::Usage
    );
    assert_eq!(
        output::must_be_one(&around, &several).unwrap_err().kind,
        Kind::Usage
    );

    // Written anew, it is what it was; nor does that say a value.
    let file = site.world.path("fleet/clusters/alpha/outputs/one.json");
    let text = fs::read(&file).unwrap();
    let request = renew::Request {
        selection: selection(&["one"]),
        ..renew::Request::default()
    };
    let plan = renew::plan(&around, &request).unwrap();
    fs::write(&file, "{}").unwrap();
    refused(plan.carry_out(&Consent::none()));
    fs::remove_file(&file).unwrap();
    let outcome = renew::plan(&around, &request)
        .unwrap()
        .carry_out(&Consent::none())
        .unwrap();
    schema::holds(&outcome);
    assert_eq!(outcome.stacks[0].serial, 1);
    let now: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let then: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(now["outputs"]["o"], then["outputs"]["o"]);
}
