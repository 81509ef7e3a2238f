//! Every instance of the example fleet, as it runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Site;

const UNI: &str = "clusters/alpha/instances/uni/instance.yaml";

/// Name → uid of the Jobs of a namespace.
fn jobs(site: &Site, cluster: &str, namespace: &str) -> BTreeMap<String, String> {
    site.objects(cluster, "jobs", namespace)
        .into_iter()
        .map(|job| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (
                text(&job["metadata"]["name"]),
                text(&job["metadata"]["uid"]),
            )
        })
        .collect()
}

/// Name → pod template hash of the newest `ReplicaSet` of each Deployment.
fn templates(site: &Site, cluster: &str, namespace: &str) -> BTreeMap<String, String> {
    site.objects(cluster, "deployments", namespace)
        .into_iter()
        .map(|deployment| {
            let name = deployment["metadata"]["name"].as_str().unwrap().to_owned();
            (name, deployment["spec"]["template"].to_string())
        })
        .collect()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn every_instance_runs_and_changes_touch_only_what_they_should() {
    let site = Site::bootstrapped(&["alpha", "beta"]);
    let first = site.deploy("--all", &["--expect", "5", "-m", "First"]);
    assert_eq!(first["waits"].as_array().unwrap().len(), 5);
    for (cluster, application) in [
        ("alpha", "alpha-uni"),
        ("alpha", "alpha-uni-next"),
        ("beta", "beta-academy"),
        ("beta", "beta-academy-labs"),
        ("beta", "beta-library"),
    ] {
        assert_eq!(site.state(cluster, application), "Synced/Healthy");
        // Nothing stays out of sync once everything was defaulted and looked at anew.
        site.refresh(cluster, application, "hard");
    }
    std::thread::sleep(std::time::Duration::from_secs(5));
    for (cluster, application) in [("alpha", "alpha-uni"), ("beta", "beta-library")] {
        assert_eq!(site.state(cluster, application), "Synced/Healthy");
    }

    // Init Jobs ran once each, in the order of their waves.
    let ran = jobs(&site, "alpha", "uni");
    assert!(ran.len() > 4, "{ran:?}");
    let mut order: Vec<(u32, String)> = site
        .objects("alpha", "jobs", "uni")
        .into_iter()
        .map(|job| {
            assert_eq!(job["status"]["succeeded"], 1, "{}", job["metadata"]["name"]);
            let wave = job["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
                .as_str()
                .unwrap_or("0");
            (
                wave.parse().unwrap(),
                job["metadata"]["creationTimestamp"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            )
        })
        .collect();
    order.sort();
    assert!(
        order.windows(2).all(|pair| pair[0].1 <= pair[1].1),
        "{order:?}"
    );

    // A second deploy runs nothing.
    let again = site.deploy("alpha/uni", &[]);
    assert_eq!(again["instances"][0]["action"], "unchanged");
    assert_eq!(jobs(&site, "alpha", "uni"), ran);

    // A changed setting: finished Jobs are left alone, and others' Applications.
    let before = templates(&site, "alpha", "uni");
    site.edit(
        UNI,
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: University of Examples",
    );
    site.commit("Another name");
    site.deploy("alpha/uni", &[]);
    assert_eq!(jobs(&site, "alpha", "uni"), ran);
    let after = templates(&site, "alpha", "uni");
    let changed: BTreeSet<&String> = after
        .keys()
        .filter(|name| before.get(*name) != after.get(*name))
        .collect();
    assert!(
        changed.contains(&"lms".to_owned()) && !changed.contains(&"redis".to_owned()),
        "{changed:?}"
    );

    // Back and forth runs no Job again.
    let back = site.json(&["rollback", "alpha/uni", "--wait"]);
    assert_eq!(back["waits"][0]["ended"], "healthy");
    assert_eq!(jobs(&site, "alpha", "uni"), ran);
    let _ = site.world.grove(["unhold", "alpha/uni"]).success();
    site.deploy("alpha/uni", &[]);
    assert_eq!(jobs(&site, "alpha", "uni"), ran);

    // A changed init text runs just that Job.
    site.edit("plugins/announcement.py", "announcement", "announcement");
    let plugin = site.world.read("fleet/plugins/announcement.py");
    let text = plugin.replace("manage.py lms", "manage.py  lms");
    if text != plugin {
        site.world.write("fleet/plugins/announcement.py", text);
        site.commit("Another init text");
        site.deploy("alpha/uni", &[]);
        let now = jobs(&site, "alpha", "uni");
        let new: Vec<&String> = now.keys().filter(|name| !ran.contains_key(*name)).collect();
        assert!(new.len() == 1 && new[0].contains("announcement"), "{new:?}");
    }

    // Self-heal undoes an edit by hand.
    let _ = site.kubectl(
        "alpha",
        &["scale", "deployment/redis", "-n", "uni", "--replicas=0"],
    );
    let _ = site.kubectl(
        "alpha",
        &[
            "label",
            "deployment/caddy",
            "-n",
            "uni",
            "app.kubernetes.io/name-",
        ],
    );
    site.until(40, "the label is back", || {
        site.kubectl(
            "alpha",
            &["get", "deployment", "caddy", "-n", "uni", "-o", "json"],
        )
        .contains("app.kubernetes.io/name")
    });

    // An instance that is gone from the fleet keeps running; files that are gone delete nothing.
    std::fs::remove_dir_all(site.world.path("fleet/clusters/beta/instances/library")).unwrap();
    site.commit("Forget the library");
    let output = site
        .world
        .grove(["deploy", "beta", "--expect", "2", "--wait"]);
    assert_eq!(output.code, Some(0), "{output}");
    let bare = site.world.path("deploy-beta.git");
    let clone = site.world.path("clone");
    let git = |directory: &std::path::Path, arguments: &[&str]| {
        let output = site
            .world
            .program("git")
            .current_dir(directory)
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(
        site.world.root(),
        &[
            "clone",
            "-q",
            "-b",
            "deploy/beta",
            &bare.display().to_string(),
            &clone.display().to_string(),
        ],
    );
    git(
        &clone,
        &[
            "rm",
            "-q",
            "apps/academy-application.yaml",
            "apps/academy-namespace.yaml",
        ],
    );
    git(&clone, &["commit", "-q", "-m", "By hand"]);
    git(&clone, &["push", "-q"]);
    site.refresh("beta", "grove-apps", "hard");
    std::thread::sleep(std::time::Duration::from_secs(8));
    for application in ["beta-library", "beta-academy"] {
        assert_eq!(
            site.state("beta", application).split('/').next_back(),
            Some("Healthy")
        );
    }
    assert!(site.objects("beta", "pods", "academy").len() > 5);

    // The project refuses an object outside of its namespace.
    let stray = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stray, namespace: default}\n";
    std::fs::write(
        clone.join("instances/academy-labs/configmap-stray.yaml"),
        stray,
    )
    .unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "A stray object"]);
    git(&clone, &["push", "-q"]);
    site.refresh("beta", "beta-academy-labs", "hard");
    site.until(60, "the stray object is refused", || {
        site.kubectl(
            "beta",
            &[
                "get",
                "applications.argoproj.io",
                "beta-academy-labs",
                "-n",
                "argocd",
                "-o",
                "json",
            ],
        )
        .contains("is not permitted")
    });
    assert!(
        !site
            .try_kubectl("beta", &["get", "configmap", "stray", "-n", "default"])
            .status
            .success()
    );
    assert_eq!(site.state("beta", "beta-library"), "Synced/Healthy");
}
