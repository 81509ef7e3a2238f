//! What runs, seen by somebody who may only read.

use crate::Site;

/// The role of `docs/read-only-access.md`.
fn role() -> String {
    let page = include_str!("../../../../docs/read-only-access.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A definition that knows no more than the kind, one Workflow that runs and one that failed.
const WORKFLOWS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: workflows.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {kind: Workflow, plural: workflows, singular: workflow, listKind: WorkflowList}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: plan, namespace: default}
status: {phase: Running}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: build, namespace: default}
status: {phase: Failed, message: no space}
";

/// Ends a process as an operator does, and gives what it wrote.
fn ended(mut child: std::process::Child) -> String {
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
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

    // What Argo Workflows runs is counted where the cluster has it, and what fails is named.
    assert!(status["clusters"][0]["workflows"].is_null(), "{status}");
    site.world.write("workflows.yaml", WORKFLOWS);
    let file = site.world.path("workflows.yaml").display().to_string();
    site.until(30, "the definition of Workflows is served", || {
        let words = ["apply", "--server-side", "-f", file.as_str()];
        site.try_kubectl("alpha", &words).status.success()
    });
    let status = site.json(&["status", "alpha"]);
    assert_eq!(
        status["clusters"][0]["workflows"],
        serde_json::json!({"running": 1, "failed": ["default/build: no space"]}),
        "{status}"
    );
    assert!(
        status["clusters"][0]["sealing_certificate_begins"].is_string(),
        "{status}"
    );

    // A log is followed, and a pod that starts meanwhile with it.
    let follow = site
        .world
        .process(crate::GROVE)
        .args(["logs", "alpha/uni-next", "cms", "--follow"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pod = || {
        let words = "jsonpath={.items[0].metadata.name}";
        let select = "app.kubernetes.io/name=cms";
        site.kubectl(
            "alpha",
            &["get", "pods", "-n", "uni-next", "-l", select, "-o", words],
        )
    };
    let first = pod();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let _ = site.kubectl("alpha", &["delete", "pod", "-n", "uni-next", &first]);
    site.until(30, "another pod runs", || pod() != first);
    let second = pod();
    std::thread::sleep(std::time::Duration::from_secs(6));
    let text = ended(follow);
    assert!(
        text.contains(&format!("{first}: ")) && text.contains(&format!("{second}: ")),
        "{first} {second}: {text}"
    );

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
        .args(["watch", "--interval", "2", "--for", "40"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    site.plane("beta").start_api_server().unwrap();
    // A change of the cluster, and one of Git.
    site.until(30, "beta answers again", || {
        site.json(&["status", "beta"])["clusters"][0]["reached"] == true
    });
    let scale = ["scale", "deployment/lms", "-n", "uni-next", "--replicas=0"];
    let _ = site.kubectl("alpha", &scale);
    let _ = site
        .world
        .grove(["hold", "alpha/uni-next", "-m", "the night"])
        .success();
    let watched = watch.wait_with_output().unwrap();
    let watched = String::from_utf8(watched.stdout).unwrap();
    assert!(
        watched.contains("beta/academy-labs  unknown")
            && watched.contains("Z beta: answers again")
            && watched.contains("Z beta/academy-labs: running, 0001")
            && watched.contains("held: the night"),
        "{watched}"
    );
}
