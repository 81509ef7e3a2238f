//! Deploy branches that are gone, and many who write to one at once. Their releases are made by hand, so that
//! nothing is rendered.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use grove_release::{
    Author, Changes, DeployBranch, DistributionRef, Draft, Git, Id, InitTasks, Message, Objects,
    Origin, Record, Release, Remote, Scan, refuse,
};
use grove_test::World;

use crate::{GROVE, example_world};

const BRANCH: &str = "refs/heads/deploy/alpha";
const MARK: &str = "refs/grove/alpha";

/// A world where these instances of `alpha` were released once.
fn released(names: &[String]) -> World {
    let world = World::new(GROVE);
    let shared = example_world();
    world.copy(&shared.fleet(), "fleet");
    world.bare_repository("deploy-alpha.git");
    let mut changes = Changes::default();
    for name in names {
        let object = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
        });
        let record = Record {
            version: 1,
            instance: name.clone(),
            release: 1,
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            author: "Ada <ada@acme.example>".to_owned(),
            message: None,
            source: Origin {
                commit: None,
                local: true,
            },
            operational: None,
            tree: Id::empty_tree(),
            apps: None,
            identity: None,
            distribution: DistributionRef {
                input: String::new(),
                name: "verawood-1".to_owned(),
                lock: "sha256:0".to_owned(),
            },
            images: [].into(),
            secrets: [].into(),
            scan: Scan::Full,
            marks: [].into(),
            init_pending: false,
            init: InitTasks::default(),
            rollback_of: None,
            request: None,
            grove: "0.1.0".to_owned(),
        };
        changes
            .release(Release {
                record,
                objects: Objects::from([("configmap-settings.yaml".to_owned(), object)]),
                apps: Objects::new(),
                sealed: Some(serde_json::json!({"version": 1})),
            })
            .unwrap();
    }
    let draft = Draft {
        changes,
        message: Message {
            subject: "By hand".to_owned(),
            grove: "0.1.0".to_owned(),
            ..Message::default()
        },
        author: Author {
            name: "Ada".to_owned(),
            email: "ada@acme.example".to_owned(),
        },
        time: "2026-01-02T03:04:05Z".parse().unwrap(),
    };
    let remote = Remote::parse("deploy-alpha.git", world.root()).unwrap();
    let mut branch =
        DeployBranch::open(&Git::default(), &remote, "alpha", &world.path("elsewhere")).unwrap();
    let _ = branch.commit(draft, refuse).unwrap();
    world
}

fn in_remote(world: &World, words: &[&str]) -> String {
    let path = world.path("deploy-alpha.git");
    world.open(&path).git(words.iter().copied())
}

#[test]
fn fifty_holds_at_once_on_two_machines_all_have_their_turn() {
    let names: Vec<String> = (0..50).map(|number| format!("s{number:02}")).collect();
    let world = released(&names);
    for name in &names {
        let to = format!("fleet/clusters/alpha/instances/{name}");
        world.copy(&world.path("fleet/clusters/alpha/instances/uni"), to);
    }
    world.unset("GROVE_TEST_NOW");
    let mut holds = Vec::new();
    for (number, name) in names.iter().enumerate() {
        // Each machine has a cache of its own.
        let cache = world.path(format!("cache-{}", number % 2));
        let begun = Instant::now();
        let hold = world
            .process(GROVE)
            .args(["hold", &format!("alpha/{name}"), "-m", "The exam week"])
            .env("GROVE_CACHE_DIR", cache)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        holds.push((begun, hold));
    }
    let mut times: Vec<Duration> = Vec::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = holds
            .into_iter()
            .map(|(begun, hold)| {
                scope.spawn(move || {
                    let output = hold.wait_with_output().unwrap();
                    (begun.elapsed(), output)
                })
            })
            .collect();
        for one in all {
            let (time, output) = one.join().unwrap();
            assert!(output.status.success(), "{output:?}");
            times.push(time);
        }
    });
    times.sort();
    println!(
        "50 holds: median {:.1?}, p99 {:.1?}, longest {:.1?}",
        times[25], times[48], times[49]
    );
    assert_eq!(in_remote(&world, &["rev-list", "--count", BRANCH]), "51");
    assert_eq!(
        in_remote(&world, &["rev-parse", MARK]),
        in_remote(&world, &["rev-parse", BRANCH])
    );
    let tree = in_remote(&world, &["ls-tree", "-r", "--name-only", BRANCH]);
    assert_eq!(tree.matches("/hold.yaml").count(), 50);
}

#[test]
fn two_who_hold_the_same_at_once_are_both_right() {
    let world = released(&["uni".to_owned()]);
    let holds: Vec<_> = (0..8)
        .map(|number| {
            world
                .process(GROVE)
                .args(["hold", "alpha/uni", "-m", &format!("Reason {number}")])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut said = Vec::new();
    for hold in holds {
        let output = hold.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        said.push(String::from_utf8(output.stdout).unwrap());
    }
    let count = |words: &str| said.iter().filter(|said| said.contains(words)).count();
    assert_eq!((count("held at 0001"), count("is held already")), (1, 7));
    assert_eq!(in_remote(&world, &["rev-list", "--count", BRANCH]), "2");
}

#[test]
fn what_is_gone_is_said_by_all_and_written_to_by_none() {
    let world = released(&["uni".to_owned()]);
    let last = in_remote(&world, &["rev-parse", BRANCH]);
    let _ = in_remote(&world, &["update-ref", "-d", BRANCH]);
    for words in [
        &["hold", "alpha/uni", "-m", "x"][..],
        &["unhold", "alpha/uni"],
        &["rollback", "alpha/uni"],
        &["cluster", "rollback", "alpha"],
        &["init", "retry", "alpha/uni", "lms-migrate"],
    ] {
        let output = world.grove(words).exits(4);
        assert!(output.stderr.contains(&last), "{words:?}: {output}");
        assert!(
            output.stderr.contains("push --force"),
            "{words:?}: {output}"
        );
    }
    assert_eq!(in_remote(&world, &["for-each-ref", BRANCH]), "");
    for words in [&["history", "alpha/uni"][..], &["status", "alpha/uni"]] {
        let output = world.grove(words);
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(all.contains("is gone from"), "{words:?}: {output}");
    }
    // The command of the hint brings it back.
    let output = world.grove(["hold", "alpha/uni", "-m", "x"]);
    let hint = output.stderr.split("hint: `").nth(1).unwrap();
    let command = hint.split('`').next().unwrap();
    let ran = world.process("sh").args(["-c", command]).output().unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    assert_eq!(in_remote(&world, &["rev-parse", BRANCH]), last);
    let _ = world.grove(["hold", "alpha/uni", "-m", "x"]).success();

    // Forced back: both commits.
    let newest = in_remote(&world, &["rev-parse", BRANCH]);
    let _ = in_remote(&world, &["update-ref", BRANCH, &last]);
    let output = world.grove(["unhold", "alpha/uni"]).exits(4);
    assert!(output.stderr.contains(&last), "{output}");
    assert!(output.stderr.contains(&newest), "{output}");
    let output = world.grove(["history", "alpha/uni"]).success();
    assert!(output.stdout.contains("0001"), "{output}");
    assert!(output.stderr.contains(&newest), "{output}");
}
