//! From an empty API server to running instances.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Site;

/// Every object of the cluster that Grove applied, with its version.
fn versions(site: &Site, cluster: &str) -> BTreeMap<String, String> {
    let kinds = "namespaces,secrets,configmaps,services,serviceaccounts,deployments,statefulsets,\
        clusterroles,clusterrolebindings,roles,rolebindings,networkpolicies,applications.argoproj.io,\
        appprojects.argoproj.io,customresourcedefinitions";
    let text = site.kubectl(
        cluster,
        &["get", kinds, "-A", "-o", "json", "--show-managed-fields"],
    );
    let list: Value = serde_json::from_str(&text).unwrap();
    let is_ours = |object: &&Value| {
        object["metadata"]["managedFields"]
            .as_array()
            .is_some_and(|fields| fields.iter().any(|field| field["manager"] == "grove"))
    };
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_ours)
        .map(|object| {
            let metadata = &object["metadata"];
            let name = format!(
                "{} {} {}",
                object["kind"], metadata["namespace"], metadata["name"]
            );
            // The status is others'; what Grove wrote is known by when it wrote it last.
            let ours = metadata["managedFields"]
                .as_array()
                .unwrap()
                .iter()
                .find(|field| field["manager"] == "grove")
                .unwrap();
            (name, format!("{} {}", metadata["uid"], ours["time"]))
        })
        .collect()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn an_empty_server_is_bootstrapped_once_and_rebuilt_from_git() {
    let mut site = Site::new(&["alpha"]);

    // A plan writes nothing.
    let plan = site.json(&["cluster", "bootstrap", "alpha", "--plan"]);
    assert!(
        plan["steps"][2]["created"].as_array().unwrap().len() > 50,
        "{plan}"
    );
    assert!(
        !site
            .kubectl("alpha", &["get", "namespaces"])
            .contains("argocd")
    );
    assert!(
        !site
            .world
            .read("fleet/clusters/alpha/cluster.yaml")
            .contains("kubernetes:")
    );

    let first = site.bootstrap("alpha");
    assert_eq!(
        first["uid"],
        site.kubectl(
            "alpha",
            &[
                "get",
                "namespace",
                "kube-system",
                "-o",
                "jsonpath={.metadata.uid}"
            ]
        )
    );
    let recorded = site.world.read("fleet/clusters/alpha/cluster.yaml");
    assert!(
        recorded.contains(first["uid"].as_str().unwrap()),
        "{recorded}"
    );
    assert!(
        recorded.contains("# A small cluster that anyone can bring."),
        "{recorded}"
    );
    site.commit("Which cluster it is");

    // Nothing is left to do, and nothing is done.
    let before = versions(&site, "alpha");
    assert!(before.len() > 60, "{before:?}");
    let second = site.bootstrap("alpha");
    for step in second["steps"].as_array().unwrap() {
        assert_eq!(
            (&step["created"], &step["changed"]),
            (&serde_json::json!([]), &serde_json::json!([])),
            "{second}"
        );
    }
    assert_eq!(versions(&site, "alpha"), before);

    // Argo CD is hardened.
    let settings = site.kubectl(
        "alpha",
        &[
            "get",
            "configmap",
            "argocd-cm",
            "-n",
            "argocd",
            "-o",
            "json",
        ],
    );
    let settings: Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["data"]["admin.enabled"], "false");
    assert_eq!(
        settings["data"]["application.resourceTrackingMethod"],
        "annotation"
    );

    // An instance runs; what the controller opened is what the fleet's own key sealed.
    site.deploy("alpha/uni-next", &[]);
    assert_eq!(site.state("alpha", "alpha-uni-next"), "Synced/Healthy");
    let opened = secrets(&site, "uni-next");
    assert!(opened.len() > 3, "{opened:?}");

    // The cluster is lost. Another one is bootstrapped from the fleet, and opens what was sealed.
    site.lose();
    let refused = site.world.grove(["cluster", "bootstrap", "alpha"]);
    assert_ne!(refused.code, Some(0), "{refused}");
    site.forget("alpha");
    site.bootstrap("alpha");
    site.until_healthy("alpha", "alpha-uni-next");
    assert_eq!(secrets(&site, "uni-next"), opened);
}

/// The opened Secrets of an instance, by name.
fn secrets(site: &Site, namespace: &str) -> BTreeMap<String, Value> {
    site.objects("alpha", "secrets", namespace)
        .into_iter()
        .filter(|secret| secret["type"] == "Opaque")
        .map(|secret| {
            (
                secret["metadata"]["name"].as_str().unwrap().to_owned(),
                secret["data"].clone(),
            )
        })
        .collect()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn a_bootstrap_that_was_killed_goes_on() {
    let site = Site::new(&["alpha"]);
    let mut killed = 0;
    for milliseconds in [300, 900, 1500, 2500, 4000] {
        let mut child = site
            .world
            .process(crate::GROVE)
            .args(["cluster", "bootstrap", "alpha", "--quiet"])
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        child.kill().unwrap();
        let _status = child.wait().unwrap();
    }
    assert!(killed >= 2, "only {killed} were killed");
    // The lock of a process of this machine that is no more is no lock.
    site.bootstrap("alpha");
    let again = site.bootstrap("alpha");
    assert!(
        again["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["created"] == serde_json::json!([])),
        "{again}"
    );
}

/// Name → image of the first container of Argo CD's workloads.
fn images(site: &Site) -> BTreeMap<String, String> {
    site.objects("alpha", "deployments,statefulsets", "argocd")
        .into_iter()
        .map(|object| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
            (text(&object["metadata"]["name"]), text(image))
        })
        .collect()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn an_engine_is_upgraded_by_its_version_alone() {
    let site = Site::new(&["alpha"]);
    let file = "fleet/clusters/alpha/cluster.yaml";
    let plain = site.world.read(file);
    site.world.write(
        file,
        format!("{plain}argo: {{versions: {{argocd: 3.5.7}}}}\n"),
    );
    site.commit("The series before");
    site.pull(&["--only", "argocd@3.5.7"]);
    site.bootstrap("alpha");
    site.commit("Which cluster it is");
    site.deploy("alpha/uni-next", &[]);
    let before = images(&site);
    assert!(before["argocd-server"].ends_with(":v3.5.7"), "{before:?}");
    let pods = || site.kubectl("alpha", &["get", "pods", "-n", "uni-next", "-o", "name"]);
    let served = pods();

    // Nothing moves while the version stays.
    let same = site.bootstrap("alpha");
    assert_eq!(same["steps"][2]["changed"], serde_json::json!([]), "{same}");

    site.edit(
        "clusters/alpha/cluster.yaml",
        "argocd: 3.5.7",
        "argocd: 3.6.1",
    );
    site.commit("The series of today");
    let plan = site.json(&["cluster", "bootstrap", "alpha", "--plan"]);
    let upgrade = site.bootstrap("alpha");
    assert_eq!(plan["steps"][2]["changed"], upgrade["steps"][2]["changed"]);
    let changed = upgrade["steps"][2]["changed"].to_string();
    assert!(
        changed.contains("StatefulSet/argocd-application-controller")
            && changed.contains("CustomResourceDefinition/applications.argoproj.io"),
        "{changed}"
    );
    let after = images(&site);
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert!(after["argocd-server"].ends_with(":v3.6.1"), "{after:?}");
    site.until_healthy("alpha", "alpha-uni-next");
    assert_eq!(pods(), served);
}
