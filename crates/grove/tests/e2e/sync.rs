//! Releases that do not become healthy, and the way back at night.

use std::{path::Path, time::Instant};

use serde_json::Value;

use crate::{GROVE, Site};

/// A plugin of the instance that changes its LMS or gives it one more init task.
fn breaker(site: &Site, what: &str) {
    let text = match what {
        "unready" | "crash" => format!(
            "from tutor import hooks\n\
             hooks.Filters.ENV_PATCHES.add_item((\"k8s-override\", \"\"\"\n\
             apiVersion: apps/v1\n\
             kind: Deployment\n\
             metadata:\n  name: lms\n\
             spec:\n  template:\n    spec:\n      containers:\n      - name: lms\n        env:\n        - name: MARK\n          value: simulate-{what}\n\
             \"\"\"))\n"
        ),
        _ => format!(
            "from tutor import hooks\n\
             hooks.Filters.CLI_DO_INIT_TASKS.add_item((\"lms\", \"echo simulate-{what}\"))\n"
        ),
    };
    site.world.write(
        "fleet/clusters/alpha/instances/uni-next/plugins/breaker.py",
        text,
    );
    let file = "clusters/alpha/instances/uni-next/instance.yaml";
    if !site.world.read(format!("fleet/{file}")).contains("breaker") {
        site.edit(
            file,
            "{announcement: {}}",
            "{announcement: {}, breaker: {}}",
        );
    }
    site.commit(&format!("Break it: {what}"));
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn rollback_leaves_every_kind_of_bad_release_at_once() {
    let site = Site::bootstrapped(&["alpha"]);
    site.deploy("alpha/uni-next", &[]);
    there_and_back_without_grove(&site);
    let served = pods(&site);

    // A Job gives up after its retries, each later than the last; the others never end.
    for (what, seconds, code, reason) in [
        ("unready", "20", 6, "runs and is not ready"),
        ("crash", "20", 6, "CrashLoopBackOff"),
        ("hang", "20", 6, "waiting for"),
        ("fail", "180", 5, "exit code 1"),
    ] {
        breaker(&site, what);
        let output = site.world.grove([
            "deploy",
            "alpha/uni-next",
            "--wait",
            "--timeout",
            seconds,
            "-m",
            what,
        ]);
        assert_eq!(output.code, Some(code), "{what}: {output}");
        assert!(output.stderr.contains(reason), "{what}: {output}");
        if what == "fail" {
            assert!(
                output.stderr.contains("Unknown column 'simulated'"),
                "{output}"
            );
        }
        if matches!(what, "hang" | "fail") {
            // The pods of the release before serve on.
            assert_eq!(pods(&site), served, "{what}");
        }
        let begun = Instant::now();
        let back = site.json(&["rollback", "alpha/uni-next", "--wait", "--timeout", "60"]);
        let synced = back["waits"][0]["synced_after"].as_f64().unwrap();
        assert_eq!(back["waits"][0]["ended"], "healthy", "{back}");
        eprintln!(
            "{what}: Synced after {synced:.1} s, healthy after {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        assert_eq!(site.state("alpha", "alpha-uni-next"), "Synced/Healthy");
        let _ = site.world.grove(["unhold", "alpha/uni-next"]).success();
    }
}

/// The example `deploy` of grove-operations, which is no `grove`, releases a change, follows it and goes
/// back.
fn there_and_back_without_grove(site: &Site) {
    site.edit(
        "clusters/alpha/instances/uni-next/instance.yaml",
        "PLATFORM_NAME:",
        "CONTACT_EMAIL: example@example.org\n  PLATFORM_NAME:",
    );
    site.commit("Another address");
    // Cargo builds examples beside the commands.
    let program = Path::new(GROVE).with_file_name("examples/deploy");
    let kubeconfig = site.plane("alpha").kubeconfig();
    let output = site
        .world
        .program(program)
        .args([site.world.fleet(), "alpha/uni-next".into()])
        .args([site.world.cache(), kubeconfig.as_ref()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    for what in ["deployed", "rolled back"] {
        let outcome = lines.iter().find_map(|line| line.get(what)).unwrap();
        assert_eq!(outcome["waits"][0]["ended"], "healthy", "{outcome}");
    }
    let _ = site.world.grove(["unhold", "alpha/uni-next"]).success();
}

/// Names of the pods that serve the LMS.
fn pods(site: &Site) -> Vec<Value> {
    let mut names: Vec<Value> = site
        .objects("alpha", "pods", "uni-next")
        .into_iter()
        .filter(|pod| pod["metadata"]["labels"]["app.kubernetes.io/name"] == "lms")
        .filter(|pod| pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet")
        .map(|pod| pod["metadata"]["name"].clone())
        .collect();
    names.sort_by_key(ToString::to_string);
    names
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn a_cluster_that_cannot_be_reached_leaves_the_release_in_git() {
    let site = Site::bootstrapped(&["alpha"]);
    site.deploy("alpha/uni-next", &[]);
    site.plane("alpha").stop_api_server();
    site.edit(
        "clusters/alpha/instances/uni-next/instance.yaml",
        "PLATFORM_NAME:",
        "CONTACT_EMAIL: night@example.org\n  PLATFORM_NAME:",
    );
    site.commit("Another address");
    let output = site.world.grove(["deploy", "alpha/uni-next", "--wait"]);
    assert_eq!(output.code, Some(3), "{output}");
    assert!(
        output.stdout.contains("released 0002")
            && output.stderr.contains("cannot be reached")
            && output.stderr.contains("stands in Git"),
        "{output}"
    );
    site.plane("alpha").start_api_server().unwrap();
    // Nothing is released again, and it is followed to the end.
    let again = site.deploy("alpha/uni-next", &[]);
    assert_eq!(again["instances"][0]["action"], "unchanged");
    assert_eq!(again["waits"][0]["ended"], "healthy");
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn a_failed_init_task_is_retried_or_skipped() {
    let site = Site::bootstrapped(&["alpha"]);
    breaker(&site, "fail");
    let output = site.world.grove([
        "deploy",
        "alpha/uni-next",
        "--create-remote",
        "--wait",
        "--timeout",
        "120",
    ]);
    assert_eq!(output.code, Some(5), "{output}");
    assert!(
        output.stderr.contains("exit code 1") && output.stderr.contains("Unknown column"),
        "{output}"
    );
    let job = |succeeded: bool| -> Vec<String> {
        site.objects("alpha", "jobs", "uni-next")
            .iter()
            .filter(|job| (job["status"]["succeeded"] == 1) == succeeded)
            .filter_map(|job| {
                job["metadata"]["annotations"]["grove-platform.org/name"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
    };
    let failed = job(false);
    assert_eq!(failed.len(), 1, "{failed:?}");
    let task = failed[0].as_str();

    // The log can be read by the task's name.
    let logs = site.world.grove(["logs", "alpha/uni-next", task]).success();
    assert!(logs.stdout.contains("Unknown column"), "{logs}");

    // It fails again, under another name.
    let name = |site: &Site| {
        site.objects("alpha", "jobs", "uni-next")
            .into_iter()
            .find(|job| {
                job["metadata"]["annotations"]["grove-platform.org/name"] == task
                    && job["metadata"]["deletionTimestamp"].is_null()
            })
            .map(|job| job["metadata"]["name"].clone())
    };
    let first = name(&site);
    let output = site.world.grove([
        "init",
        "retry",
        "alpha/uni-n*",
        task,
        "--wait",
        "--timeout",
        "150",
    ]);
    assert_eq!(output.code, Some(5), "{output}");
    site.until(30, "another Job runs", || name(&site) != first);
    let output = site
        .world
        .grove(["init", "retry", "alpha/uni-next", "lms-migrat"]);
    assert!(
        output.code == Some(2) && output.stderr.contains("did you mean `lms-migrate`?"),
        "{output}"
    );

    // Skipped, the rest goes on; a deploy of the same source does not bring it back.
    let skipped = site.json(&[
        "init",
        "skip",
        "alpha/uni-next",
        task,
        "--wait",
        "--timeout",
        "180",
    ]);
    assert_eq!(skipped["waits"][0]["ended"], "healthy", "{skipped}");
    let again = site.deploy("alpha/uni-next", &[]);
    assert_eq!(again["instances"][0]["action"], "unchanged");
    let record = site.json(&["show", "alpha/uni-next"]);
    assert!(
        record["record"]["init"]["skipped"][task].is_string()
            && record["record"]["init"]["retried"][task] == 1,
        "{record}"
    );
}
