//! What a cluster's instances share: Harmony and add-ons.

use std::path::Path;

use grove_control_plane::{ALL, Install, Programs};

use crate::{Site, programs};

const HARMONY: &str = "\
harmony:
  version: 0.11.0
  chart: charts/harmony
  values:
    notificationEmail: ops@acme.example
    elasticsearch: {enabled: true}
addons:
  maintenance-pages: {brand: Alpha}
";

/// A cluster without any custom resource definitions, whose fleet has Harmony and an add-on.
fn site() -> Site {
    let site = Site::with(&["alpha"], Install::Nothing);
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts");
    site.world.copy(&charts, "fleet/charts");
    let file = "fleet/clusters/alpha/cluster.yaml";
    let text = site.world.read(file);
    site.world.write(file, format!("{text}{HARMONY}"));
    site.commit("Harmony and pages");
    let helm = ALL.iter().find(|program| program.name == "helm").unwrap();
    let helm = Programs::new(&programs()).get(*helm).unwrap();
    let path = format!(
        "{}:{}",
        helm.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    site.world.set("PATH", path);
    site
}

/// The names of Applications that are not Synced and Healthy, of those that are shared.
fn unwell(site: &Site) -> Vec<String> {
    [
        "cluster",
        "cert-manager-crds",
        "harmony",
        "maintenance-pages",
    ]
    .into_iter()
    .map(|name| format!("grove-{name}"))
    .filter(|name| site.state("alpha", name) != "Synced/Healthy")
    .collect()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn harmony_and_addons_come_in_waves_and_go_back_as_a_release() {
    let site = site();
    let refused = site
        .world
        .grove(["deploy", "alpha/uni-next", "--create-remote"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("harmony, maintenance-pages")
            && refused.stderr.contains("grove cluster deploy alpha"),
        "{refused}"
    );

    // Released before its cluster has anything; the bootstrap waits until it runs.
    let released = site.json(&["cluster", "deploy", "alpha"]);
    assert_eq!(released["release"], 1, "{released}");
    let again = site.json(&["cluster", "deploy", "alpha"]);
    assert_eq!(
        (&again["release"], &again["changed"]),
        (&1.into(), &false.into()),
        "{again}"
    );
    let bootstrap = site
        .world
        .grove(["cluster", "bootstrap", "alpha", "--timeout", "240"])
        .success();
    assert!(
        bootstrap
            .stdout
            .contains("alpha: maintenance-pages: runs: synced and healthy"),
        "{bootstrap}"
    );
    site.commit("Which cluster it is");
    assert_eq!(unwell(&site), Vec::<String>::new());

    // The issuer could only be made behind cert-manager's definitions, the pages behind Traefik's.
    let issuer = site.kubectl(
        "alpha",
        &[
            "get",
            "clusterissuers",
            "-o",
            "jsonpath={.items[*].spec.acme.email}",
        ],
    );
    assert_eq!(issuer, "ops@acme.example");
    let account = |name: &str| {
        site.try_kubectl("alpha", &["get", "serviceaccount", name, "-n", "harmony"])
            .status
            .success()
    };
    assert!(account("traefik") && !account("ingress-nginx"));

    // Certificates that each rendering makes anew stay as they are, and nothing is out of sync.
    let password = || {
        site.kubectl(
            "alpha",
            &[
                "get",
                "secret",
                "elasticsearch-credentials",
                "-n",
                "harmony",
                "-o",
                "jsonpath={.data.password}",
            ],
        )
    };
    let first = password();
    site.kubectl(
        "alpha",
        &[
            "annotate",
            "applications.argoproj.io",
            "grove-harmony",
            "-n",
            "argocd",
            "argocd.argoproj.io/refresh=hard",
        ],
    );
    site.until(60, "the hard refresh is done", || {
        let annotations = site.kubectl(
            "alpha",
            &[
                "get",
                "applications.argoproj.io",
                "grove-harmony",
                "-n",
                "argocd",
                "-o",
                "jsonpath={.metadata.annotations}",
            ],
        );
        !annotations.contains("argocd.argoproj.io/refresh")
    });
    assert_eq!(unwell(&site), Vec::<String>::new());
    assert_eq!(password(), first);

    // An instance runs now, and its hosts name the pages.
    site.deploy("alpha/uni-next", &[]);
    for ingress in site.objects("alpha", "ingresses", "uni-next") {
        assert_eq!(
            ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"],
            "maintenance-pages-errors@kubernetescrd"
        );
    }

    // A changed value: what the chart makes of it is shown, deployed, and taken back.
    site.edit(
        "clusters/alpha/cluster.yaml",
        "brand: Alpha",
        "brand: Alpha Two",
    );
    site.commit("Another name");
    let diff = site
        .world
        .grove(["cluster", "diff", "alpha", "--exit-code"]);
    assert_eq!(diff.code, Some(1), "{diff}");
    assert!(
        diff.stdout
            .contains("maintenance-pages makes of it: 0 added, 2 changed")
            && diff.stdout.contains("Alpha Two")
            && !diff.stdout.contains("elasticsearch-credentials"),
        "{diff}"
    );
    let pages = || {
        site.kubectl(
            "alpha",
            &[
                "get",
                "configmap",
                "pages",
                "-n",
                "maintenance-pages",
                "-o",
                "yaml",
            ],
        )
    };
    let wait = ["--wait", "--timeout", "120"];
    let deploy = [&["cluster", "deploy", "alpha"][..], &wait].concat();
    let second = site.json(&deploy);
    assert_eq!(second["release"], 2, "{second}");
    assert!(pages().contains("Alpha Two"));
    let back = site.json(&[&["cluster", "rollback", "alpha"][..], &wait].concat());
    assert_eq!((&back["to"], &back["release"]), (&1.into(), &3.into()));
    assert!(!pages().contains("Alpha Two"));
    let held = site.world.grove(["cluster", "deploy", "alpha"]);
    assert_eq!(held.code, Some(4), "{held}");
    assert!(held.stderr.contains("held at 0003"), "{held}");

    // A newer chart goes forward only, and a part that is gone from the fleet stays.
    site.edit("charts/harmony/Chart.yaml", "0.11.0", "0.11.1");
    site.edit("clusters/alpha/cluster.yaml", "0.11.0", "0.11.1");
    site.edit(
        "clusters/alpha/cluster.yaml",
        "addons:\n  maintenance-pages: {brand: Alpha Two}\n",
        "",
    );
    site.commit("Harmony 0.11.1, and no pages");
    let newer = site.world.grove(deploy.iter().copied()).success();
    assert!(
        newer.stdout.contains("released 0004") && newer.stderr.contains("keeps running"),
        "{newer}"
    );
    assert_eq!(unwell(&site), Vec::<String>::new());
    let refused = site.world.grove(["cluster", "rollback", "alpha"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("harmony: 0.11.1 → 0.11.0"),
        "{refused}"
    );
}
