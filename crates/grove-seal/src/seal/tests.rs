mod pod;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Error, Sealed, reseal, seal};
use crate::{Ciphertext, Ciphertexts, Form};

/// Sealed values of these names; `rotated` ones have another fingerprint.
fn ciphertexts(names: &[&str], rotated: &[&str]) -> Ciphertexts {
    let mut ciphertexts = Ciphertexts::new("sha256:c", "uni");
    for name in names {
        let version = if rotated.contains(name) { 2 } else { 1 };
        ciphertexts.secrets.insert(
            (*name).to_owned(),
            Ciphertext {
                ciphertext: format!("{name}-{version}"),
                fingerprint: format!("{name}:{version}"),
                form: Form::Token,
                source: String::new(),
            },
        );
    }
    ciphertexts
}

fn tree(objects: Vec<Value>) -> BTreeMap<String, Value> {
    objects
        .into_iter()
        .map(|object| (super::object::file(&object), object))
        .collect()
}

fn config(name: &str, annotation: &str, file: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": name, "namespace": "uni", "labels": {"app": "x"},
            "annotations": {format!("grove-platform.org/{annotation}"): if annotation == "name" { name } else { "true" }},
        },
        "data": {file: text},
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads like the macro that makes the value"
)]
fn workload(kind: &str, name: &str, spec: Value) -> Value {
    let annotations = if kind == "Job" {
        json!({"grove-platform.org/name": name})
    } else {
        json!({})
    };
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"annotations": annotations, "name": name, "namespace": "uni", "labels": {"app": name, "part": "uni"}},
        "spec": {"template": {"spec": spec}},
    })
}

/// What an instance has, in small.
fn small() -> BTreeMap<String, Value> {
    tree(vec![
        config(
            "settings",
            "name",
            "production.py",
            "KEY = \"@@KEY@@\"\nLOG = '{{x}}'\n",
        ),
        config(
            "jobs-settings",
            "jobs-copy",
            "production.py",
            "KEY = \"@@KEY@@\"\n",
        ),
        config("caddy", "name", "Caddyfile", "{ }\n"),
        workload(
            "Deployment",
            "lms",
            json!({
                "containers": [{
                    "name": "lms", "image": "openedx",
                    "envFrom": [{"configMapRef": {"name": "settings"}}, {"configMapRef": {"name": "caddy"}}],
                    "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "production.py"}}}],
                }],
                "volumes": [
                    {"name": "settings", "configMap": {"name": "settings", "defaultMode": 420}},
                    {"name": "chosen", "configMap": {"name": "settings", "items": [{"key": "production.py", "path": "x.py"}]}},
                    {"name": "caddy", "configMap": {"name": "caddy"}},
                    {"name": "both", "projected": {"sources": [{"configMap": {"name": "settings"}}, {"configMap": {"name": "other"}}]}},
                ],
            }),
        ),
        workload(
            "Deployment",
            "mysql",
            json!({
                "containers": [{
                    "name": "mysql", "image": "mysql",
                    "args": ["--x=@@ROOT@@"],
                    "env": [{"name": "PW", "value": "@@ROOT@@"}, {"name": "URL", "value": "a://:@@ROOT@@@b$(HOST)"}],
                }],
            }),
        ),
        workload(
            "Job",
            "migrate",
            json!({
                "containers": [{
                    "name": "lms", "image": "openedx",
                    "args": ["sh", "-e", "-c", "x=$(mysql -p\"@@ROOT@@\")"],
                    "volumeMounts": [{"name": "settings", "mountPath": "/settings"}],
                }],
                "volumes": [{"name": "settings", "configMap": {"name": "jobs-settings"}}],
            }),
        ),
    ])
}

const NAMES: [&str; 2] = ["KEY", "ROOT"];

fn sealed(rotated: &[&str]) -> Sealed {
    seal(&small(), &ciphertexts(&NAMES, rotated), "uni").unwrap()
}

/// The files that two trees do not have in common.
fn difference(one: &Sealed, other: &Sealed) -> Vec<String> {
    let only = |one: &Sealed, other: &Sealed| -> Vec<String> {
        let objects = one.objects.iter();
        objects
            .filter(|(file, object)| other.objects.get(*file) != Some(object))
            .map(|(file, _)| file.clone())
            .collect()
    };
    let mut files = only(one, other);
    files.extend(only(other, one));
    files.sort();
    files.dedup();
    files
}

/// Hashes in file names are left out.
fn kinds(files: &[String]) -> Vec<String> {
    files
        .iter()
        .map(|file| {
            file.rsplit_once('-')
                .map_or(file.clone(), |(start, _)| start.to_owned())
        })
        .collect()
}

/// The objects whose file starts so, as YAML.
fn shown(sealed: &Sealed, start: &str, pointer: &str) -> String {
    let objects = sealed
        .objects
        .iter()
        .filter(|(file, _)| file.starts_with(start));
    let texts = objects.map(|(file, object)| {
        let yaml = grove_yaml::emit(object.pointer(pointer).unwrap());
        format!("# {file}\n{yaml}")
    });
    texts.collect::<Vec<_>>().concat()
}

#[test]
fn files_with_secrets_become_templates() {
    insta::assert_snapshot!(shown(&sealed(&[]), "sealedsecret-", ""), @r#"
# sealedsecret-env-jobs.yaml
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  annotations:
    grove-platform.org/jobs-copy: "true"
    grove-platform.org/sealed-from: env
    sealedsecrets.bitnami.com/namespace-wide: "true"
  labels:
    app: migrate
    part: uni
  name: env-jobs
  namespace: uni
spec:
  encryptedData:
    ROOT: ROOT-1
  template:
    metadata:
      labels:
        app: migrate
        part: uni
    type: Opaque
# sealedsecret-env-mysql-6be43ee6f8.yaml
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  annotations:
    grove-platform.org/name: env-mysql
    grove-platform.org/sealed-from: env
    sealedsecrets.bitnami.com/namespace-wide: "true"
  labels:
    app: mysql
    part: uni
  name: env-mysql-6be43ee6f8
  namespace: uni
spec:
  encryptedData:
    ROOT: ROOT-1
  template:
    immutable: true
    metadata:
      labels:
        app: mysql
        part: uni
    type: Opaque
# sealedsecret-jobs-settings.yaml
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  annotations:
    grove-platform.org/jobs-copy: "true"
    grove-platform.org/sealed-from: ConfigMap
    sealedsecrets.bitnami.com/namespace-wide: "true"
  labels:
    app: x
  name: jobs-settings
  namespace: uni
spec:
  encryptedData:
    KEY: KEY-1
  template:
    data:
      production.py: |
        KEY = "{{ index . "KEY" }}"
    metadata:
      labels:
        app: x
    type: Opaque
# sealedsecret-settings-5340cd805e.yaml
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  annotations:
    grove-platform.org/name: settings
    grove-platform.org/sealed-from: ConfigMap
    sealedsecrets.bitnami.com/namespace-wide: "true"
  labels:
    app: x
  name: settings-5340cd805e
  namespace: uni
spec:
  encryptedData:
    KEY: KEY-1
  template:
    data:
      production.py: |
        KEY = "{{ index . "KEY" }}"
        LOG = '{{ "{{" }}x}}'
    immutable: true
    metadata:
      labels:
        app: x
    type: Opaque
"#);
}

#[test]
fn volumes_and_variables_follow() {
    insta::assert_snapshot!(shown(&sealed(&[]), "deployment-lms", "/spec/template/spec"), @"
# deployment-lms.yaml
containers:
- env:
  - name: production.py
    valueFrom:
      secretKeyRef:
        key: production.py
        name: settings-5340cd805e
  - name: A
    valueFrom:
      secretKeyRef:
        key: production.py
        name: settings-5340cd805e
  envFrom:
  - configMapRef:
      name: caddy-2e5ce56500
  image: openedx
  name: lms
volumes:
- name: settings
  secret:
    defaultMode: 420
    items:
    - key: production.py
      path: production.py
    secretName: settings-5340cd805e
- name: chosen
  secret:
    items:
    - key: production.py
      path: x.py
    secretName: settings-5340cd805e
- configMap:
    name: caddy-2e5ce56500
  name: caddy
- name: both
  projected:
    sources:
    - secret:
        items:
        - key: production.py
          path: production.py
        name: settings-5340cd805e
    - configMap:
        name: other
");
}

#[test]
fn values_of_containers_become_variables() {
    insta::assert_snapshot!(shown(&sealed(&[]), "deployment-mysql", "/spec/template/spec"), @"
# deployment-mysql.yaml
containers:
- args:
  - --x=$(GROVE_SECRET_ROOT)
  env:
  - name: GROVE_SECRET_ROOT
    valueFrom:
      secretKeyRef:
        key: ROOT
        name: env-mysql-6be43ee6f8
  - name: PW
    valueFrom:
      secretKeyRef:
        key: ROOT
        name: env-mysql-6be43ee6f8
  - name: URL
    value: a://:$(GROVE_SECRET_ROOT)@b$(HOST)
  image: mysql
  name: mysql
");
    insta::assert_snapshot!(shown(&sealed(&[]), "job-", "/spec/template/spec"), @r#"
# job-migrate-3030f2ec2c.yaml
containers:
- args:
  - sh
  - -e
  - -c
  - x=$$(mysql -p"$(GROVE_SECRET_ROOT)")
  env:
  - name: GROVE_SECRET_ROOT
    valueFrom:
      secretKeyRef:
        key: ROOT
        name: env-jobs
  image: openedx
  name: lms
  volumeMounts:
  - mountPath: /settings
    name: settings
volumes:
- name: settings
  secret:
    items:
    - key: production.py
      path: production.py
    secretName: jobs-settings
"#);
}

#[test]
fn no_placeholder_and_no_plain_secret_comes_out() {
    let text = serde_json::to_string(&sealed(&[]).objects).unwrap();
    assert!(!text.contains("@@"));
    assert!(!text.contains("\"Secret\""));
}

#[test]
fn a_rotation_changes_what_reads_the_value_and_nothing_else() {
    let changed = difference(&sealed(&[]), &sealed(&["KEY"]));
    assert_eq!(
        kinds(&changed),
        [
            "deployment",
            "sealedsecret-jobs",
            "sealedsecret-settings",
            "sealedsecret-settings"
        ],
        "{changed:?}"
    );
    let changed = difference(&sealed(&[]), &sealed(&["ROOT"]));
    assert_eq!(
        kinds(&changed),
        [
            "deployment",
            "job-migrate",
            "job-migrate",
            "sealedsecret-env",
            "sealedsecret-env-mysql",
            "sealedsecret-env-mysql"
        ],
        "{changed:?}"
    );
}

#[test]
fn a_job_keeps_its_name_where_only_its_mounts_change() {
    let job = |sealed: &Sealed| {
        sealed
            .objects
            .keys()
            .find(|file| file.starts_with("job-"))
            .cloned()
    };
    let before = sealed(&[]);
    assert_eq!(job(&before), job(&sealed(&["KEY"])));
    assert_ne!(job(&before), job(&sealed(&["ROOT"])));

    let mut objects = small();
    let file = "job-migrate.yaml";
    objects.get_mut(file).unwrap()["metadata"]["annotations"]["grove-platform.org/retry"] =
        "1".into();
    let retried = seal(&objects, &ciphertexts(&NAMES, &[]), "uni").unwrap();
    assert_ne!(job(&before), job(&retried));
    objects.get_mut(file).unwrap()["spec"]["template"]["spec"]["containers"][0]["image"] =
        "other".into();
    let moved = seal(&objects, &ciphertexts(&NAMES, &[]), "uni").unwrap();
    assert_ne!(job(&retried), job(&moved));
}

#[test]
fn a_hook_keeps_its_name_and_a_copy_for_jobs_goes_by_its_own() {
    let mut hook = workload(
        "Job",
        "hook",
        json!({"containers": [{"args": ["@@KEY@@"]}]}),
    );
    hook["metadata"]["annotations"] = json!({"argocd.argoproj.io/hook": "PreSync"});
    let mut copy = config("settings-jobs", "jobs-copy", "a", "@@KEY@@");
    copy["metadata"]["annotations"]["grove-platform.org/name"] = "settings".into();
    let reader = workload(
        "Deployment",
        "d",
        json!({"containers": [], "volumes": [{"name": "v", "configMap": {"name": "settings"}}]}),
    );
    let objects = tree(vec![
        hook,
        copy,
        config("settings", "name", "a", "@@KEY@@"),
        reader,
    ]);
    let sealed = seal(&objects, &ciphertexts(&["KEY"], &[]), "uni").unwrap();
    assert!(sealed.objects.contains_key("job-hook.yaml"));
    assert!(
        sealed
            .objects
            .contains_key("sealedsecret-settings-jobs.yaml")
    );
    let volume = &sealed.objects["deployment-d.yaml"]["spec"]["template"]["spec"]["volumes"][0];
    assert!(
        volume["secret"]["secretName"]
            .as_str()
            .unwrap()
            .starts_with("settings-")
    );
    assert_ne!(volume["secret"]["secretName"], "settings-jobs");
    assert_eq!(
        reseal(&sealed.objects, &ciphertexts(&["KEY"], &[]), "uni").unwrap(),
        sealed
    );
}

#[test]
fn long_names_of_jobs_fit_into_labels() {
    let objects = tree(vec![workload(
        "Job",
        &"x".repeat(70),
        json!({"containers": []}),
    )]);
    let sealed = seal(&objects, &ciphertexts(&[], &[]), "uni").unwrap();
    let name = super::object::name(sealed.objects.values().next().unwrap());
    assert_eq!(name.len(), 63);
    assert_eq!(
        reseal(&sealed.objects, &ciphertexts(&[], &[]), "uni").unwrap(),
        sealed
    );
}

#[test]
fn sealing_again_is_sealing() {
    for rotated in [&[][..], &["KEY"], &["ROOT"], &["KEY", "ROOT"]] {
        let again = reseal(&sealed(&[]).objects, &ciphertexts(&NAMES, rotated), "uni").unwrap();
        let direct = sealed(rotated);
        assert_eq!(again.names, direct.names);
        for (file, object) in &direct.objects {
            assert_eq!(again.objects.get(file), Some(object), "{file}");
        }
        assert_eq!(again.objects.len(), direct.objects.len());
    }
}

#[test]
fn sealing_again_leaves_out_what_was_kept_for_others() {
    let mut old = sealed(&["KEY"]).objects;
    for (file, object) in sealed(&[]).objects {
        if file.starts_with("sealedsecret-settings-") {
            let mut object = object.clone();
            super::object::annotate(&mut object, crate::names::RETAINED, "true");
            old.insert(file, object);
        }
    }
    let mut job = workload("Job", "later", json!({"containers": []}));
    super::object::annotate(&mut job, crate::names::LEFT_RELEASE, "true");
    old.insert("job-later.yaml".to_owned(), job);
    assert_eq!(
        reseal(&old, &ciphertexts(&NAMES, &[]), "uni").unwrap(),
        sealed(&[])
    );
}

#[test]
fn secrets_of_every_type() {
    let registry = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "registry"}, "stringData": {".dockerconfigjson": "@@AUTH@@"},
    });
    let encoded = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "basic"}, "data": {"users": "YTpAQEFVVEhAQAo=", "icon": "/w=="},
    });
    let ingress = json!({
        "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
        "metadata": {"name": "auth"}, "spec": {"basicAuth": {"secret": "basic"}},
    });
    let pod = workload(
        "Deployment",
        "lms",
        json!({"imagePullSecrets": [{"name": "registry"}], "containers": []}),
    );
    let objects = tree(vec![registry, encoded, ingress, pod]);
    let ciphertexts = ciphertexts(&["AUTH"], &[]);
    let sealed = seal(&objects, &ciphertexts, "uni").unwrap();
    let files: Vec<_> = sealed.objects.keys().map(String::as_str).collect();
    insta::assert_debug_snapshot!(files, @r#"
[
    "deployment-lms.yaml",
    "middleware-auth.yaml",
    "sealedsecret-basic-201acf121e.yaml",
    "sealedsecret-registry.yaml",
]
"#);
    let basic = &sealed.objects[files[2]];
    assert_eq!(
        basic["spec"]["template"]["data"]["users"],
        "a:{{ index . \"AUTH\" }}\n"
    );
    assert_eq!(
        basic["spec"]["template"]["data"]["icon"],
        "{{ b64dec \"/w==\" }}"
    );
    assert_eq!(
        sealed.objects["middleware-auth.yaml"]["spec"]["basicAuth"]["secret"],
        basic["metadata"]["name"]
    );
    assert_eq!(
        reseal(&sealed.objects, &ciphertexts, "uni").unwrap(),
        sealed
    );
}

#[test]
fn what_cannot_be_sealed_is_named() {
    let error = |object: Value| {
        seal(&tree(vec![object]), &ciphertexts(&["KEY"], &[]), "uni")
            .unwrap_err()
            .to_string()
    };
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}});
    insta::assert_snapshot!(error(secret), @"Secret s would put its content into Git in plain text");
    insta::assert_snapshot!(error(config("c", "name", "a", "@@OTHER@@")), @"there is no secret `OTHER`, which ConfigMap c needs");
    insta::assert_snapshot!(error(config("c", "name", "a.py", "A = @@KEY@@")), @"the value of `KEY` does not fit ConfigMap c, a.py line 1: Python code outside a string takes no secret");
    let ingress = json!({"kind": "Ingress", "metadata": {"name": "i"}, "spec": {"rules": [{"host": "@@KEY@@"}]}});
    insta::assert_snapshot!(error(ingress), @"Ingress i has the secret `KEY` at `spec.rules[0].host`, where Kubernetes takes no reference to a secret");
    let probe = workload(
        "Deployment",
        "d",
        json!({"containers": [{"livenessProbe": {"exec": {"command": ["@@KEY@@"]}}}]}),
    );
    insta::assert_snapshot!(error(probe), @"Deployment d has the secret `KEY` at `spec.template.spec.containers[0].livenessProbe.exec.command[0]`, where Kubernetes takes no reference to a secret");
    let reserved = workload(
        "Deployment",
        "d",
        json!({"containers": [{"args": ["@@KEY@@ $(GROVE_SECRET_KEY)"]}]}),
    );
    insta::assert_snapshot!(error(reserved), @"Deployment d uses a variable whose name starts with GROVE_SECRET_");
    let wrong = seal(&BTreeMap::new(), &ciphertexts(&[], &[]), "other").unwrap_err();
    assert!(matches!(wrong, Error::Namespace { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sealing_again_is_sealing_for_every_content(
        text in "([{}\"$() a\n-]|@@KEY@@|@@ROOT@@|é){0,30}",
        argument in "([{}$() a-]|@@KEY@@|@@ROOT@@){0,12}",
        rotate in any::<bool>(),
    ) {
        let objects = tree(vec![
            config("settings", "name", "file", &text),
            workload("Deployment", "d", json!({
                "containers": [{"name": "c", "args": [argument], "env": [{"name": "A", "value": argument}]}],
                "volumes": [{"name": "v", "configMap": {"name": "settings"}}],
            })),
        ]);
        let today = ciphertexts(&NAMES, if rotate { &["KEY"] } else { &[] });
        let old = seal(&objects, &ciphertexts(&NAMES, &[]), "uni").unwrap();
        let direct = seal(&objects, &today, "uni").unwrap();
        prop_assert_eq!(reseal(&old.objects, &today, "uni").unwrap(), direct);
    }
}
