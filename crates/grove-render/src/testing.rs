//! Objects written by hand, and a way to see what a pass does to them.

use std::collections::BTreeMap;

use grove_fleet::{
    Address,
    model::{
        Cluster, Data, Distribution, Environment, Identity, Instance, Maintenance, Network,
        Resources, SecretReference, State,
    },
};
use serde_json::{Value, json};

use crate::{
    Error, Task,
    object::Objects,
    passes::{Draft, Pass},
    trace,
};

pub(crate) const CADDYFILE: &str = "{
    servers {
        trusted_proxies static 0.0.0.0/0
    }
}
(proxy) {
    reverse_proxy {args.0}
}
learn.uni.example{$default_site_port} {
    import proxy \"lms:8000\"
}
studio.uni.example{$default_site_port} {
    import proxy \"cms:8000\"
}
meilisearch.learn.uni.example{$default_site_port} {
    import proxy \"meilisearch:7700\"
}
apps.uni.example{$default_site_port} {
    import proxy \"mfe:8002\"
}
";

pub(crate) fn instance() -> Instance {
    let hosts = [
        ("lms", "learn.uni.example"),
        ("cms", "studio.uni.example"),
        ("mfe", "apps.uni.example"),
    ];
    let hosts = hosts.map(|(service, host)| (service.to_owned(), host.to_owned()));
    Instance {
        waits: Vec::new(),
        address: Address::new("prod", "uni"),
        client: "uni".to_owned(),
        environment: Environment::Production,
        groups: Vec::new(),
        ring: None,
        labels: BTreeMap::new(),
        identity: Identity {
            namespace: "uni".to_owned(),
            id: "0123456789abcdefghijklmn".to_owned(),
        },
        distribution: "verawood-1".to_owned(),
        hosts: hosts.into(),
        domains: BTreeMap::new(),
        site: None,
        pod_security: grove_fleet::model::PodSecurity::default(),
        mfes: BTreeMap::new(),
        theme: grove_fleet::model::Theme::default(),
        build: grove_fleet::model::Build::default(),
        plugins: vec!["mfe".to_owned(), "indigo".to_owned()],
        plugin_files: BTreeMap::new(),
        config: serde_json::Map::new(),
        env: BTreeMap::new(),
        images: BTreeMap::new(),
        data: Data::default(),
        mail: None,
        state: State::Active,
        maintenance: Maintenance::default(),
        resources: BTreeMap::new(),
        autoscaling: BTreeMap::new(),
        workers: BTreeMap::new(),
        cron: BTreeMap::new(),
        flags: None,
        network: Network::default(),
        quota: BTreeMap::new(),
        container: Resources::default(),
        access: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

/// Gives an instance a secret.
pub(crate) fn secret(instance: &mut Instance, name: &str) {
    let reference = SecretReference {
        file: String::new(),
        path: Vec::new(),
        digest: String::new(),
    };
    instance.secrets.insert(name.to_owned(), reference);
}

/// Everything that a draft borrows.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) instance: Instance,
    pub(crate) others: Vec<Instance>,
    pub(crate) distribution: Distribution,
    pub(crate) deploy_remote: &'static str,
    pub(crate) tasks: Vec<Task>,
    pub(crate) pull_secret: Option<String>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            cluster: Cluster {
                name: "prod".to_owned(),
                ingress_class: "traefik".to_owned(),
                cluster_issuer: "harmony-letsencrypt-global".to_owned(),
                argocd_namespace: "argocd".to_owned(),
                ..Cluster::default()
            },
            instance: instance(),
            others: Vec::new(),
            distribution: Distribution {
                release: "verawood".to_owned(),
                ..Distribution::default()
            },
            deploy_remote: "https://git.example/acme/deploy-prod.git",
            tasks: Vec::new(),
            pull_secret: None,
        }
    }
}

impl World {
    pub(crate) fn draft(
        &self,
        generators: &[&str],
        objects: Vec<Value>,
    ) -> Result<Draft<'_>, Error> {
        Ok(Draft {
            fleet: "acme",
            pull_secret: self.pull_secret.as_deref(),
            cluster: &self.cluster,
            instance: &self.instance,
            others: self.others.iter().collect(),
            distribution: &self.distribution,
            deploy_remote: self.deploy_remote,
            tasks: self.tasks.clone(),
            generators: generators.iter().map(|name| (*name).to_owned()).collect(),
            tutor_major: 22,
            job_order: Vec::new(),
            objects: Objects::parse(objects)?,
            apps: Objects::default(),
            images: BTreeMap::new(),
            marks: BTreeMap::new(),
        })
    }
}

fn world() -> &'static World {
    static WORLD: std::sync::LazyLock<World> = std::sync::LazyLock::new(World::default);
    &WORLD
}

/// Runs one pass over `objects`.
pub(crate) fn pass(
    pass: &Pass,
    generators: &[&str],
    objects: Vec<Value>,
) -> Result<Draft<'static>, Error> {
    let mut draft = world().draft(generators, objects)?;
    (pass.apply)(&mut draft)?;
    Ok(draft)
}

/// Runs one pass, and says what it changed, a line each.
pub(crate) fn run(pass: &Pass, draft: &mut Draft<'_>) -> Result<String, Error> {
    let before = draft.objects.clone();
    (pass.apply)(draft)?;
    let changes = trace::changes(pass.name, &before, &draft.objects);
    for change in &changes {
        assert!(
            pass.declares(change),
            "{} does not declare {change}",
            pass.name
        );
    }
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Ok(lines.join("\n"))
}

/// What a pass changes in `objects`.
pub(crate) fn changes(pass: &Pass, objects: Vec<Value>) -> String {
    after(&[], pass, &[], objects)
}

/// What a pass changes in `objects` once other passes ran.
pub(crate) fn after(
    others: &[&Pass],
    pass: &Pass,
    generators: &[&str],
    objects: Vec<Value>,
) -> String {
    let mut draft = world().draft(generators, objects).unwrap();
    for other in others {
        (other.apply)(&mut draft).unwrap();
    }
    run(pass, &mut draft).unwrap()
}

/// Objects as JSON, one below the other.
pub(crate) fn json(objects: &Objects) -> String {
    let texts = objects
        .iter()
        .map(|object| serde_json::to_string_pretty(object.value()).unwrap());
    texts.collect::<Vec<_>>().join("\n")
}

pub(crate) fn config_map(name: &str, key: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {key: value}})
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata":
        {"name": name, "labels": {"app.kubernetes.io/managed-by": "tutor"}}})
}

pub(crate) fn deployment(name: &str, image: &str) -> Value {
    let labels = json!({"app.kubernetes.io/name": name});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": image}]},
            },
        },
    })
}

pub(crate) fn template_job(service: &str, image: &str) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": format!("{service}-job"),
            "labels": {"app.kubernetes.io/component": "job"},
        },
        "spec": {"template": {"spec": {
            "containers": [{"name": service, "image": image}],
            "restartPolicy": "Never",
        }}},
    })
}

pub(crate) fn claim(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"resources": {"requests": {"storage": "5Gi"}}},
    })
}

/// `workload` with a volume on a claim.
pub(crate) fn with_claim(mut workload: Value, claim: &str) -> Value {
    workload["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
    workload
}

pub(crate) fn caddy_service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "caddy"},
        "spec": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80}]}})
}
