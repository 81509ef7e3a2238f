//! The same request again: of verbs that write to the fleet's files, on a fleet of this machine.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use grove_operations::{
    Around, Clock, Kind, Recorder, Result,
    consent::Consent,
    fleet::new::{self, cluster, distribution, fleet, group, instance},
    request::Target,
    secrets::{remove, rotate, sealing_key, set},
};
use grove_seal::Secret;
use jiff::{Span, Timestamp};
use serde_json::{Value, json, to_value};
use tempfile::TempDir;

use grove_example::id;

/// A clock that looks what is kept of requests whenever it is asked: between what a verb writes and that it is
/// written down it is asked last.
struct Watching {
    requests: PathBuf,
    begun: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

impl Clock for Watching {
    fn now(&self) -> Timestamp {
        for (path, bytes) in bytes(&self.requests) {
            if String::from_utf8_lossy(&bytes).contains(r#""progress":{"begun""#) {
                self.begun.lock().unwrap().insert(path, bytes);
            }
        }
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// A directory with a fleet, a cache and a home.
struct Machine {
    directory: TempDir,
    clock: Arc<Watching>,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("fleet")).unwrap();
        Self {
            clock: Arc::new(Watching {
                requests: directory.path().join("cache/requests"),
                begun: Mutex::default(),
            }),
            directory,
        }
    }

    fn fleet(&self) -> PathBuf {
        self.directory.path().join("fleet")
    }

    fn around(&self) -> Around {
        let here = self.directory.path();
        let nowhere = Path::new("/nonexistent");
        Around {
            clock: Arc::clone(&self.clock) as Arc<_>,
            home: Some(here.to_owned()),
            user: "ada".to_owned(),
            ..Around::new(
                &self.fleet(),
                &here.join("cache"),
                nowhere,
                Timestamp::UNIX_EPOCH,
            )
        }
    }

    /// What is said while something is done.
    fn said<T>(&self, work: impl FnOnce(&Around) -> T) -> (T, String) {
        let recorder = Arc::new(Recorder::default());
        let around = Around {
            listener: Arc::clone(&recorder) as Arc<_>,
            ..self.around()
        };
        let done = work(&around);
        (done, serde_json::to_string(&recorder.heard()).unwrap())
    }

    /// What is kept of the request that was carried out last.
    fn kept(&self) -> PathBuf {
        let mut files: Vec<PathBuf> = bytes(&self.clock.requests).into_keys().collect();
        files.sort_by_key(|path| fs::metadata(path).unwrap().ino_time());
        files.pop().unwrap()
    }

    /// As if it had been killed before it could say that it was over.
    fn kill(&self, kept: &Path) {
        match self.clock.begun.lock().unwrap().get(kept) {
            Some(begun) => fs::write(kept, begun).unwrap(),
            None => fs::remove_file(kept).unwrap(),
        }
    }
}

trait Age {
    /// Records have the time of the clock; this is when the file was made.
    fn ino_time(&self) -> (i64, i64);
}

impl Age for fs::Metadata {
    fn ino_time(&self) -> (i64, i64) {
        use std::os::unix::fs::MetadataExt as _;
        (self.ctime(), self.ctime_nsec())
    }
}

/// Every file below a directory.
fn bytes(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            found.insert(path, bytes);
        }
    }
    found.retain(|path, _| path.extension().is_none_or(|extension| extension != "lock"));
    found
}

/// Carries a request out; the second one is another, of the same name.
type Run = fn(&Around, Option<&str>, bool) -> Result<Value>;

macro_rules! run {
    ($verb:ident, $one:tt, $other:tt $(, $more:expr)*) => {
        |around, name, is_other| {
            let mut said = if is_other { json!($other) } else { json!($one) };
            said["id"] = name.into();
            let request: $verb::Request = serde_json::from_value(said).unwrap();
            let plan = $verb::plan(around, &request $(, $more)*)?;
            let consent = Consent::to(plan.needs().clone());
            Ok(to_value(plan.carry_out(&consent)?).unwrap())
        }
    };
}

const INSTANCE: &str = "gamma/uni";

fn set_value(around: &Around, name: Option<&str>, is_other: bool) -> Result<Value> {
    let secret = if is_other {
        "OTHER"
    } else {
        "OPENEDX_MYSQL_PASSWORD"
    };
    let request = set::Request {
        id: name.map(id),
        owner: INSTANCE.to_owned(),
        name: secret.to_owned(),
        cluster_only: false,
    };
    let plan = set::plan(around, &request)?;
    let outcome = plan.carry_out(&Consent::none(), Secret::from("a-password"))?;
    Ok(to_value(outcome).unwrap())
}

fn new_fleet(around: &Around, name: Option<&str>, is_other: bool) -> Result<Value> {
    let request = fleet::Request {
        id: name.map(id),
        name: Some(if is_other { "other" } else { "acme" }.to_owned()),
        deploy_remote: "../{cluster}.git".to_owned(),
        recipients: Vec::new(),
    };
    let plan = fleet::plan(around, &request, around.fleet()?)?;
    Ok(to_value(plan.carry_out(&Consent::none())?).unwrap())
}

/// Every verb that writes to the fleet's files and needs neither Tutor nor the network, in an order in which a
/// fleet is made; and whether what it writes by itself is the same each time.
const VERBS: [(&str, bool, Run); 10] = [
    ("new fleet", true, new_fleet),
    (
        "new distribution",
        true,
        run!(distribution, {"name": "one", "release": "ulmo", "tutor": "21.0.8", "plugins": []},
            {"name": "two", "release": "ulmo", "tutor": "21.0.8", "plugins": []}),
    ),
    (
        "new cluster",
        true,
        run!(cluster, {"name": "gamma"}, {"name": "delta"}, Vec::new()),
    ),
    (
        "new group",
        true,
        run!(group, {"name": "unis"}, {"name": "schools"}),
    ),
    (
        "new instance",
        true,
        run!(instance,
            {"instance": "gamma/uni", "environment": "staging", "distribution": "one",
             "host": "uni.acme.example", "platform_name": "University"},
            {"instance": "gamma/school", "environment": "staging", "distribution": "one",
             "host": "school.acme.example", "platform_name": "School"}),
    ),
    // The value is encrypted anew.
    ("secret set", false, set_value),
    // The user gets a name among the secrets, then a second user.
    (
        "secret rotate",
        true,
        run!(rotate, {"target": {"selection": {"selectors": ["gamma/uni"]}},
                "step": {"begin": {"names": ["OPENEDX_MYSQL_PASSWORD"]}}},
            {"target": {"selection": {"selectors": ["gamma/uni"]}},
                "step": {"begin": {"names": ["MYSQL_ROOT_PASSWORD"]}}}),
    ),
    (
        "secret rotate once more",
        true,
        run!(rotate, {"target": {"selection": {"selectors": ["gamma/uni"]}},
                "step": {"begin": {"names": ["OPENEDX_MYSQL_PASSWORD"]}}},
            {"target": {"selection": {"selectors": ["gamma/uni"]}},
                "step": {"finish": {"names": [], "wait": null}}}),
    ),
    (
        "secret remove",
        true,
        run!(remove, {"owner": "gamma/uni", "name": "OPENEDX_MYSQL_PASSWORD"},
            {"owner": "gamma/uni", "name": "OTHER"}),
    ),
    (
        "seal rotate",
        true,
        run!(sealing_key, {"cluster": "gamma"}, {"cluster": "delta"}),
    ),
];

#[test]
fn the_same_again_changes_nothing_and_gives_the_first_outcome() {
    let machine = Machine::new();
    let around = machine.around();
    for (number, (verb, is_same, run)) in VERBS.into_iter().enumerate() {
        let name = format!("night-{number}");
        let (name, before) = (Some(name.as_str()), bytes(&machine.fleet()));
        // Two at once: one does it, the other waits.
        let [first, second] = thread::scope(|scope| {
            [(); 2]
                .map(|()| scope.spawn(|| run(&machine.around(), name, false)))
                .map(|thread| thread.join().unwrap())
        });
        let first = first.unwrap_or_else(|error| panic!("{verb}: {error}"));
        let second = second.unwrap_or_else(|error| panic!("{verb}: {error}"));
        assert_eq!(first, second, "{verb}");
        let after = bytes(&machine.fleet());
        assert_ne!(before, after, "{verb}");
        let kept = machine.kept();

        let (again, heard) = machine.said(|around| run(around, name, false));
        assert_eq!(again.unwrap(), first, "{verb}");
        assert!(bytes(&machine.fleet()) == after, "{verb}");
        let said = "was carried out at 2026-01-02T03:04:05Z by ada";
        assert!(heard.contains(said), "{verb}: {heard}");

        let other = run(&around, name, true).unwrap_err();
        assert_eq!(other.kind, Kind::Refused, "{verb}: {other}");
        assert!(other.to_string().contains("did something else"), "{other}");
        let elsewhere = VERBS[(number + 5) % VERBS.len()].2;
        let other = elsewhere(&around, name, false).unwrap_err();
        assert_eq!(other.kind, Kind::Refused, "{verb}: {other}");
        assert!(bytes(&machine.fleet()) == after, "{verb}");

        machine.kill(&kept);
        let repeated = run(&around, name, false);
        let repeated = repeated.unwrap_or_else(|error| panic!("{verb}: {error}"));
        assert_eq!(repeated, first, "{verb}");
        if is_same {
            assert!(bytes(&machine.fleet()) == after, "{verb}");
        }
    }
    let kept = bytes(&machine.clock.requests);
    assert_eq!(kept.len(), VERBS.len());
    for text in kept.values() {
        assert!(!String::from_utf8_lossy(text).contains("a-password"));
    }
    // Without a name nothing is kept.
    set_value(&around, None, false).unwrap();
    assert_eq!(bytes(&machine.clock.requests).len(), kept.len());
}

fn group_of(around: &Around, name: &str) -> Result<new::Outcome> {
    let request = group::Request {
        id: Some(id(name)),
        name: name.to_owned(),
    };
    group::plan(around, &request)?.carry_out(&Consent::none())
}

#[test]
fn a_rotation_that_failed_goes_on_where_it_was() {
    let machine = Machine::new();
    let around = machine.around();
    for (name, (_, _, run)) in ["a", "b", "c", "d", "e"].into_iter().zip(VERBS) {
        run(&around, Some(name), false).unwrap();
    }
    let (_, _, new_instance) = VERBS[4];
    new_instance(&around, None, true).unwrap();
    let names = ["OPENEDX_MYSQL_PASSWORD", "OPENEDX_MYSQL_USERNAME"];
    for owner in ["gamma/school", INSTANCE] {
        for name in names {
            let request = set::Request {
                id: None,
                owner: owner.to_owned(),
                name: name.to_owned(),
                cluster_only: false,
            };
            let plan = set::plan(&around, &request).unwrap();
            plan.carry_out(&Consent::none(), Secret::from("openedx"))
                .unwrap();
        }
    }
    let request = rotate::Request {
        id: Some(id("rotate-1")),
        target: Target::of("gamma/*"),
        step: rotate::Step::Begin {
            names: vec![names[0].to_owned()],
        },
    };
    let file = |instance: &str| {
        let place = format!("clusters/gamma/instances/{instance}/secrets.sops.yaml");
        machine.fleet().join(place)
    };
    let plan = rotate::plan(&around, &request).unwrap();
    // Somebody else edits the second file meanwhile.
    let mut edited = fs::read(file("uni")).unwrap();
    edited.extend(b"# edited\n");
    fs::write(file("uni"), edited).unwrap();
    let first = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(first.rotated.len(), 1);
    assert_eq!(first.failure.unwrap().kind, Kind::Refused);
    let rotated = fs::read(file("school")).unwrap();

    let plan = rotate::plan(&around, &request).unwrap();
    let second = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(second.failure, None);
    assert_eq!(second.rotated[0], first.rotated[0]);
    assert_eq!(second.rotated[1].instance, INSTANCE);
    assert_eq!(fs::read(file("school")).unwrap(), rotated);

    let after = bytes(&machine.fleet());
    let plan = rotate::plan(&around, &request).unwrap();
    let third = plan.carry_out(&Consent::none()).unwrap();
    assert_eq!(third.rotated, second.rotated);
    assert!(bytes(&machine.fleet()) == after);
}

#[test]
fn what_is_old_is_swept_and_what_is_broken_is_not_trusted() {
    let machine = Machine::new();
    let around = machine.around();
    new_fleet(&around, None, false).unwrap();
    group_of(&around, "one").unwrap();
    let kept = machine.kept();
    let written = fs::metadata(&kept).unwrap().modified().unwrap();
    let mut broken = fs::read(&kept).unwrap();
    let last = broken.iter().rposition(|byte| *byte == b'o').unwrap();
    broken[last] = b'a';
    fs::write(&kept, broken).unwrap();
    let file = fs::File::options().write(true).open(&kept).unwrap();
    file.set_modified(written).unwrap();
    // It is looked at anew, and is there.
    let (again, heard) = machine.said(|around| group_of(around, "one"));
    assert_eq!(again.unwrap_err().kind, Kind::Refused);
    assert!(
        heard.contains("is not as it was written and is ignored"),
        "{heard}"
    );

    let after = |days: i64| {
        let then: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        Around {
            clock: Arc::new(then + Span::new().hours(days * 24)),
            ..machine.around()
        }
    };
    group_of(&after(29), "two").unwrap();
    assert!(kept.exists());
    group_of(&after(31), "three").unwrap();
    assert!(!kept.exists());
    assert_eq!(bytes(&machine.clock.requests).len(), 2);
}
