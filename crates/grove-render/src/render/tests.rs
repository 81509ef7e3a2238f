use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    Address, Fleet, Quantity,
    model::{Cron, Instance, Resources, Scaling, State, Volume, Worker},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Input, Tree, placeholders, render, render_traced};
use crate::{
    Error, Task, TutorOutput, passes,
    testing::{
        CADDYFILE, World, caddy_service, claim, config_map, deployment, namespace, template_job,
        with_claim,
    },
};

fn worker() -> Value {
    let mut worker = deployment("lms-worker", "openedx:1");
    worker["spec"]["template"]["spec"]["containers"][0]["args"] = json!([
        "celery",
        "worker",
        "--queues=edx.lms.core.default,edx.lms.core.high_mem"
    ]);
    worker
}

/// A small instance, as Tutor would give it.
fn output() -> TutorOutput {
    let mut lms = deployment("lms", "openedx:1");
    lms["spec"]["template"]["metadata"]["annotations"] =
        json!({"app.kubernetes.io/version": "22.0.3"});
    lms["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "s", "configMap": {"name": "openedx-settings-lms-2456789bcd"}}]);
    let mut job = template_job("lms", "openedx:1");
    job["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "s", "configMap": {"name": "openedx-settings-lms-2456789bcd"}}]);
    let mut mysql = with_claim(deployment("mysql", "mysql:8.4.11"), "mysql");
    mysql["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "MYSQL_ROOT_PASSWORD", "value": "@@MYSQL_ROOT_PASSWORD@@"}]);
    let mut settings = config_map(
        "openedx-settings-lms-2456789bcd",
        "production.py",
        "KEY = '@@OPENEDX_SECRET_KEY@@'",
    );
    settings["data"]["development.py"] = json!("DEBUG = True");
    let mut mfe = caddy_service();
    mfe["metadata"]["name"] = json!("mfe");
    mfe["spec"]["type"] = json!("NodePort");
    let task = |service: &str, text: &str| Task {
        service: service.to_owned(),
        app: Some(service.to_owned()),
        text: text.to_owned(),
    };
    TutorOutput {
        objects: vec![
            namespace("uni"),
            settings,
            config_map("caddy-config-2456789bcd", "Caddyfile", CADDYFILE),
            lms,
            worker(),
            deployment("caddy", "caddy:2"),
            mysql,
            claim("mysql"),
            caddy_service(),
            mfe,
            job,
            template_job("mysql", "mysql:8.4.11"),
        ],
        tasks: vec![
            task("mysql", "mysql --password=@@MYSQL_ROOT_PASSWORD@@"),
            task("lms", "./manage.py lms migrate"),
        ],
        generators: ["openedx-settings-lms", "caddy-config"]
            .map(str::to_owned)
            .into(),
        tutor_version: "22.0.3".to_owned(),
    }
}

fn world() -> World {
    let mut world = World::default();
    let domain = grove_fleet::model::Domain {
        service: "lms".to_owned(),
        redirect: false,
        ..grove_fleet::model::Domain::default()
    };
    world
        .instance
        .domains
        .insert("shop.example".to_owned(), domain);
    let addon = grove_fleet::addons::MAINTENANCE_PAGES.to_owned();
    world.cluster.addons.insert(addon, serde_json::json!({}));
    world
}

fn input<'a>(world: &'a World, fleet: &'a Fleet, output: TutorOutput) -> Input<'a> {
    Input {
        fleet,
        cluster: &world.cluster,
        instance: &world.instance,
        distribution: &world.distribution,
        deploy_remote: world.deploy_remote,
        output,
    }
}

fn rendered(world: &World, output: TutorOutput) -> Result<Tree, Error> {
    render(input(world, &Fleet::default(), output))
}

#[test]
fn a_tree_is_one_object_a_file() {
    let tree = rendered(&world(), output()).unwrap();
    let list = |map: &std::collections::BTreeMap<String, Value>| {
        map.keys().cloned().collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(list(&tree.objects), @"
    certificate-hosts.yaml
    certificate-shop.example.yaml
    configmap-caddy-config.yaml
    configmap-openedx-settings-lms-jobs.yaml
    configmap-openedx-settings-lms.yaml
    deployment-caddy.yaml
    deployment-lms-worker.yaml
    deployment-lms.yaml
    deployment-mysql.yaml
    ingress-apps.uni.example.yaml
    ingress-learn.uni.example.yaml
    ingress-meilisearch.learn.uni.example.yaml
    ingress-shop.example.yaml
    ingress-studio.uni.example.yaml
    job-lms-migrate.yaml
    job-mysql-setup.yaml
    persistentvolumeclaim-mysql.yaml
    service-caddy.yaml
    service-mfe.yaml
    ");
    insta::assert_snapshot!(list(&tree.apps), @"
    uni-application.yaml
    uni-namespace.yaml
    uni-project.yaml
    ");
    insta::assert_debug_snapshot!((&tree.images, &tree.secrets, &tree.marks), @r#"
    (
        {
            "caddy": "caddy:2",
            "mysql": "mysql:8.4.11",
            "openedx": "openedx:1",
        },
        {
            "MYSQL_ROOT_PASSWORD",
            "OPENEDX_SECRET_KEY",
        },
        {
            "mysql": "8.4",
            "openedx": "verawood",
            "users": "plain",
        },
    )
    "#);
}

#[test]
fn every_change_is_one_that_its_pass_declares() {
    let mut seen = BTreeSet::new();
    for state in State::ALL {
        let mut world = world();
        rich(&mut world.instance, state);
        seen.extend(declared(&world));
    }
    // The instance is rich enough to make every pass that changes anything do so.
    for pass in passes().iter().filter(|pass| !pass.changes.is_empty()) {
        assert!(seen.contains(pass.name), "{} changed nothing", pass.name);
    }
}

/// An instance that asks for something of every pass.
fn rich(instance: &mut Instance, state: State) {
    let amounts = |text: &str| {
        let amount = Quantity::parse(text).unwrap();
        BTreeMap::from([("memory".to_owned(), amount)])
    };
    instance.state = state;
    instance.resources.insert(
        "lms".to_owned(),
        Resources {
            requests: amounts("2Gi"),
            ..Resources::default()
        },
    );
    instance.autoscaling.insert(
        "lms".to_owned(),
        Scaling {
            min: 2,
            max: 4,
            memory: Some(80),
            ..Scaling::default()
        },
    );
    instance.cron.insert(
        "clear".to_owned(),
        Cron {
            schedule: "@daily".to_owned(),
            service: "lms".to_owned(),
            command: vec!["true".to_owned()],
            ..Cron::default()
        },
    );
    crate::testing::secret(instance, "REGISTRY_AUTH");
    instance.network.isolate = true;
    instance.network.ingress = vec!["traefik".to_owned()];
    let further = Worker {
        service: "lms".to_owned(),
        queues: vec!["edx.lms.core.high_mem".to_owned()],
    };
    instance.workers.insert("grades".to_owned(), further);
    instance.data.volumes = [(
        "mysql".to_owned(),
        Volume {
            size: Quantity::parse("20Gi"),
            class: None,
        },
    )]
    .into();
    instance.quota = [(
        "requests.memory".to_owned(),
        Quantity::parse("20Gi").unwrap(),
    )]
    .into();
    instance.container.requests = amounts("100Mi");
}

/// The names of the passes that changed something, each only what it declares.
fn declared(world: &World) -> BTreeSet<&'static str> {
    let fleet = Fleet {
        pull_secret: Some("REGISTRY_AUTH".to_owned()),
        ..Fleet::default()
    };
    let mut output = output();
    let mut template = output
        .objects
        .iter()
        .find(|object| object["metadata"]["name"] == "lms-job")
        .cloned()
        .unwrap();
    template["metadata"]["name"] = "cms-job".into();
    output.objects.push(template);
    output.tasks.push(Task {
        service: "cms".to_owned(),
        app: Some("cms".to_owned()),
        text: "./manage.py cms migrate\n./manage.py cms reindex_course --active\n".to_owned(),
    });
    let mut scaled = deployment("scaled", "openedx:1");
    scaled["spec"]["replicas"] = json!(1);
    output.objects.push(scaled);
    output.objects.push(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "scaled"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"}},
    }));
    let (tree, changes) = render_traced(input(world, &fleet, output.clone())).unwrap();
    assert_eq!(tree, render(input(world, &fleet, output)).unwrap());
    let engine =
        &tree.objects["job-cms-data.yaml"]["metadata"]["annotations"][crate::annotations::ENGINE];
    assert_eq!(engine, "external");
    let mut seen = BTreeSet::new();
    for change in &changes {
        let pass = passes()
            .iter()
            .find(|pass| pass.name == change.pass)
            .unwrap();
        assert!(pass.declares(change), "{}: {change}", change.pass);
        seen.insert(change.pass);
    }
    seen
}

#[test]
fn tutors_selectors_and_labels_never_change() {
    let world = world();
    let fleet = Fleet::default();
    let (_, changes) = render_traced(input(&world, &fleet, output())).unwrap();
    for change in changes {
        assert!(!change.pointer.contains("/selector"), "{change}");
        assert!(
            !change.pointer.contains("/template/metadata/labels"),
            "{change}"
        );
        if change.pointer.starts_with("/metadata/labels/") {
            assert!(
                change.before.is_none() && change.pointer.contains("grove-platform.org"),
                "{change}"
            );
        }
    }
}

#[test]
fn hosts_are_held_against_the_other_instances_of_the_cluster() {
    let world = world();
    let with = |cluster: &str, name: &str, host: &str| {
        let mut other = world.instance.clone();
        other.address = Address::new(cluster, name);
        other.hosts = [("lms".to_owned(), host.to_owned())].into();
        other.domains.clear();
        let mut fleet = Fleet::default();
        for instance in [&world.instance, &other] {
            fleet
                .instances
                .insert(instance.address.clone(), instance.clone());
        }
        render(input(&world, &fleet, output()))
    };
    // Caddy serves this name, and the instance itself states only its parent.
    let host = "meilisearch.learn.uni.example";
    let error = with("prod", "rival", host).unwrap_err();
    insta::assert_snapshot!(error, @"ConfigMap/caddy-config takes meilisearch.learn.uni.example, and prod/rival states meilisearch.learn.uni.example");
    with("prod", "rival", "rival.example").unwrap();
    with("elsewhere", "rival", host).unwrap();
}

#[test]
fn files_that_collide_are_refused() {
    let mut output = output();
    for api in ["autoscaling/v2", "autoscaling.k8s.io/v1"] {
        let mut object = config_map("x", "a", "b");
        object["apiVersion"] = json!(api);
        object["kind"] = json!(if api == "autoscaling/v2" {
            "HorizontalPodAutoscaler"
        } else {
            "VerticalPodAutoscaler"
        });
        output.objects.push(object);
    }
    assert!(rendered(&world(), output.clone()).is_ok());
    let mut twice = config_map("caddy-config", "a", "b");
    twice["metadata"]["name"] = json!("x");
    output.objects.push(twice.clone());
    output.objects.push(twice);
    insta::assert_snapshot!(rendered(&world(), output).unwrap_err(), @"ConfigMap/x is there twice");
}

#[test]
fn objects_that_are_none_are_refused() {
    let cases = [
        json!(null),
        json!([]),
        json!({"kind": "ConfigMap"}),
        json!({"kind": "", "apiVersion": "v1", "metadata": {"name": "a"}}),
        json!({"kind": "../x", "apiVersion": "v1", "metadata": {"name": "a"}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "../../x"}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "A"}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1/", "metadata": {"name": "a"}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "labels": []}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "labels": {"x": 1}}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": 1}}),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata":
            {"name": "a", "annotations": {"grove-platform.org/retained": "true"}}}),
    ];
    for case in cases {
        let mut output = output();
        output.objects.push(case.clone());
        let error = rendered(&world(), output).unwrap_err();
        let is_refused = [
            "is not a Kubernetes object",
            "is not a valid Kubernetes name",
            "which only Grove may set",
        ]
        .iter()
        .any(|text| error.to_string().contains(text));
        assert!(is_refused, "{case}: {error}");
    }
}

#[test]
fn placeholders_are_found_wherever_they_stand() {
    let value = json!({
        "@@IN_KEY@@": ["x@@A@@y@@B1@@", "@@@@", "@@lower@@C@@", "@@D", "@@1E@@", "@@@F@@@"],
        "n": 1,
    });
    let names: Vec<String> = placeholders(&value).into_iter().collect();
    assert_eq!(names, ["A", "B1", "C", "F", "IN_KEY"]);
}

/// Any JSON value, small.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_objects_does_not_matter(objects in Just(output().objects).prop_shuffle()) {
        let world = world();
        let turned = TutorOutput { objects, ..output() };
        prop_assert_eq!(rendered(&world, turned), rendered(&world, output()));
    }

    #[test]
    fn any_value_in_any_place_is_an_error_or_a_tree(
        which in 0..output().objects.len(),
        place in prop::sample::select(vec![
            "/spec", "/spec/template", "/spec/template/spec", "/spec/template/spec/containers",
            "/spec/template/spec/containers/0", "/spec/template/spec/volumes", "/spec/ports", "/data",
            "/metadata", "/metadata/labels", "/metadata/name", "/kind", "/apiVersion",
            "/spec/template/metadata", "/spec/template/metadata/annotations",
        ]),
        value in json_value(),
    ) {
        let mut output = output();
        if let Some(old) = output.objects[which].pointer_mut(place) {
            *old = value;
        }
        let world = world();
        prop_assert_eq!(rendered(&world, output.clone()), rendered(&world, output));
    }

    #[test]
    fn hostile_names_are_refused_or_safe(name in "[a-zA-Z./\\\\ \n-]{1,12}|.{1,6}") {
        let mut output = output();
        output.objects.push(config_map(&name, "a", "b"));
        if let Ok(tree) = rendered(&world(), output) {
            for file in tree.objects.keys() {
                prop_assert!(file.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')));
                prop_assert!(!file.contains(".."));
            }
        }
    }
}
