//! A small fleet, and what renders it instead of Tutor: few objects, of each sort that a deploy treats in a
//! way of its own.

use std::collections::BTreeMap;

use grove_fleet::{Fleet, model::Instance};
use grove_operations::{Renderer, Result};
use grove_render::Tree;
use serde_json::{Value, json};

/// The clusters. The second one says which cluster it is, so that it is tried to be reached.
pub const CLUSTERS: [&str; 2] = ["alpha", "beta"];
/// The file of the `ConfigMap` that has [`Site::value`].
pub const SETTINGS: &str = "configmap-settings.yaml";
/// Nothing is ever opened, so that one certificate suffices.
const CERTIFICATE: &str = include_str!("../../../examples/fleet/clusters/alpha/sealing.pem");
const DISTRIBUTION: &str = "release: ulmo\ntutor: \"21.0.8\"\n";
/// The digest is of the distribution's text.
const LOCK: &str = "\
#: version: 1
#: input: sha256:c2762ff8092fe77cc5b25c28cf826677550259d80bf2804cef5c1f63cae4ed5f
#: tutor: \"21.0.8\"
tutor==21.0.8
";

/// What the fleet says of an instance.
#[derive(Clone, Debug)]
pub struct Site {
    /// `cluster/instance`.
    pub address: String,
    /// What a `ConfigMap` says.
    pub value: u32,
    /// How many volumes it has.
    pub volumes: u32,
    /// Where its data stands, which goes forward only.
    pub mark: u32,
}

impl Site {
    /// An instance that says little.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            value: 1,
            volumes: 0,
            mark: 1,
        }
    }

    fn text(&self, name: &str) -> String {
        let id = format!("{:x<24}", name.replace('-', ""));
        format!(
            "client: acme
environment: staging
distribution: one
identity: {{namespace: {name}, id: {id}}}
hosts: {{lms: {name}.acme.example, cms: studio.{name}.acme.example}}
config: {{TEST_VALUE: {}, TEST_VOLUMES: {}, TEST_MARK: {}}}
",
            self.value, self.volumes, self.mark,
        )
    }
}

/// The files of a fleet with these instances, by path.
pub fn files(name: &str, remote: &str, sites: &[Site]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut add = |path: &str, text: String| files.insert(path.to_owned(), text);
    add(
        "grove.yaml",
        format!("version: 1\nname: {name}\ndeploy: {{remote: \"{remote}\"}}\n"),
    );
    add("distributions/one.yaml", DISTRIBUTION.to_owned());
    add("distributions/one.lock", LOCK.to_owned());
    for cluster in CLUSTERS {
        let uid = match cluster {
            "beta" => "kubernetes: {uid: 0b1c9d1e-7d58-4a0e-9c50-6a1f5f2b8f11}\n",
            _ => "",
        };
        add(
            &format!("clusters/{cluster}/cluster.yaml"),
            format!("provider: existing\ndomain: {cluster}.example.org\n{uid}"),
        );
        add(
            &format!("clusters/{cluster}/sealing.pem"),
            CERTIFICATE.to_owned(),
        );
    }
    for site in sites {
        let (cluster, instance) = site
            .address
            .split_once('/')
            .expect("an address has a cluster");
        add(
            &format!("clusters/{cluster}/instances/{instance}/instance.yaml"),
            site.text(instance),
        );
    }
    files
}

/// Renders without Tutor. The objects say whose they are.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Renderer for Plain {
    fn render(&self, fleet: &Fleet, instance: &Instance) -> Result<Tree> {
        let said = |name: &str| instance.config[name].as_u64().expect("the fleet says it");
        let name = &instance.address.instance;
        let mut tree = Tree::default();
        tree.marks
            .insert("openedx".to_owned(), said("TEST_MARK").to_string());
        let mut add = |file: &str, mut object: Value| {
            object["metadata"]["namespace"] = instance.identity.namespace.clone().into();
            tree.objects.insert(file.to_owned(), object);
        };
        add(
            SETTINGS,
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
                "data": {
                    "value": said("TEST_VALUE").to_string(),
                    "fleet": fleet.name,
                    "instance": instance.address.to_string(),
                },
            }),
        );
        for number in 0..said("TEST_VOLUMES") {
            add(
                &format!("persistentvolumeclaim-media-{number}.yaml"),
                json!({
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "metadata": {"name": format!("media-{number}")},
                    "spec": {"accessModes": ["ReadWriteOnce"]},
                }),
            );
        }
        let application = instance.address.application();
        for (kind, file) in [("AppProject", "project"), ("Application", "application")] {
            let object = json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": kind,
                "metadata": {"name": application},
                "spec": {"project": application},
            });
            tree.apps.insert(format!("{name}-{file}.yaml"), object);
        }
        Ok(tree)
    }
}
