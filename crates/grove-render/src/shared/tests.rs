use grove_fleet::{Snapshot, addons};

use super::*;

fn cluster() -> Cluster {
    Cluster {
        name: "prod".to_owned(),
        provider: "aws".to_owned(),
        domain: Some("prod.acme.example".to_owned()),
        argocd_namespace: "argocd".to_owned(),
        ..Cluster::default()
    }
}

fn harmony(chart: Chart, values: Value) -> Harmony {
    Harmony {
        version: "0.11.0".to_owned(),
        chart,
        namespace: "harmony".to_owned(),
        values,
        crds: BTreeMap::new(),
    }
}

fn repository() -> Chart {
    Chart::Repository {
        url: "https://charts.example".to_owned(),
    }
}

fn rendered(cluster: &Cluster) -> SharedTree {
    let definitions = definitions(cluster)
        .into_keys()
        .map(|engine| {
            let object = json!({"kind": "CustomResourceDefinition", "metadata": {"name": format!("things.{engine}")}});
            (engine.to_owned(), ("1.0.0".to_owned(), vec![object]))
        })
        .collect();
    let snapshot = Snapshot::default().with("addons/notes/note.yaml", "kind: ConfigMap\n");
    let addons = cluster
        .addons
        .keys()
        .map(|name| (name.clone(), addons::addon(&snapshot, name)))
        .collect();
    shared(SharedInput {
        cluster,
        deploy_remote: "https://git.example/{cluster}.git",
        definitions: &definitions,
        harmony: &Files::from([(CHART_FILE.to_owned(), b"version: 0.11.0".as_slice().into())]),
        addons: &addons,
    })
}

fn files(tree: &SharedTree) -> String {
    let text = |file: &String, object: &Value| {
        format!(
            "cluster/{file}: wave {}",
            object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
                .as_str()
                .unwrap()
        )
    };
    let mut lines: Vec<String> = tree
        .cluster
        .iter()
        .map(|(file, object)| text(file, object))
        .collect();
    lines.extend(tree.charts.keys().map(|file| format!("charts/{file}")));
    lines.join("\n")
}

#[test]
fn a_cluster_without_parts_has_no_shared_tree() {
    assert_eq!(rendered(&cluster()), SharedTree::default());
}

#[test]
fn definitions_come_before_harmony_and_harmony_before_addons() {
    let mut cluster = cluster();
    cluster.harmony = Some(harmony(repository(), json!({"velero": {"enabled": true}})));
    cluster.addons = ["maintenance-pages", "notes"]
        .map(|name| (name.to_owned(), json!({})))
        .into();
    let tree = rendered(&cluster);
    insta::assert_snapshot!(files(&tree), @"
    cluster/application-grove-cert-manager-crds.yaml: wave 1
    cluster/application-grove-harmony.yaml: wave 2
    cluster/application-grove-maintenance-pages.yaml: wave 3
    cluster/application-grove-notes.yaml: wave 3
    cluster/application-grove-velero-crds.yaml: wave 1
    cluster/project-grove-shared.yaml: wave 0
    charts/cert-manager-crds/customresourcedefinition-things.cert-manager.yaml
    charts/maintenance-pages/Chart.yaml
    charts/maintenance-pages/templates/pages.yaml
    charts/maintenance-pages/templates/router.yaml
    charts/maintenance-pages/templates/server.yaml
    charts/maintenance-pages/values.yaml
    charts/notes/note.yaml
    charts/velero-crds/customresourcedefinition-things.velero.yaml
    ");
    insta::assert_debug_snapshot!(tree.parts, @r#"
    {
        "cert-manager-crds": "1.0.0",
        "harmony": "0.11.0",
        "maintenance-pages": "1.0.0",
        "notes": "",
        "velero-crds": "1.0.0",
    }
    "#);
    insta::assert_debug_snapshot!(tree.forward_only.keys().collect::<Vec<_>>(), @r#"
    [
        "cert-manager-crds",
        "harmony",
        "velero-crds",
    ]
    "#);
    let crds = &tree.cluster["application-grove-cert-manager-crds.yaml"];
    assert_eq!(crds["spec"]["syncPolicy"]["automated"]["prune"], false);
    assert_eq!(crds["spec"]["source"]["directory"]["recurse"], true);
    let notes = &tree.cluster["application-grove-notes.yaml"];
    assert!(notes["spec"]["source"].get("helm").is_none());
}

#[test]
fn harmony_has_the_defaults_of_its_provider_below_the_operators_values() {
    let mut cluster = cluster();
    cluster.harmony = Some(harmony(
        repository(),
        json!({"notificationEmail": "ops@acme.example", "metricsserver": {"enabled": false}}),
    ));
    let tree = rendered(&cluster);
    let application = &tree.cluster["application-grove-harmony.yaml"];
    insta::assert_snapshot!(grove_yaml::emit(&application["spec"]["source"]), @r#"
    chart: harmony-chart
    helm:
      releaseName: harmony
      valuesObject:
        cert-manager:
          enabled: true
        clusterDomain: prod.acme.example
        ingress-nginx:
          enabled: false
        metricsserver:
          enabled: false
        notificationEmail: ops@acme.example
        traefik:
          enabled: true
          service:
            annotations:
              service.beta.kubernetes.io/aws-load-balancer-type: nlb
    repoURL: https://charts.example
    targetRevision: "0.11.0"
    "#);
    assert!(application["spec"].get("ignoreDifferences").is_none());
}

#[test]
fn a_vendored_chart_travels_with_the_tree() {
    let mut cluster = cluster();
    cluster.harmony = Some(harmony(
        Chart::Vendored("harmony".to_owned()),
        json!({"cert-manager": {"enabled": false}}),
    ));
    let tree = rendered(&cluster);
    insta::assert_snapshot!(files(&tree), @"
    cluster/application-grove-harmony.yaml: wave 2
    cluster/project-grove-shared.yaml: wave 0
    charts/harmony/Chart.yaml
    ");
    assert_eq!(
        tree.cluster["project-grove-shared.yaml"]["spec"]["sourceRepos"],
        json!(["https://git.example/prod.git"])
    );
}

#[test]
fn certificates_of_search_engines_stay_as_they_were_first_made() {
    let mut cluster = cluster();
    cluster.harmony = Some(harmony(
        repository(),
        json!({"elasticsearch": {"enabled": true}}),
    ));
    let tree = rendered(&cluster);
    let ignored = &tree.cluster["application-grove-harmony.yaml"]["spec"]["ignoreDifferences"];
    let names: Vec<&Value> = ignored
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(
        names,
        [
            "elasticsearch-credentials",
            "search-cluster-certificates-elasticsearch"
        ]
    );
}

#[test]
fn a_chart_that_brings_its_definitions_needs_none_before() {
    let mut cluster = cluster();
    for key in ["installCRDs", "crds"] {
        let value = if key == "crds" {
            json!({"enabled": true})
        } else {
            json!(true)
        };
        cluster.harmony = Some(harmony(repository(), json!({"cert-manager": {key: value}})));
        assert!(definitions(&cluster).is_empty(), "{key}");
    }
}
