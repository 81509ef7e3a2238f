//! From nothing to a healthy instance, and back, with a provider whose cluster is the control plane.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{Site, provider};

#[test]
#[ignore = "e2e: needs the control plane and OpenTofu"]
fn a_cluster_comes_up_from_nothing_and_the_same_command_goes_on() {
    let site = Site::new(&["gamma"]);
    let world = &site.world;
    provider::install(world);
    world.set(
        "GROVE_TOFU",
        PathBuf::from(std::env::var_os("GROVE_TEST_TOFU").unwrap()),
    );
    // How the cluster is reached is what its stack gives, not the user's own kubeconfig.
    let kubeconfig = std::fs::read_to_string(site.plane("gamma").kubeconfig()).unwrap();
    world.write("cloud/kubeconfigs/gamma", kubeconfig);
    world.unset("KUBECONFIG");
    world.set("CLOUD_TOKEN", "token-7f3a9c51e2d8");

    let words = "cluster new gamma --provider simulated --domain gamma.example.org --state local --path ../states \
        --data --credential CLOUD_TOKEN";
    let _ = world.grove(words.split_whitespace()).success();
    let file = "fleet/clusters/gamma/cluster.yaml";
    let text = world.read(file);
    world.write(
        file,
        format!("{text}environment: [SIMULATED_*]\n").replace(
            "  CLOUD_TOKEN: CLOUD_TOKEN",
            "  SIMULATED_TOKEN: CLOUD_TOKEN",
        ),
    );
    let words = "new instance gamma/uni --distribution ulmo-1 --environment staging";
    let _ = world.grove(words.split(' ')).success();
    let instance = "fleet/clusters/gamma/instances/uni/instance.yaml";
    let text = world.read(instance);
    world.write(
        instance,
        format!(
            "{text}stacks: {{instance: {{inputs: {{mysql_id: {{output: data.mysql_id}}}}}}}}\n\
             env: {{common: {{settings: {{DATA_HOST: {{output: data.mysql_host}}}}}}}}\n"
        ),
    );
    let _ = world.grove(["secret", "generate", "gamma/uni"]).success();
    site.commit("A third cluster");

    // It stops where the provider fails, and says what was not tried.
    let up = ["cluster", "up", "gamma", "--yes", "--create-remote"];
    world.write(
        "cloud/faults.json",
        "{\"create cluster/gamma\": {\"how\": \"fail\"}}",
    );
    let failed = world.grove(up);
    assert_eq!(failed.code, Some(3), "{failed}");
    assert!(
        failed.stderr.contains("503: the service is not available"),
        "{failed}"
    );
    std::fs::remove_file(world.path("cloud/faults.json")).unwrap();

    // The same command goes on from there, to an instance that serves.
    let done = world.grove(up).success();
    assert!(done.stdout.contains("gamma/uni"), "{done}");
    assert_eq!(site.state("gamma", "gamma-uni"), "Synced/Healthy");
    // What its stacks gave is in its configuration.
    let rendered = ["render", "gamma/uni", "--out", "../rendered"];
    let _ = world.grove(rendered).success();
    let files = world.files("rendered");
    let settings = files
        .iter()
        .find(|file| file.contains("configmap-openedx-settings-lms.yaml"));
    let settings = world.read(format!("rendered/{}", settings.unwrap()));
    let host = settings.lines().find(|line| line.contains("DATA_HOST"));
    assert_eq!(
        host.unwrap_or(&settings).trim(),
        "DATA_HOST = \"gamma.simulated.example\""
    );
    let asked = world.read("cloud/log");
    assert_eq!(asked.matches("create network/gamma").count(), 1, "{asked}");
    assert!(world.read(file).contains("server: https://127.0.0.1"));
    let status = world.open(&world.fleet()).git(["status", "--porcelain"]);
    assert_eq!(status, "");

    // Once more, it changes nothing.
    let log = world.open(&world.fleet()).git(["rev-parse", "HEAD"]);
    let _ = world.grove(up).success();
    assert_eq!(world.open(&world.fleet()).git(["rev-parse", "HEAD"]), log);
    let again = world.read("cloud/log");
    assert_eq!(
        again
            .lines()
            .filter(|line| !line.starts_with("read"))
            .count(),
        6,
        "{again}"
    );

    a_workflows_lock_is_explained(&site);

    // Down: not without its name, and nothing is left that the stacks or the cluster made.
    let refused = world.grove(["cluster", "down", "gamma", "--confirm", "gamma"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("`--confirm gamma --expect 1`"),
        "{refused}"
    );
    let balancer = "apiVersion: v1\nkind: Service\nmetadata: {name: balancer, namespace: default}\n\
        spec: {type: LoadBalancer, ports: [{port: 80}]}\n";
    world.write("balancer.yaml", balancer);
    let file_name = world.path("balancer.yaml").display().to_string();
    let _ = site.kubectl("gamma", &["apply", "-f", &file_name]);
    let down = "cluster down gamma --confirm gamma --expect 1 --timeout 3";
    let down = world.grove(down.split(' ')).success();
    let gone: Vec<&str> = down.stdout.lines().collect();
    assert_eq!(gone[0], "gamma/uni:instance: destroyed", "{down}");
    assert_eq!(gone.last(), Some(&"gamma:network: destroyed"), "{down}");
    for kind in ["network", "cluster", "database", "user", "bucket"] {
        let files = std::fs::read_dir(world.path(format!("cloud/{kind}"))).unwrap();
        assert_eq!(files.count(), 0, "{kind}");
    }
    let services = site.kubectl("gamma", &["get", "services", "-A"]);
    assert!(!services.contains("LoadBalancer"), "{services}");
    assert!(
        !site
            .try_kubectl("gamma", &["get", "namespace", "uni"])
            .status
            .success()
    );
    assert!(
        !world
            .path("fleet/clusters/gamma/outputs")
            .join("cluster.json")
            .exists()
    );
    assert!(!world.read(file).contains("uid:"));
    let status = world.open(&world.fleet()).git(["status", "--porcelain"]);
    assert_eq!(status, "");
}

/// A lock whose holder is a pod of the cluster: whoever meets it is told whose, and whether it still lives.
fn a_workflows_lock_is_explained(site: &Site) {
    let world = &site.world;
    world.set("KUBECONFIG", world.path("cloud/kubeconfigs/gamma"));
    let states = world.files("states");
    let state = states.iter().find(|file| file.ends_with("network.tfstate"));
    let state = format!("states/{}", state.unwrap());
    let (directory, name) = state.rsplit_once('/').unwrap();
    let info = r#"{"ID": "5c3d2f0a", "Operation": "OperationTypeApply", "Info": "", "Who": "argo@stacks-x7f2k",
        "Version": "1.10.10", "Created": "2026-11-28T01:02:03Z", "Path": ""}"#;
    world.write(format!("{directory}/.{name}.lock.info"), info);
    let hold = "import fcntl, sys\nstate = open(sys.argv[1], 'r+')\nfcntl.lockf(state, fcntl.LOCK_EX)\n\
        print('held', flush=True)\nsys.stdin.read()";
    let mut holder = Command::new("python3")
        .args(["-c", hold])
        .arg(world.path(&state))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let _bytes = BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let refused = || {
        let refused = world.grove(["stack", "plan", "gamma:network", "--force"]);
        assert_eq!(refused.code, Some(4), "{refused}");
        refused.stderr
    };
    let error = refused();
    assert!(
        error.contains("no cluster of the fleet has a pod of that name"),
        "{error}"
    );
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: stacks-x7f2k\n  namespace: default\n  \
        labels: {workflows.argoproj.io/workflow: stacks}\nspec: {containers: [{name: main, image: tofu}]}\n";
    world.write("pod.yaml", pod);
    let file = world.path("pod.yaml").display().to_string();
    let _ = site.kubectl("gamma", &["apply", "-f", &file]);
    let error = refused();
    assert!(
        error.contains(
            "the pod stacks-x7f2k of the Workflow stacks in gamma, namespace default, still lives"
        ),
        "{error}"
    );
    drop(holder.stdin.take());
    let _status = holder.wait().unwrap();
    let gone = [
        "delete",
        "pod",
        "stacks-x7f2k",
        "--grace-period=0",
        "--force",
    ];
    let _ = site.kubectl("gamma", &gone);
    world.unset("KUBECONFIG");
}
