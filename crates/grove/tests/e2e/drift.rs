//! What others change in a cluster, and an instance that breaks beside others.

use serde_json::Value;

use crate::Site;

/// Scales the LMS, whose Deployment states another number of replicas.
const SCALER: &str = r#"from tutor import hooks
hooks.Filters.ENV_PATCHES.add_item(("k8s-deployments", """
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: lms
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: lms}
  minReplicas: 2
  maxReplicas: 4
"""))
hooks.Filters.ENV_PATCHES.add_item(("k8s-override", """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: lms
spec:
  replicas: 1
"""))
"#;

/// What a service mesh does: admission gives each pod template of a namespace more than was sent.
const INJECTION: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: inject}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: uni-next}}
    resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      resources: [deployments]
      operations: [CREATE, UPDATE]
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >
        Object{spec: Object.spec{template: Object.spec.template{
          metadata: Object.spec.template.metadata{annotations: {"mesh.example/injected": "yes"}},
          spec: Object.spec.template.spec{containers: [
            Object.spec.template.spec.containers{name: "proxy", image: "mesh.example/proxy:1"}]}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: inject}
spec: {policyName: inject}
"#;

const INSTANCE: &str = "clusters/alpha/instances/uni-next/instance.yaml";

fn pods(site: &Site, namespace: &str) -> String {
    let words = ["get", "pods", "-n", namespace, "-o", "name"];
    site.kubectl("alpha", &words)
}

fn lms(site: &Site) -> Value {
    let deployments = site.objects("alpha", "deployments", "uni-next");
    let is_lms = |object: &Value| object["metadata"]["name"] == "lms";
    deployments.into_iter().find(is_lms).unwrap()
}

fn row(status: &Value, instance: &str) -> Value {
    let rows = status["instances"].as_array().unwrap();
    let is_meant = |row: &&Value| row["instance"] == instance;
    rows.iter().find(is_meant).unwrap().clone()
}

/// When the last operation of the Application began.
fn operation(site: &Site) -> String {
    let words = "jsonpath={.status.operationState.startedAt}";
    let name = "alpha-uni-next";
    site.kubectl(
        "alpha",
        &[
            "get",
            "applications.argoproj.io",
            name,
            "-n",
            "argocd",
            "-o",
            words,
        ],
    )
}

#[test]
#[ignore = "e2e: needs the control plane"]
fn what_others_change_is_no_drift_and_a_broken_instance_stays_alone() {
    let site = Site::bootstrapped(&["alpha"]);
    site.world.write("injection.yaml", INJECTION);
    let file = site.world.path("injection.yaml").display().to_string();
    let _ = site.kubectl("alpha", &["apply", "--server-side", "-f", &file]);
    let plugin = "fleet/clusters/alpha/instances/uni-next/plugins/scaler.py";
    site.world.write(plugin, SCALER);
    site.edit(
        INSTANCE,
        "{announcement: {}}",
        "{announcement: {}, scaler: {}}\naccess: {staff: viewer}",
    );
    site.commit("An autoscaler");
    site.deploy("alpha", &["--expect", "2"]);

    // A group has its role in the instance's project, and in no other.
    let roles = |project: &str| {
        let (kind, words) = ("appprojects.argoproj.io", "jsonpath={.spec.roles}");
        site.kubectl(
            "alpha",
            &["get", kind, project, "-n", "argocd", "-o", words],
        )
    };
    assert!(
        roles("alpha-uni-next").contains("proj:alpha-uni-next:viewer, applications, get"),
        "{}",
        roles("alpha-uni-next")
    );
    assert_eq!(roles("alpha-uni"), "");

    // The autoscaler and admission have had their way, and nothing is out of sync for it.
    site.until(60, "the autoscaler asks for two", || {
        lms(&site)["spec"]["replicas"] == 2
    });
    let scaled = lms(&site);
    let template = &scaled["spec"]["template"];
    assert_eq!(
        template["metadata"]["annotations"]["mesh.example/injected"],
        "yes"
    );
    assert_eq!(template["spec"]["containers"].as_array().unwrap().len(), 2);
    let began = operation(&site);
    let name = "alpha-uni-next";
    site.refresh("alpha", name, "hard");
    std::thread::sleep(std::time::Duration::from_secs(10));
    site.until_healthy("alpha", name);
    assert_eq!(operation(&site), began, "it syncs again and again");
    site.edit(
        INSTANCE,
        "PLATFORM_NAME:",
        "CONTACT_EMAIL: a@example.org\n  PLATFORM_NAME:",
    );
    site.commit("Another address");
    site.deploy("alpha/uni-next", &[]);
    assert_eq!(lms(&site)["spec"]["replicas"], 2);

    // It breaks; the one beside it does not notice.
    let served = pods(&site, "uni");
    let broken = SCALER.replace(
        "  replicas: 1\n",
        "  replicas: 1\n  template:\n    spec:\n      containers:\n      - name: lms\n        env:\n        - name: MARK\n          value: simulate-crash\n",
    );
    assert_ne!(broken, SCALER);
    site.world.write(plugin, broken);
    site.commit("Break it");
    let words = ["deploy", "alpha/uni-next", "--wait", "--timeout", "20"];
    let output = site.world.grove(words);
    assert_eq!(output.code, Some(6), "{output}");
    // On a busy machine its pods are replaced later than in twenty seconds.
    site.until(90, "the status names what is not ready", || {
        let status = site.json(&["status", "alpha/uni-next"]);
        let uni_next = row(&status, "alpha/uni-next");
        let unready = uni_next["unready"].to_string();
        uni_next["state"] != "running" && unready.contains("Deployment/lms: ")
    });
    let status = site.json(&["status", "alpha"]);
    assert_eq!(row(&status, "alpha/uni")["state"], "running", "{status}");
    assert_eq!(pods(&site, "uni"), served);

    // A sealed secret of another namespace, brought by hand, is not opened, and it is said why.
    let back = site.json(&["rollback", "alpha/uni-next", "--wait"]);
    assert_eq!(back["waits"][0]["ended"], "healthy", "{back}");
    let clone = site.world.path("clone");
    let bare = site.world.path("deploy-alpha.git").display().to_string();
    let git = |arguments: &[&str]| {
        let mut git = site.world.program("git");
        let git = git.current_dir(site.world.root()).args(arguments);
        let output = git.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
    };
    let here = clone.display().to_string();
    git(&["clone", "-q", "-b", "deploy/alpha", &bare, &here]);
    let sealed = std::fs::read_dir(clone.join("instances/uni"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.display().to_string().contains("/sealedsecret-"))
        .unwrap();
    let text = std::fs::read_to_string(&sealed).unwrap();
    let strange = text
        .replace("namespace: uni\n", "namespace: uni-next\n")
        .replace("name: ", "name: strange-");
    let target = clone.join("instances/uni-next/sealedsecret-strange.yaml");
    std::fs::write(target, strange).unwrap();
    git(&["-C", &here, "add", "-A"]);
    git(&["-C", &here, "commit", "-q", "-m", "By hand"]);
    git(&["-C", &here, "push", "-q"]);
    site.until(150, "the sealed secret is refused", || {
        // A comparison that began before the push takes the request with it.
        site.refresh("alpha", name, "normal");
        std::thread::sleep(std::time::Duration::from_secs(4));
        let status = site.json(&["status", "alpha/uni-next"]);
        let text = row(&status, "alpha/uni-next")["unready"].to_string();
        text.contains("SealedSecret/strange-") && text.contains("cannot be opened")
    });
    let _ = site.world.grove(["unhold", "alpha/uni-next"]).success();
    site.world.write(plugin, SCALER);
    site.commit("Mend it");
    let mended = site.deploy("alpha/uni-next", &[]);
    assert_eq!(mended["waits"][0]["ended"], "healthy", "{mended}");
    let sealed = [
        "get",
        "sealedsecrets.bitnami.com",
        "-n",
        "uni-next",
        "-o",
        "name",
    ];
    assert!(!site.kubectl("alpha", &sealed).contains("strange"));
}
