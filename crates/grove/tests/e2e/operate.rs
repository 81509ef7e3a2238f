//! How an instance is operated: what it needs, stopped and in maintenance, over what runs.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Site;

const UNI: &str = "clusters/alpha/instances/uni/instance.yaml";

/// Everything that an operator says of workloads, together.
const OPERATED: &str = "
resources:
  lms: {requests: {cpu: 100m, memory: 1Gi}, limits: {memory: 3Gi}, probes: true, grace: 60, concurrency: 3}
  cms: {replicas: 2, probes: true}
  lms-worker: {concurrency: 2, requests: {memory: 1Gi}}
  mysql: {probes: true, limits: {memory: 2Gi}}
autoscaling:
  lms: {min: 2, max: 4, cpu: 70, memory: 80}
cron:
  clear-sessions: {schedule: 17 3 * * *, timezone: Europe/Berlin, service: lms, command: [./manage.py, lms, clearsessions]}
network: {isolate: true, ingress: [traefik]}
quota:
  hard: {requests.memory: 24Gi, pods: 40}
  container: {requests: {memory: 128Mi}}
maintenance: {message: Back at nine., allow: [192.0.2.0/24]}
";

/// Kind and name of what the keys above make.
const MADE: [(&str, &str); 8] = [
    ("cronjobs", "clear-sessions"),
    ("horizontalpodautoscalers", "lms"),
    ("limitranges", "instance"),
    ("networkpolicies", "ingress-caddy"),
    ("networkpolicies", "isolate"),
    ("poddisruptionbudgets", "cms"),
    ("poddisruptionbudgets", "lms"),
    ("resourcequotas", "instance"),
];

fn by_name(site: &Site, kind: &str, of: impl Fn(&Value) -> Value) -> BTreeMap<String, Value> {
    let objects = site.objects("alpha", kind, "uni").into_iter();
    let named = objects.map(|object| {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        (name, of(&object))
    });
    named.collect()
}

fn names(site: &Site) -> Vec<(&'static str, String)> {
    let kinds: std::collections::BTreeSet<&'static str> =
        MADE.iter().map(|(kind, _)| *kind).collect();
    kinds
        .into_iter()
        .flat_map(|kind| {
            by_name(site, kind, Value::clone)
                .into_keys()
                .map(move |name| (kind, name))
        })
        .collect()
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn an_instance_is_operated_over_what_runs() {
    let site = Site::bootstrapped(&["alpha"]);
    site.deploy("alpha/uni", &[]);
    let jobs = || by_name(&site, "jobs", |job| job["metadata"]["uid"].clone());
    let pods = || by_name(&site, "deployments", |one| one["spec"]["template"].clone());
    let replicas = || by_name(&site, "deployments", |one| one["spec"]["replicas"].clone());
    let (ran, plain) = (jobs(), pods());

    // All of it on: admitted by the API server, healthy, and in sync when looked at anew.
    let instance = site.world.read(format!("fleet/{UNI}"));
    site.world
        .write(format!("fleet/{UNI}"), format!("{instance}{OPERATED}"));
    site.commit("How it is operated");
    site.deploy("alpha/uni", &[]);
    site.refresh("alpha", "alpha-uni", "hard");
    assert_eq!(site.state("alpha", "alpha-uni"), "Synced/Healthy");
    let made = names(&site);
    for (kind, name) in MADE {
        assert!(
            made.contains(&(kind, name.to_owned())),
            "{kind}/{name}: {made:?}"
        );
    }
    assert_eq!(jobs(), ran);
    let operated = pods();
    assert_eq!(operated["redis"], plain["redis"]);

    // Somebody merged something else; at night nobody ships it.
    site.edit(
        UNI,
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: University of Examples",
    );
    site.commit("Another name");
    let hold = ["hold", "alpha/uni", "-m", "Nothing today"];
    let _ = site.world.grove(hold).success();
    let begun = std::time::Instant::now();
    let on = ["instance", "maintenance", "on", "alpha/uni", "--wait"];
    let on = site.json(&on);
    eprintln!("in maintenance after {:?}", begun.elapsed());
    assert_eq!(on["waits"][0]["ended"], "healthy", "{on}");
    let now = pods();
    assert_eq!(now["lms"], operated["lms"]);
    assert_ne!(now["caddy"], operated["caddy"]);
    assert_eq!(jobs(), ran);
    let suspended = by_name(&site, "cronjobs", |job| job["spec"]["suspend"].clone());
    assert_eq!(suspended["clear-sessions"], true);
    assert!(
        site.world
            .grove(["deploy", "alpha/uni"])
            .stdout
            .contains("held at")
    );

    // Off again: to the byte what ran before.
    let off = ["instance", "maintenance", "off", "alpha/uni", "--wait"];
    let _ = site.json(&off);
    assert_eq!(pods(), operated);

    // Stopped: no pod, and no Job; data and what ran stay.
    let stop = ["instance", "stop", "alpha/uni", "--wait", "-m", "A pause"];
    let _ = site.json(&stop);
    assert!(
        replicas().values().all(|count| *count == 0),
        "{:?}",
        replicas()
    );
    assert!(
        site.objects("alpha", "horizontalpodautoscalers", "uni")
            .is_empty()
    );
    assert_eq!(
        site.objects("alpha", "persistentvolumeclaims", "uni").len(),
        4
    );
    assert_eq!(jobs(), ran);
    let again = site.json(&stop);
    assert_eq!(again["instances"][0]["action"], "unchanged");

    // Started: what ran comes back, and runs no Job.
    let _ = site.json(&["instance", "start", "alpha/uni", "--wait"]);
    assert_eq!(pods(), operated);
    assert_eq!(replicas()["cms"], 2);
    assert_eq!(jobs(), ran);
    let record = site.json(&["show", "alpha/uni"]);
    assert_ne!(record["record"]["operational"], Value::Null, "{record}");

    // All of it off: what was merged comes too, and nothing is left behind.
    let text = site
        .world
        .read(format!("fleet/{UNI}"))
        .replace(OPERATED, "");
    site.world.write(format!("fleet/{UNI}"), text);
    site.commit("Operated as before");
    let _ = site.world.grove(["unhold", "alpha/uni"]).success();

    site.deploy("alpha/uni", &["--confirm-deletes", "9"]);
    site.until(60, "what the keys made is gone", || {
        let left = names(&site);
        MADE.iter()
            .all(|(kind, name)| !left.contains(&(*kind, (*name).to_owned())))
    });
    assert_eq!(jobs(), ran);
    assert_eq!(pods()["redis"], plain["redis"]);
}
