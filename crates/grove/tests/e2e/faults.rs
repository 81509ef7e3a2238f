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

/// Gives an instance another setting, so that there is something to deploy.
fn change(site: &Site, mark: &str) {
    let file = "clusters/alpha/instances/uni-next/instance.yaml";
    let text = site.world.read(format!("fleet/{file}"));
    let line = text.lines().find(|line| line.contains("PLATFORM_NAME:"));
    let line = line.unwrap().to_owned();
    site.edit(file, &line, &format!("  PLATFORM_NAME: {mark}"));
    site.commit(mark);
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn what_the_cluster_cannot_do_is_said_in_its_words_and_mended_by_the_next_run() {
    let site = Site::bootstrapped(&["alpha"]);
    site.deploy("alpha/uni-next", &[]);
    let words = ["deploy", "alpha/uni-next", "--wait", "--timeout", "20"];

    // The deploy remote cannot be read by Argo CD; Grove reaches it by another way.
    change(&site, "Unreachable");
    let (here, away) = (
        site.world.path("deploy-alpha.git"),
        site.world.path("moved.git"),
    );
    std::fs::rename(&here, &away).unwrap();
    let pattern = format!("file://{}", away.display());
    let output = site
        .world
        .grove(words.iter().copied().chain(["--deploy-remote", &pattern]));
    assert_eq!(output.code, Some(6), "{output}");
    assert!(output.stderr.contains("repository not found"), "{output}");
    std::fs::rename(&away, &here).unwrap();
    let again = site.deploy("alpha/uni-next", &[]);
    assert_eq!(again["instances"][0]["action"], "unchanged", "{again}");

    // Argo CD is restarted while it syncs.
    change(&site, "Restarted");
    let mut deploy = site
        .world
        .process(crate::GROVE)
        .args(["deploy", "alpha/uni-next", "--wait", "--timeout", "240"])
        .spawn()
        .unwrap();
    site.until(60, "a sync is under way", || {
        let phase = "jsonpath={.status.operationState.phase}";
        site.kubectl(
            "alpha",
            &[
                "get",
                "applications.argoproj.io",
                "alpha-uni-next",
                "-n",
                "argocd",
                "-o",
                phase,
            ],
        ) == "Running"
    });
    site.plane("alpha").restart("argocd-application-controller");
    assert!(deploy.wait().unwrap().success());

    // The sealing key is lost from the cluster: what is new cannot be opened, and it is said why.
    let _ = site.kubectl(
        "alpha",
        &[
            "delete",
            "secrets",
            "-n",
            "sealed-secrets",
            "-l",
            "sealedsecrets.bitnami.com/sealed-secrets-key",
        ],
    );
    site.plane("alpha").restart("sealed-secrets-controller");
    change(&site, "Keyless");
    let output = site.world.grove(words);
    assert_eq!(output.code, Some(6), "{output}");
    assert!(output.stderr.contains("SealedSecret"), "{output}");
    site.bootstrap("alpha");
    site.plane("alpha").restart("sealed-secrets-controller");
    let again = site.deploy("alpha/uni-next", &[]);
    assert_eq!(again["waits"][0]["ended"], "healthy", "{again}");

    // A definition is missing.
    let certificates = "certificates.cert-manager.io";
    let _ = site.kubectl("alpha", &["delete", "crd", certificates]);
    change(&site, "Undefined");
    let output = site.world.grove(words);
    assert!(matches!(output.code, Some(5 | 6)), "{output}");
    assert!(output.stderr.contains("Certificate"), "{output}");
    let file = site
        .world
        .path("bundle/cert-manager/1.19.3/cert-manager.io_certificates.yaml");
    let _ = site.kubectl(
        "alpha",
        &["apply", "--server-side", "-f", &file.display().to_string()],
    );
    let again = site.deploy("alpha/uni-next", &[]);
    assert_eq!(again["waits"][0]["ended"], "healthy", "{again}");
}
