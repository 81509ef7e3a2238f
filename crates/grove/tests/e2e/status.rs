//! What runs, seen by somebody who may only read.

use crate::Site;

/// The role of `docs/read-only-access.md`.
fn role() -> String {
    let page = include_str!("../../../../docs/read-only-access.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn status_reads_and_a_dead_cluster_costs_its_own_rows() {
    let site = Site::bootstrapped(&["alpha", "beta"]);
    site.deploy("alpha/uni-next", &[]);
    site.deploy("beta/academy-labs", &[]);

    // Just the documented role is enough.
    site.world.write("role.yaml", role());
    for cluster in ["alpha", "beta"] {
        let _ = site.kubectl(
            cluster,
            &[
                "apply",
                "-f",
                &site.world.path("role.yaml").display().to_string(),
            ],
        );
    }
    let readers: Vec<String> = site
        .planes
        .iter()
        .map(|plane| {
            plane
                .kubeconfig_of("reader", "reader-token")
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    site.world.set("KUBECONFIG", readers.join(":"));
    let row = |status: &serde_json::Value, instance: &str| {
        status["instances"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["instance"] == instance)
            .unwrap()
            .clone()
    };
    let status = site.json(&["status"]);
    let uni = row(&status, "alpha/uni-next");
    assert_eq!(
        (&uni["state"], &uni["running"]),
        (&"running".into(), &1.into()),
        "{status}"
    );
    assert!(
        uni["certificate_ends"]
            .as_str()
            .unwrap()
            .starts_with("2036"),
        "{uni}"
    );
    assert_eq!(row(&status, "alpha/uni")["state"], "never-released");
    assert_eq!(
        status["clusters"][0]["roots"]["grove-apps"],
        "Synced/Healthy"
    );
    let logs = site
        .world
        .grove(["logs", "alpha/uni-next", "lms"])
        .success();
    assert!(logs.stdout.contains("the program starts"), "{logs}");
    // … and nothing can be written with it.
    let output = site
        .world
        .grove(["deploy", "alpha/uni-next", "--wait", "--timeout", "10"]);
    assert_ne!(output.code, Some(70), "{output}");

    // One cluster is dead: its rows are unknown, the others' as before.
    site.plane("beta").stop_api_server();
    let status = site.json(&["status"]);
    assert_eq!(row(&status, "beta/academy-labs")["state"], "unknown");
    assert_eq!(row(&status, "alpha/uni-next")["state"], "running");
    assert_eq!(status["clusters"][1]["reached"], false);
    let output = site.world.grove(["status", "--check"]);
    assert_eq!(output.code, Some(5), "{output}");
    assert!(output.stdout.contains("cannot be reached"), "{output}");

    // Watched, it answers again.
    let watch = site
        .world
        .process(crate::GROVE)
        .args(["watch", "--interval", "1", "--for", "25"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    site.plane("beta").start_api_server().unwrap();
    let watched = watch.wait_with_output().unwrap();
    let watched = String::from_utf8(watched.stdout).unwrap();
    assert!(
        watched.contains("beta/academy-labs  unknown")
            && watched.contains("Z beta: answers again")
            && watched.contains("Z beta/academy-labs: running, 0001"),
        "{watched}"
    );
}
