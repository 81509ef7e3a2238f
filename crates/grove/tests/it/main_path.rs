//! From a fleet to a rollback on the real Tutor and real Git repositories.

use grove_test::World;
use serde_json::Value;

use crate::{edit, example_world};

const UNI: &str = "clusters/alpha/instances/uni/instance.yaml";

fn json(world: &World, arguments: &[&str]) -> Value {
    let output = world
        .grove(arguments.iter().copied().chain(["--format", "json"]))
        .success();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}:\n{output}"))
}

fn deploy(world: &World, selection: &str, more: &[&str]) -> Value {
    let words = ["deploy", selection, "--create-remote", "--expect"];
    let count = if selection == "--all" { "5" } else { "1" };
    json(
        world,
        &words
            .into_iter()
            .chain([count])
            .chain(more.iter().copied())
            .collect::<Vec<_>>(),
    )
}

fn action<'a>(result: &'a Value, instance: &str) -> &'a str {
    result["instances"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["instance"] == instance)
        .and_then(|row| row["action"].as_str())
        .unwrap_or_else(|| panic!("no {instance} in {result}"))
}

/// The deploy branch's files that changed in its last commit.
fn changed(world: &World, cluster: &str) -> Vec<String> {
    let path = world.path(format!("deploy-{cluster}.git"));
    let branch = format!("deploy/{cluster}");
    let text = world.open(&path).git([
        "diff",
        "--name-status",
        "--no-renames",
        &format!("{branch}~1"),
        &branch,
    ]);
    text.lines().map(|line| line.replace('\t', " ")).collect()
}

fn tip(world: &World, cluster: &str) -> String {
    let path = world.path(format!("deploy-{cluster}.git"));
    world
        .open(&path)
        .git(["rev-parse", &format!("deploy/{cluster}")])
        .trim()
        .to_owned()
}

/// Takes the published key away.
fn forget_key(world: &World) {
    edit(world, "grove.yaml", "published_key: example-key.txt\n", "");
    std::fs::remove_file(world.fleet().join("example-key.txt")).unwrap();
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_fleet_becomes_releases_and_goes_back() {
    let world = example_world();

    let first = deploy(&world, "--all", &["-m", "First"]);
    for instance in [
        "alpha/uni",
        "alpha/uni-next",
        "beta/academy",
        "beta/academy-labs",
        "beta/library",
    ] {
        assert_eq!(action(&first, instance), "released", "{instance}");
    }
    let record = json(&world, &["show", "alpha/uni"])["record"].clone();
    assert_eq!(record["scan"], "full");
    assert_eq!(record["release"], 1);

    // One commit a cluster, with trailers that lead back.
    let alpha = world.path("deploy-alpha.git");
    let log = world
        .open(&alpha)
        .git(["log", "--format=%B", "deploy/alpha"]);
    let head = world.open(&world.fleet()).git(["rev-parse", "HEAD"]);
    assert!(
        log.contains(&format!("Grove-Source: {}", head.trim())),
        "{log}"
    );
    assert!(
        log.contains("Grove-Release: uni/0001") && log.contains("Grove-Release: uni-next/0001"),
        "{log}"
    );
    assert_eq!(
        world
            .open(&alpha)
            .git(["rev-list", "--count", "deploy/alpha"])
            .trim(),
        "1"
    );

    // Nothing changed: nothing is written.
    let before = (tip(&world, "alpha"), tip(&world, "beta"));
    let again = deploy(&world, "--all", &[]);
    assert_eq!(action(&again, "alpha/uni"), "unchanged");
    assert_eq!((tip(&world, "alpha"), tip(&world, "beta")), before);

    // A change of one line, shown and deployed: only its instance is written.
    edit(
        &world,
        UNI,
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: University of Examples",
    );
    let diff = world.grove(["diff", "alpha/uni"]).success().stdout;
    assert!(diff.contains("University of Examples"), "{diff}");
    world.repository(&world.fleet()).commit("Rename");
    let second = deploy(&world, "--all", &["-m", "Rename"]);
    assert_eq!(action(&second, "alpha/uni"), "released");
    assert_eq!(action(&second, "alpha/uni-next"), "unchanged");
    assert!(
        changed(&world, "alpha")
            .iter()
            .all(|line| line.contains("/uni/")),
        "{:?}",
        changed(&world, "alpha")
    );
    assert_eq!(tip(&world, "beta"), before.1);

    // Back, and held there.
    let back = json(
        &world,
        &["rollback", "alpha/uni", "-m", "The new name is wrong"],
    );
    assert_eq!((&back["to"], &back["release"]), (&1.into(), &3.into()));
    let held = world
        .grove(["deploy", "alpha/uni", "--format", "json"])
        .exits(4);
    assert!(held.stdout.contains("\"held\""), "{held}");
    let history = world.grove(["history", "alpha/uni"]).success().stdout;
    assert!(
        history.contains("rollback to 0001") && history.contains("[held: The new name is wrong]"),
        "{history}"
    );

    // Objects of release 1 and 3 differ in what is kept of the one that was left, and in no more.
    let object = |release: &str| json(&world, &["show", release, "--objects"])["objects"].clone();
    let (one, three) = (object("alpha/uni@1"), object("alpha/uni@3"));
    let (one, three) = (one.as_object().unwrap(), three.as_object().unwrap());
    for (file, object) in one {
        if object["kind"] != "Job" {
            assert_eq!(three.get(file), Some(object), "{file}");
        }
    }
    for (file, object) in three.iter().filter(|(file, _)| !one.contains_key(*file)) {
        let annotations = &object["metadata"]["annotations"];
        assert!(
            annotations["grove-platform.org/retained"] == "true"
                || annotations["grove-platform.org/left-release"] == "true",
            "{file}"
        );
    }

    // A change of source ends the hold.
    edit(
        &world,
        UNI,
        "University of Examples",
        "Example University, again",
    );
    world.repository(&world.fleet()).commit("Another name");
    assert_eq!(
        action(&deploy(&world, "alpha/uni", &[]), "alpha/uni"),
        "released"
    );
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn no_key_is_needed_where_no_value_changed_and_a_rotation_restarts_its_readers_alone() {
    let world = example_world();
    deploy(&world, "alpha/uni", &[]);

    // Without any key on this machine.
    let key = world.read("fleet/example-key.txt");
    forget_key(&world);
    edit(
        &world,
        UNI,
        "SESSION_COOKIE_AGE: 1209600",
        "SESSION_COOKIE_AGE: 604800",
    );
    world
        .repository(&world.fleet())
        .commit("A shorter session, and no key");
    assert_eq!(
        action(&deploy(&world, "alpha/uni", &[]), "alpha/uni"),
        "released"
    );
    assert_eq!(
        json(&world, &["show", "alpha/uni"])["record"]["scan"],
        "pattern"
    );

    // A rotated value needs the key …
    world.write("key.txt", &key);
    let rotate = |world: &World| {
        world
            .command(["secret", "set", "alpha/uni", "SMTP_PASSWORD"])
            .set("SOPS_AGE_KEY_FILE", world.path("key.txt"))
            .stdin("another-Value-4u")
            .run()
            .success()
    };
    let _ = rotate(&world);
    world
        .repository(&world.fleet())
        .commit("Rotate the mail password");
    let refused = world.grove(["deploy", "alpha/uni"]).exits(1);
    assert!(refused.stderr.contains("secrets.sops.yaml"), "{refused}");
    // … and changes just the objects that hold it, and just the pods that read those.
    let output = world
        .command(["deploy", "alpha/uni", "--format", "json"])
        .set("SOPS_AGE_KEY_FILE", world.path("key.txt"))
        .run()
        .success();
    let result: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        result["instances"][0]["secrets"],
        serde_json::json!(["SMTP_PASSWORD"])
    );
    let touched = changed(&world, "alpha");
    let deployments: Vec<&str> = touched
        .iter()
        .filter_map(|line| line.strip_prefix("M instances/uni/deployment-"))
        .collect();
    assert_eq!(
        deployments,
        ["cms-worker.yaml", "cms.yaml", "lms-worker.yaml", "lms.yaml"]
    );
    let sealed: Vec<&String> = touched
        .iter()
        .filter(|line| line.contains("sealedsecret-"))
        .collect();
    assert!(
        sealed
            .iter()
            .all(|line| line.contains("openedx-config") || line.contains("openedx-settings")),
        "{sealed:?}"
    );
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_deploy_keeps_to_the_order_of_its_sources() {
    let world = example_world();
    let upstream = world.bare_repository("upstream.git");
    let fleet = world.fleet();
    let repository = world.open(&fleet);
    let _ = repository.git(["remote", "add", "origin", &upstream.display().to_string()]);
    let _ = repository.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    let old = repository.git(["rev-parse", "HEAD"]);

    // A commit that nobody else has is not deployed.
    edit(
        &world,
        UNI,
        "SESSION_COOKIE_AGE: 1209600",
        "SESSION_COOKIE_AGE: 604800",
    );
    world.repository(&fleet).commit("A shorter session");
    let unpublished = world
        .grove(["deploy", "alpha/uni", "--create-remote"])
        .exits(4);
    assert!(
        unpublished.stderr.contains("is not on origin/main"),
        "{unpublished}"
    );
    let _ = repository.git(["push", "--quiet"]);
    deploy(&world, "alpha/uni", &[]);

    // Nor is one that is older than what runs.
    let stale = world
        .grove(["--rev", old.trim(), "deploy", "alpha/uni"])
        .exits(4);
    assert!(stale.stderr.contains("does not descend"), "{stale}");
    assert!(stale.stderr.contains(&old[..12]), "{stale}");
    let _ = world
        .grove(["--rev", old.trim(), "deploy", "alpha/uni", "--allow-older"])
        .success();

    // Nor are changes that are in no commit, unless that is said, and never in production.
    edit(
        &world,
        UNI,
        "SESSION_COOKIE_AGE: 604800",
        "SESSION_COOKIE_AGE: 86400",
    );
    let dirty = world.grove(["deploy", "alpha/uni"]).exits(4);
    assert!(dirty.stderr.contains("instance.yaml"), "{dirty}");
    let _ = world
        .grove(["deploy", "alpha/uni", "--local", "--allow-older"])
        .success();
    assert_eq!(
        json(&world, &["show", "alpha/uni"])["record"]["source"]["local"],
        true
    );
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_branch_that_is_gone_is_begun_with_consent_alone() {
    let world = example_world();
    deploy(&world, "alpha/uni", &[]);
    let last = tip(&world, "alpha");
    let path = world.path("deploy-alpha.git");
    let remote = world.open(&path);
    let _ = remote.git(["update-ref", "-d", "refs/heads/deploy/alpha"]);
    let words = ["deploy", "alpha/uni", "--create-remote"];
    let refused = world.grove(words).exits(4);
    for word in [&last, "--first-release", "push --force"] {
        assert!(refused.stderr.contains(word), "{word}: {refused}");
    }
    let shown = world.grove(["deploy", "alpha/uni", "--dry-run"]).success();
    assert!(shown.stderr.contains(&last), "{shown}");
    let shown = world.grove(["diff", "alpha/uni"]);
    assert!(shown.stderr.contains(&last), "{shown}");
    assert_eq!(remote.git(["for-each-ref", "refs/heads"]), "");
    let result = deploy(&world, "alpha/uni", &["--first-release"]);
    assert_eq!(result["instances"][0]["release"], 1, "{result}");
    assert!(remote.git(["for-each-ref"]).contains(&last));

    // Where a push failed, it is not said that nothing changed.
    world.write("deploy-alpha.git/hooks/pre-receive", "#!/bin/sh\nexit 1\n");
    let hook = path.join("hooks/pre-receive").display().to_string();
    let made = world.program("chmod").args(["+x", &hook]).output().unwrap();
    assert!(made.status.success());
    edit(
        &world,
        UNI,
        "SESSION_COOKIE_AGE: 1209600",
        "SESSION_COOKIE_AGE: 2",
    );
    world.repository(&world.fleet()).commit("A shorter session");
    let failed = world.grove(["deploy", "alpha/uni"]).exits(3);
    assert!(failed.stderr.contains("rejected"), "{failed}");
    assert!(!failed.stderr.contains("nothing changed"), "{failed}");
    std::fs::remove_file(hook).unwrap();

    // Another cluster in a repository that is there.
    let shared = format!("../{}", path.file_name().unwrap().to_str().unwrap());
    let words = ["deploy", "beta/library", "--deploy-remote", &shared];
    let refused = world.grove(words).exits(4);
    assert!(refused.stderr.contains("--first-release"), "{refused}");
    let words = [&words[..], &["--first-release"]].concat();
    let _ = world.grove(words).success();
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn what_would_be_lost_is_counted_first() {
    let world = example_world();
    deploy(&world, "alpha/uni", &[]);
    edit(
        &world,
        UNI,
        "domains:\n  courses.uni.example: {service: lms}\n",
        "",
    );
    world.repository(&world.fleet()).commit("Give a name up");
    let before = tip(&world, "alpha");
    let refused = world.grove(["deploy", "alpha/uni"]).exits(4);
    assert!(refused.stderr.contains("courses.uni.example"), "{refused}");
    assert_eq!(tip(&world, "alpha"), before);
    let count = refused.stderr.split("--confirm-deletes ").nth(1).unwrap();
    let count: String = count.chars().take_while(char::is_ascii_digit).collect();
    let _ = world
        .grove(["deploy", "alpha/uni", "--confirm-deletes", &count])
        .success();
    assert_ne!(tip(&world, "alpha"), before);
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn the_rendered_tree_is_the_same_at_any_parallelism_and_from_any_place() {
    let world = example_world();
    let render = |out: &str, threads: &str, cache: &[&str]| {
        let path = world.path(out).display().to_string();
        let words = ["render", "--out", &path]
            .into_iter()
            .chain(cache.iter().copied());
        let _ = world
            .command(words)
            .set("RAYON_NUM_THREADS", threads)
            .run()
            .success();
        world
            .files(out)
            .into_iter()
            .map(|file| (file.clone(), world.read(format!("{out}/{file}"))))
            .collect::<Vec<_>>()
    };
    let one = render("one", "1", &["--no-cache"]);
    assert!(one.len() > 100, "{}", one.len());
    assert_eq!(render("four", "4", &["--no-cache"]), one);
    // What was kept is what would be rendered.
    render("kept", "2", &[]);
    assert_eq!(render("again", "2", &[]), one);
    // No secret is needed for any of it.
    forget_key(&world);
    assert_eq!(render("without-key", "2", &["--no-cache"]), one);
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn what_rollbacks_left_does_not_come_back_by_itself() {
    let world = example_world();
    let change = |from: &str, to: &str| {
        edit(&world, UNI, from, to);
        world.repository(&world.fleet()).commit(to);
    };
    deploy(&world, "alpha/uni", &[]);
    change("SESSION_COOKIE_AGE: 1209600", "SESSION_COOKIE_AGE: 2");
    deploy(&world, "alpha/uni", &[]);
    // The third brings a plugin that needs secrets of its own.
    edit(
        &world,
        UNI,
        "plugins: {forum: {}",
        "plugins: {notes: {}, forum: {}",
    );
    edit(
        &world,
        UNI,
        "  meilisearch: ",
        "  notes: notes.learn.uni.example\n  meilisearch: ",
    );
    let _ = world.grove(["secret", "generate", "alpha/uni"]).success();
    world.repository(&world.fleet()).commit("Notes");
    deploy(&world, "alpha/uni", &[]);

    // Twice back, each to the release before; nothing of it needs a key.
    let back = |words: &[&str], to: u64| {
        let words = [&["rollback", "alpha/uni"], words].concat();
        let result = json(&world, &words);
        assert_eq!(result["to"], to, "{result}");
        result["repeated"] == true
    };
    assert!(!back(&[], 2));
    // The same once more does not go further.
    let before = tip(&world, "alpha");
    let refused = world.grove(["rollback", "alpha/uni"]).exits(4);
    for word in ["0003", "0002", "--to 1", "--from 3"] {
        assert!(refused.stderr.contains(word), "{word}: {refused}");
    }
    assert!(back(&["--from", "3"], 2));
    assert!(back(&["--to", "2"], 2));
    assert_eq!(tip(&world, "alpha"), before);
    assert!(!back(&["--from", "4"], 1));
    let held = |why: &str| {
        let output = world
            .grove(["deploy", "alpha/uni", "--format", "json"])
            .exits(4);
        assert!(output.stdout.contains("\"held\""), "{why}: {output}");
    };
    held("what the first of two rollbacks left");
    // A rotation is no reason to ship it either.
    let _ = world
        .command(["secret", "set", "group:uni", "SMTP_PASSWORD"])
        .stdin("another-Value-4u")
        .run()
        .success();
    world.repository(&world.fleet()).commit("Rotate");
    held("a rotated secret");

    // A hold by hand outlives a rollback and a change.
    let _ = world
        .grove(["hold", "alpha/uni", "-m", "exam week"])
        .success();
    let _ = world
        .grove(["rollback", "alpha/uni", "--to", "2"])
        .success();
    change("SESSION_COOKIE_AGE: 2", "SESSION_COOKIE_AGE: 3");
    held("a hold by hand");
    let _ = world.grove(["unhold", "alpha/uni"]).success();
    assert_eq!(
        action(&deploy(&world, "alpha/uni", &[]), "alpha/uni"),
        "released"
    );
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_rollback_from_a_stale_checkout_keeps_the_rotated_value() {
    let world = example_world();
    deploy(&world, "alpha/uni", &[]);
    let old = world.open(&world.fleet()).git(["rev-parse", "HEAD"]);
    let _ = world
        .command(["secret", "set", "alpha/uni", "MYSQL_ROOT_PASSWORD"])
        .stdin("another-Value-4u")
        .run()
        .success();
    world.repository(&world.fleet()).commit("Rotate");
    deploy(&world, "alpha/uni", &[]);
    let sealed = |world: &World| {
        let path = world.path("deploy-alpha.git");
        world
            .open(&path)
            .git(["show", "deploy/alpha:releases/uni/sealed.yaml"])
    };
    let today = sealed(&world);
    let _ = world
        .grove(["--rev", old.trim(), "rollback", "alpha/uni"])
        .success();
    assert_eq!(sealed(&world), today);
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_file_encrypted_anew_is_noted_once_and_needs_no_key_after_that() {
    let world = example_world();
    deploy(&world, "alpha/uni", &[]);
    let set = |value: &str| {
        let _ = world
            .command(["secret", "set", "group:uni", "SMTP_PASSWORD"])
            .stdin(value)
            .run()
            .success();
    };
    let value = world
        .grove(["secret", "show", "alpha/uni", "SMTP_PASSWORD"])
        .success()
        .stdout;
    set("something-Else-7");
    set(value.trim_end());
    world
        .repository(&world.fleet())
        .commit("The same value, encrypted anew");
    assert_eq!(
        action(&deploy(&world, "alpha/uni", &[]), "alpha/uni"),
        "unchanged"
    );
    forget_key(&world);
    world.repository(&world.fleet()).commit("No key");
    assert_eq!(
        action(&deploy(&world, "alpha/uni", &[]), "alpha/uni"),
        "unchanged"
    );
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn a_rollback_to_an_older_open_edx_is_refused_until_the_risk_is_accepted() {
    let world = example_world();
    let library = "clusters/beta/instances/library/instance.yaml";
    deploy(&world, "beta/library", &[]);
    edit(
        &world,
        library,
        "environment: staging",
        "environment: staging\nring: canary",
    );
    world
        .repository(&world.fleet())
        .commit("From Tutor 21 to 22");
    deploy(&world, "beta/library", &[]);
    let before = tip(&world, "beta");
    let refused = world.grove(["rollback", "beta/library"]).exits(4);
    assert!(
        refused.stderr.contains("openedx: verawood → ulmo"),
        "{refused}"
    );
    assert!(refused.stderr.contains("--accept-data-risk"), "{refused}");
    assert_eq!(tip(&world, "beta"), before);
    let _ = world
        .grove(["rollback", "beta/library", "--accept-data-risk"])
        .success();
    assert_ne!(tip(&world, "beta"), before);
}
