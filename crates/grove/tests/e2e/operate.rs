//! How an instance is operated: what it needs, stopped and in maintenance, over what runs.

mod data;
mod freeze;

use std::collections::BTreeMap;

use base64::Engine as _;
use grove_control_plane::Install;
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
#[ignore = "operate: needs the control plane"]
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

/// `examples/production`, and `docs/operations.md` command by command.
#[test]
#[ignore = "operate: needs the control plane"]
fn the_production_example_runs_and_is_operated_as_documented() {
    let site = Site::of("production", &["prod"], Install::CertManager);
    site.bootstrap("prod");
    site.commit("Which cluster this is");
    site.deploy("prod/uni", &[]);
    site.refresh("prod", "prod-uni", "hard");
    assert_eq!(site.state("prod", "prod-uni"), "Synced/Healthy");
    // Every object was opened or made, and nothing of it is refused by the quota.
    for one in &site.objects("prod", "deployments", "uni") {
        let (wanted, ready) = (&one["spec"]["replicas"], &one["status"]["readyReplicas"]);
        assert_eq!(wanted, ready, "{}", one["metadata"]["name"]);
    }
    let quota = &site.objects("prod", "resourcequotas", "uni")[0];
    assert_eq!(quota["status"]["hard"]["requests.memory"], "30Gi");
    assert_ne!(quota["status"]["used"]["requests.memory"], "0");

    let page = include_str!("../../../../docs/operations.md");
    let commands = page
        .split("```sh\n")
        .skip(1)
        .flat_map(|rest| rest.split_once("```").unwrap().0.lines());
    let grove = std::path::Path::new(crate::GROVE).parent().unwrap();
    let path = format!("{}:{}", grove.display(), std::env::var("PATH").unwrap());
    let mut run = 0;
    for command in commands {
        eprintln!("$ {command}");
        let output = site
            .world
            .program("sh")
            .current_dir(site.world.fleet())
            .env("PATH", &path)
            .args(["-e", "-c", command])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{command}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        run += 1;
    }
    assert!(run > 25, "{run} commands");
    let scaler = &site.objects("prod", "horizontalpodautoscalers", "uni")[0];
    assert_eq!(scaler["spec"]["minReplicas"], 2);
}

#[test]
#[ignore = "operate: needs the control plane"]
fn a_command_runs_once_with_what_the_release_has() {
    let site = Site::bootstrapped(&["alpha"]);
    site.deploy("alpha/uni", &[]);
    site.deploy("alpha/uni-next", &[]);
    let world = &site.world;

    // What it writes is all of stdout, and no shell touches its words.
    let words = "it's \"$(HOME)\" `x`\nnow";
    let command = [
        "run",
        "alpha/uni",
        "lms",
        "--",
        "./manage.py",
        words,
        "--password",
        "hunter2",
    ];
    let begun = std::time::Instant::now();
    let ran = world.grove(command).success();
    eprintln!("run ended after {:?}", begun.elapsed());
    assert!(ran.stdout.contains("the program starts"), "{ran}");
    assert!(
        ran.stderr.contains("runs with what release 0001 has"),
        "{ran}"
    );
    let job = job(&site, "uni", "run-lms-");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"][1], words.replace("$(", "$$("));
    let lms = site.objects("alpha", "deployments", "uni");
    let lms = lms
        .iter()
        .find(|one| one["metadata"]["name"] == "lms")
        .unwrap();
    let service = &lms["spec"]["template"]["spec"];
    assert_eq!(container["image"], service["containers"][0]["image"]);
    assert_eq!(
        job["spec"]["template"]["spec"]["volumes"],
        service["volumes"]
    );
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels["app.kubernetes.io/name"], job["metadata"]["name"]);

    // Its exit code is the command's, also where that is one of Grove's own.
    let failed = world.grove(["run", "alpha/uni", "cms", "--", "simulate-fail"]);
    assert_eq!(failed.code, Some(1), "{failed}");
    assert!(failed.stderr.contains("failed: exit code 1"), "{failed}");

    // With a file, in several instances at once.
    world.write("fleet/users.csv", "ada,ada@uni.example\n");
    let fan = "run --format json --file users.csv alpha lms -- cat /grove/files/users.csv";
    let fan = world.grove(fan.split(' ')).success();
    let fan: Value = serde_json::from_str(&fan.stdout).unwrap();
    let codes: Vec<&Value> = fan["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["exit_code"])
        .collect();
    assert_eq!(codes, [0, 0], "{fan}");
    let name = fan["runs"][1]["job"].as_str().unwrap();
    let secrets = site.objects("alpha", "secrets", "uni-next");
    let file = secrets
        .iter()
        .find(|one| one["metadata"]["name"] == name)
        .unwrap();
    assert_eq!(file["metadata"]["ownerReferences"][0]["kind"], "Job");

    // It is known who ran what; no password is.
    let history = world.grove(["history", "alpha/uni", "--runs"]).success();
    assert_eq!(history.stdout.lines().count(), 3, "{history}");
    assert!(history.stdout.contains("--password …"), "{history}");
    assert!(!history.stdout.contains("hunter2"), "{history}");

    // What is not there is named, and nothing is made.
    let unknown = world.grove(["run", "alpha/uni", "lsm", "--", "true"]);
    assert_eq!(unknown.code, Some(2), "{unknown}");
    assert!(unknown.stderr.contains("did you mean `lms`?"), "{unknown}");

    jobs_of_tutor(&site);
    a_shell(&site);

    // Argo CD takes none of it for its own.
    site.refresh("alpha", "alpha-uni", "hard");
    assert_eq!(site.state("alpha", "alpha-uni"), "Synced/Healthy");
}

/// `grove do`: jobs of the real Tutor.
fn jobs_of_tutor(site: &Site) {
    let world = &site.world;
    let known = world
        .grove(["do", "--format", "json", "alpha/uni"])
        .success();
    let known: Value = serde_json::from_str(&known.stdout).unwrap();
    let known: Vec<&str> = known["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect();
    assert!(known.contains(&"createuser") && known.contains(&"settheme"));
    assert!(!known.contains(&"init"));
    let help = world
        .grove(["do", "alpha/uni", "createuser", "--help"])
        .success();
    assert!(help.stdout.contains("--superuser"), "{help}");

    // The password comes by standard input, and stands in the Secret that goes with the Job.
    let password = "it's \"$(x)\" `y`";
    let mut child = world
        .process(crate::GROVE)
        .current_dir(world.fleet())
        .args("do alpha/uni createuser --staff ada ada@uni.example".split(' '))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let input = std::io::Write::write_all(
        child.stdin.as_mut().unwrap(),
        format!("{password}\n").as_bytes(),
    );
    input.unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let job = job(site, "uni", "do-lms-");
    let text = job["spec"]["template"]["spec"]["containers"][0]["command"].to_string();
    assert!(
        text.contains("manage_user  --staff ada ada@uni.example"),
        "{text}"
    );
    assert!(
        text.contains("set_password(open('/grove/files/answer-0').read())"),
        "{text}"
    );
    let secrets = site.objects("alpha", "secrets", "uni");
    let secret = secrets
        .iter()
        .find(|one| one["metadata"]["name"] == job["metadata"]["name"]);
    let held = secret.unwrap()["data"]["answer-0"].as_str().unwrap();
    let held = base64::prelude::BASE64_STANDARD.decode(held).unwrap();
    assert_eq!(String::from_utf8(held).unwrap(), password);

    // One that speaks to the database gets its secrets as the Jobs of the release do.
    let convert = "do alpha/uni convert-mysql-utf8mb4-charset --include=courses -I";
    let _ = world.grove(convert.split(' ')).success();
    for (words, said) in [
        ("do alpha/uni settheme a;b", "not plain"),
        ("do alpha/uni nothing", "no job `nothing`"),
        ("do alpha/uni createuser ada", "Missing argument 'EMAIL'"),
        ("do alpha/uni init", "grove init retry"),
    ] {
        let refused = world.grove(words.split(' '));
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains(said), "{refused}");
    }
    let history = world.grove(["history", "alpha/uni", "--runs"]).success();
    assert!(
        history.stdout.contains("createuser --staff ada"),
        "{history}"
    );
    assert!(!history.stdout.contains("it's"), "{history}");
}

/// `grove shell`: what is typed is run in a pod of its own, which then goes.
fn a_shell(site: &Site) {
    let world = &site.world;
    let mut child = world
        .process(crate::GROVE)
        .current_dir(world.fleet())
        .args(["shell", "alpha/uni", "cms"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let typed = "echo typed in $((40 + 2))\nexit 3\n";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), typed.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, said) = (text(&ended.stdout), text(&ended.stderr));
    // Simulated nodes tell the API server of a failure and not of its exit code.
    assert_eq!(
        (out.trim(), ended.status.code()),
        ("typed in 42", Some(1)),
        "{said}"
    );
    let left = site.objects("alpha", "jobs", "uni");
    let is_shell = |job: &Value| job["metadata"]["name"].to_string().contains("shell-");
    site.until(20, "the pod of the shell goes", || {
        !site.objects("alpha", "pods", "uni").iter().any(is_shell)
    });
    assert!(!left.iter().any(is_shell));
    let one = [
        "shell",
        "alpha/uni",
        "--",
        "sh",
        "-c",
        "echo \"it's $0\"",
        "a b",
    ];
    let one = world.grove(one).success();
    assert_eq!(one.stdout, "it's a b\n");
    let history = world.grove(["history", "alpha/uni", "--runs"]).success();
    assert!(history.stdout.contains("exit code 1  shell"), "{history}");
}

fn job(site: &Site, namespace: &str, start: &str) -> Value {
    let jobs = site.objects("alpha", "jobs", namespace);
    let found = jobs.into_iter().find(|job| {
        let name = job["metadata"]["name"].as_str().unwrap();
        name.starts_with(start)
    });
    found.unwrap()
}
