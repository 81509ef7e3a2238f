//! What goes wrong with clusters: each says what, where and what next, and leaves nothing half-done.

use serde_json::json;

use crate::Site;

#[test]
#[ignore = "e2e: needs the control plane"]
fn faults_of_access_are_named_and_nothing_is_written() {
    let site = Site::new(&["alpha", "beta"]);
    let plane = site.plane("alpha");
    let run = |arguments: &[&str], kubeconfig: &std::path::Path| {
        site.world
            .command(arguments.iter().copied())
            .set("KUBECONFIG", kubeconfig)
            .run()
    };
    let bootstrap = ["cluster", "bootstrap", "alpha"];

    // A context that is not there, and no kubeconfig at all.
    let output = run(
        &["cluster", "bootstrap", "alpha", "--context", "prod"],
        &plane.kubeconfig(),
    );
    assert_eq!(output.code, Some(2), "{output}");
    assert!(
        output.stderr.contains("has none named `prod`")
            && output.stderr.contains("there are: alpha"),
        "{output}"
    );
    let output = run(&bootstrap, &site.world.path("nothing"));
    assert!(
        output.code == Some(2) && output.stderr.contains("there is no kubeconfig"),
        "{output}"
    );

    // A token that is not known, as an expired one.
    let output = run(
        &bootstrap,
        &plane.kubeconfig_of("expired", "expired-token").unwrap(),
    );
    assert!(
        output.code == Some(3) && output.stderr.contains("does not accept the credentials"),
        "{output}"
    );

    // A user without rights: the first thing that is asked.
    let reader = plane.kubeconfig_of("nobody", "nobody-token").unwrap();
    let output = run(&bootstrap, &reader);
    assert!(
        output.code == Some(3) && output.stderr.contains("namespaces"),
        "{output}"
    );
    // … and one who may read alone: every missing right by verb and resource.
    let _bound = site.kubectl(
        "alpha",
        &[
            "create",
            "clusterrolebinding",
            "nobody-views",
            "--clusterrole=view",
            "--user=nobody",
        ],
    );
    let _role = site.kubectl(
        "alpha",
        &[
            "create",
            "clusterrole",
            "sees-namespaces",
            "--verb=get",
            "--resource=namespaces",
        ],
    );
    let _bound = site.kubectl(
        "alpha",
        &[
            "create",
            "clusterrolebinding",
            "nobody-sees",
            "--clusterrole=sees-namespaces",
            "--user=nobody",
        ],
    );
    let output = run(&bootstrap, &reader);
    assert!(
        output.code == Some(3)
            && output
                .stderr
                .contains("patch customresourcedefinitions.apiextensions.k8s.io")
            && output
                .stderr
                .contains("escalate clusterroles.rbac.authorization.k8s.io"),
        "{output}"
    );

    // A cluster that is another one than the fleet means.
    let uid = site.kubectl(
        "beta",
        &[
            "get",
            "namespace",
            "kube-system",
            "-o",
            "jsonpath={.metadata.uid}",
        ],
    );
    let own = site.world.read("fleet/clusters/alpha/cluster.yaml");
    site.world.write(
        "fleet/clusters/alpha/cluster.yaml",
        format!("{own}kubernetes: {{uid: {uid}}}\n"),
    );
    let output = run(&bootstrap, &plane.kubeconfig());
    assert!(
        output.code == Some(4) && output.stderr.contains("another cluster than `alpha`"),
        "{output}"
    );
    site.world.write("fleet/clusters/alpha/cluster.yaml", own);

    // Somebody else is at it.
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        .to_string();
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "grove-bootstrap", "namespace": "kube-system"},
        "spec": {"holderIdentity": "ada@elsewhere (process 1)", "leaseDurationSeconds": 60, "renewTime": now}});
    let file = site.world.path("lease.json");
    site.world.write("lease.json", lease.to_string());
    let _made = site.kubectl("alpha", &["create", "-f", &file.display().to_string()]);
    let output = run(&bootstrap, &plane.kubeconfig());
    assert!(
        output.code == Some(4)
            && output
                .stderr
                .contains("ada@elsewhere (process 1) is bootstrapping"),
        "{output}"
    );
    let _gone = site.kubectl(
        "alpha",
        &["delete", "lease", "grove-bootstrap", "-n", "kube-system"],
    );

    // A namespace that does not end.
    let _made = site.kubectl("alpha", &["create", "namespace", "argocd"]);
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "namespace": "argocd", "finalizers": ["example.org/held"]}});
    site.world.write("held.json", held.to_string());
    let _made = site.kubectl(
        "alpha",
        &[
            "create",
            "-f",
            &site.world.path("held.json").display().to_string(),
        ],
    );
    let _deleted = site.kubectl("alpha", &["delete", "namespace", "argocd", "--wait=false"]);
    site.until(30, "the namespace says what holds it", || {
        site.kubectl("alpha", &["get", "namespace", "argocd", "-o", "json"])
            .contains("example.org/held")
    });
    let output = run(&bootstrap, &plane.kubeconfig());
    assert!(
        output.code == Some(3)
            && output
                .stderr
                .contains("the namespace argocd is being deleted")
            && output.stderr.contains("example.org/held"),
        "{output}"
    );
    let _released = site.kubectl(
        "alpha",
        &[
            "patch",
            "configmap",
            "held",
            "-n",
            "argocd",
            "--type=merge",
            "-p",
            "{\"metadata\":{\"finalizers\":null}}",
        ],
    );
    site.until(30, "the namespace ends", || {
        !site
            .try_kubectl("alpha", &["get", "namespace", "argocd"])
            .status
            .success()
    });

    // Of all these nothing was written: the sealing key is the first thing that would be.
    assert!(
        !site
            .try_kubectl("alpha", &["get", "namespace", "sealed-secrets"])
            .status
            .success()
    );
    // The API server is gone: that is said, and is not taken for an empty one.
    plane.stop_api_server();
    let output = run(&bootstrap, &plane.kubeconfig());
    assert!(
        output.code == Some(3) && output.stderr.contains("cannot be reached"),
        "{output}"
    );
    plane.start_api_server().unwrap();
    // The next run mends everything.
    let output = run(&bootstrap, &plane.kubeconfig());
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn a_server_that_goes_away_in_the_middle_is_no_end() {
    let site = Site::new(&["alpha"]);
    let mut child = site
        .world
        .process(crate::GROVE)
        .args(["cluster", "bootstrap", "alpha"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // As soon as the second step has begun.
    site.until(
        30,
        "the controller of Sealed Secrets is being installed",
        || {
            site.try_kubectl("alpha", &["get", "namespace", "sealed-secrets"])
                .status
                .success()
        },
    );
    site.plane("alpha").stop_api_server();
    let status = child.wait().unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    assert_eq!(status.code(), Some(3), "{text}");
    assert!(
        text.contains("cannot be reached") && text.contains("run it again"),
        "{text}"
    );
    site.plane("alpha").start_api_server().unwrap();
    site.bootstrap("alpha");
    assert_eq!(site.state("alpha", "grove-apps").split('/').count(), 2);
}
