//! What a pod sees: the rules of Kubernetes as a model, and that sealing changes nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{NAMES, ciphertexts, reseal, seal, tree, workload};
use crate::seal::{
    Error,
    expansion::kubelet,
    object,
    template::{Content, from_template},
};

/// The values of the secrets, which no placeholder and no expansion may reach.
fn fill(text: &str) -> String {
    text.replace("@@KEY@@", "k$(A)$$").replace("@@ROOT@@", "r")
}

/// Texts by key.
type Texts = BTreeMap<String, String>;

/// Configuration objects of a namespace.
#[derive(Default)]
struct Cluster {
    /// By kind and name: texts, which may be variables, and bytes, which may not.
    objects: BTreeMap<(String, String), (Texts, Texts)>,
}

impl Cluster {
    /// What runs where a tree is applied; the controller has opened what is sealed.
    fn of(objects: &BTreeMap<String, Value>) -> Self {
        let mut cluster = Self::default();
        let away = BTreeMap::from([("A".to_owned(), "away".to_owned())]);
        let name = ("Secret".to_owned(), "away".to_owned());
        cluster.objects.insert(name, (away, BTreeMap::new()));
        for one in objects.values() {
            let texts = |pointer: &str| -> BTreeMap<String, String> {
                let map = one.pointer(pointer).and_then(Value::as_object);
                let map = map.into_iter().flatten();
                map.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
                    .collect()
            };
            let (kind, data, bytes) = match object::kind(one) {
                "ConfigMap" => {
                    let data = texts("/data");
                    let data = data.into_iter().map(|(key, text)| (key, fill(&text)));
                    ("ConfigMap", data.collect(), texts("/binaryData"))
                }
                "SealedSecret" => {
                    let values = texts("/spec/encryptedData").into_keys();
                    let values = values.map(|name| (name.clone(), fill(&format!("@@{name}@@"))));
                    let opened = |template: String| match from_template(&template).unwrap() {
                        Content::Text(text) => fill(&text),
                        Content::Bytes(encoded) => encoded,
                    };
                    let files = texts("/spec/template/data").into_iter();
                    let files = files.map(|(key, template)| (key, opened(template)));
                    ("Secret", values.chain(files).collect(), BTreeMap::new())
                }
                _ => continue,
            };
            let name = (kind.to_owned(), object::name(one).to_owned());
            cluster.objects.insert(name, (data, bytes));
        }
        cluster
    }

    /// The variables of a container; none where it does not start.
    fn variables(&self, container: &Value) -> Option<BTreeMap<String, String>> {
        let list = |field: &str| container[field].as_array().cloned().unwrap_or_default();
        let optional = |reference: &Value| reference["optional"] == true;
        let mut seen = BTreeMap::new();
        for source in list("envFrom") {
            let (kind, reference) = referred(&source, ["configMapRef", "secretRef"]);
            let Some((data, _)) = self.objects.get(&named(kind, reference, "name")) else {
                if optional(reference) {
                    continue;
                }
                return None;
            };
            for (key, value) in data {
                let name = format!("{}{key}", source["prefix"].as_str().unwrap_or_default());
                if is_name(&name) {
                    seen.insert(name, value.clone());
                }
            }
        }
        let mut declared = BTreeSet::new();
        for variable in list("env") {
            let name = variable["name"].as_str().unwrap().to_owned();
            // Server-side apply refuses a name twice, and the API server one that is no variable.
            if !declared.insert(name.clone()) || !is_name(&name) {
                return None;
            }
            let value = match variable.get("valueFrom") {
                None => {
                    let text = variable["value"].as_str().unwrap_or_default();
                    fill(&kubelet(text, &|name| seen.get(name).cloned()))
                }
                Some(from) => {
                    let (kind, reference) = referred(from, ["configMapKeyRef", "secretKeyRef"]);
                    let found = self.objects.get(&named(kind, reference, "name"));
                    let key = reference["key"].as_str().unwrap();
                    match found.and_then(|(data, _)| data.get(key)) {
                        Some(value) => value.clone(),
                        None if optional(reference) => continue,
                        None => return None,
                    }
                }
            };
            seen.insert(name, value);
        }
        seen.retain(|name, _| !name.starts_with("GROVE_SECRET_"));
        Some(seen)
    }

    /// The files of a volume; none where it cannot be mounted.
    fn files(&self, volume: &Value) -> Option<BTreeMap<String, (String, Value)>> {
        let Some(sources) = volume["projected"]["sources"].as_array() else {
            return self.source(volume, "secretName");
        };
        let mut seen = BTreeMap::new();
        let mut explicit = BTreeSet::new();
        for source in sources {
            for (_, fields) in source.as_object().unwrap() {
                for item in fields["items"].as_array().into_iter().flatten() {
                    // The API server refuses a file that is listed twice.
                    if !explicit.insert(item["path"].as_str().unwrap().to_owned()) {
                        return None;
                    }
                }
            }
            seen.extend(self.source(source, "name")?);
        }
        Some(seen)
    }

    fn source(&self, source: &Value, secret: &str) -> Option<BTreeMap<String, (String, Value)>> {
        let (kind, reference) = referred(source, ["configMap", "secret"]);
        let name = if kind == "Secret" { secret } else { "name" };
        let optional = reference["optional"] == true;
        let Some((data, bytes)) = self.objects.get(&named(kind, reference, name)) else {
            return optional.then(BTreeMap::new);
        };
        let all: BTreeMap<&String, &String> = data.iter().chain(bytes).collect();
        let mode = |item: &Value| match &item["mode"] {
            Value::Null => reference["defaultMode"].clone(),
            mode => mode.clone(),
        };
        let items = reference["items"]
            .as_array()
            .filter(|items| !items.is_empty());
        let Some(items) = items else {
            let file = |(key, value): (&&String, &&String)| {
                ((*key).clone(), ((*value).clone(), mode(&Value::Null)))
            };
            return Some(all.iter().map(file).collect());
        };
        let mut files = BTreeMap::new();
        for item in items {
            match all.get(&item["key"].as_str().unwrap().to_owned()) {
                Some(value) => {
                    let path = item["path"].as_str().unwrap().to_owned();
                    files.insert(path, ((*value).clone(), mode(item)));
                }
                None if optional => {}
                None => return None,
            }
        }
        Some(files)
    }
}

fn referred<'a>(holder: &'a Value, [config, secret]: [&str; 2]) -> (&'static str, &'a Value) {
    match holder.get(config) {
        Some(reference) => ("ConfigMap", reference),
        None => ("Secret", &holder[secret]),
    }
}

fn named(kind: &str, reference: &Value, key: &str) -> (String, String) {
    let name = reference[key].as_str().unwrap_or_default();
    (kind.to_owned(), name.to_owned())
}

/// `IsEnvVarName` of `k8s.io/apimachinery`.
fn is_name(name: &str) -> bool {
    let allowed = |symbol: char| symbol.is_ascii_alphanumeric() || "-._".contains(symbol);
    !name.is_empty()
        && name.chars().all(allowed)
        && !name.starts_with(|symbol: char| symbol.is_ascii_digit())
        && name != "."
        && !name.starts_with("..")
}

/// The pod of the only workload of a tree.
fn pod(objects: &BTreeMap<String, Value>) -> &Value {
    let workload = objects
        .values()
        .find(|one| object::kind(one) == "Deployment");
    workload.unwrap().pointer("/spec/template/spec").unwrap()
}

fn view(objects: &BTreeMap<String, Value>) -> (Vec<Option<Value>>, Vec<Option<Value>>) {
    let cluster = Cluster::of(objects);
    let pod = pod(objects);
    let list = |field: &str| pod[field].as_array().cloned().unwrap_or_default();
    let variables = |container: &Value| cluster.variables(container).map(|seen| json!(seen));
    let files = |volume: &Value| cluster.files(volume).map(|seen| json!(seen));
    (
        list("containers").iter().map(variables).collect(),
        list("volumes").iter().map(files).collect(),
    )
}

/// Whether a pod sees the same; where it would not have started, nothing is asked.
fn check(objects: &BTreeMap<String, Value>) -> Result<(), TestCaseError> {
    let (variables, files) = view(objects);
    let sealed = match seal(objects, &ciphertexts(&NAMES, &[]), "uni") {
        Ok(sealed) => sealed,
        Err(
            Error::EnvFrom { .. }
            | Error::Variable { .. }
            | Error::NoKey { .. }
            | Error::Projected { .. },
        ) => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    let (now, now_files) = view(&sealed.objects);
    for (before, after) in variables
        .iter()
        .zip(&now)
        .chain(files.iter().zip(&now_files))
    {
        if before.is_some() {
            prop_assert_eq!(after, before, "{}", pod(&sealed.objects));
        }
    }
    let again = reseal(&sealed.objects, &ciphertexts(&NAMES, &[]), "uni");
    prop_assert_eq!(again.unwrap(), sealed);
    Ok(())
}

fn map(data: &[(&str, &str)], bytes: &[&str], is_named: bool, name: &str) -> Value {
    let texts: Map<String, Value> = data
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).into()))
        .collect();
    let bytes: Map<String, Value> = bytes
        .iter()
        .filter(|key| !texts.contains_key(**key))
        .map(|key| ((*key).to_owned(), BASE64_STANDARD.encode(b"\xff").into()))
        .collect();
    let annotations = if is_named {
        json!({ "grove-platform.org/name": name })
    } else {
        json!({})
    };
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "uni", "annotations": annotations},
        "data": texts, "binaryData": bytes,
    })
}

fn deployment(container: &Value, volumes: &Value) -> Value {
    let spec = json!({ "containers": [container], "volumes": volumes });
    workload("Deployment", "d", spec)
}

/// The sources of `envFrom`, and the names that a container gets from them.
fn from_sources(sources: &Value) -> Result<Value, Error> {
    let objects = tree(vec![
        map(
            &[("A", "@@KEY@@"), ("B", "sealed"), ("1x", "t"), ("..x", "t")],
            &["Z"],
            true,
            "sealed",
        ),
        map(&[("A", "plain"), ("C", "plain")], &[], true, "plain"),
        map(&[("A", "@@ROOT@@")], &[], true, "other"),
        deployment(&json!({ "name": "c", "envFrom": sources }), &json!([])),
    ]);
    let sealed = seal(&objects, &ciphertexts(&NAMES, &[]), "uni")?;
    assert_eq!(view(&sealed.objects), view(&objects));
    Ok(view(&sealed.objects).0[0].clone().unwrap())
}

#[test]
fn a_later_source_wins_whichever_is_sealed() {
    let source = |name: &str| json!({ "configMapRef": { "name": name } });
    assert_eq!(
        from_sources(&json!([source("sealed"), source("plain")])).unwrap(),
        json!({ "A": "plain", "B": "sealed", "C": "plain" })
    );
    assert_eq!(
        from_sources(&json!([source("plain"), source("sealed")])).unwrap(),
        json!({ "A": "k$(A)$$", "B": "sealed", "C": "plain" })
    );
    assert_eq!(
        from_sources(&json!([source("sealed"), source("plain"), source("other")])).unwrap(),
        json!({ "A": "r", "B": "sealed", "C": "plain" })
    );
    let prefixed = json!({ "prefix": "P_", "configMapRef": { "name": "sealed" } });
    assert_eq!(
        from_sources(&json!([prefixed, source("plain")])).unwrap(),
        json!({ "A": "plain", "C": "plain", "P_..x": "t", "P_1x": "t", "P_A": "k$(A)$$", "P_B": "sealed" })
    );
    let away = json!({ "secretRef": { "name": "away" } });
    assert!(from_sources(&json!([away, source("sealed")])).is_ok());
    let error = from_sources(&json!([source("sealed"), away])).unwrap_err();
    insta::assert_snapshot!(error, @"Deployment d, container `c`: `envFrom` takes `away`, which the instance does not bring, after an object with secrets");
}

#[test]
fn a_variable_that_is_needed_twice_is_refused() {
    let error = |variables: Value| {
        let container = json!({
            "name": "c", "env": variables, "envFrom": [{"configMapRef": {"name": "sealed"}}],
        });
        let objects = tree(vec![
            map(&[("A", "@@KEY@@")], &[], true, "sealed"),
            deployment(&container, &json!([])),
        ]);
        check(&objects).unwrap();
        let sealed = seal(&objects, &ciphertexts(&NAMES, &[]), "uni");
        sealed.err().map(|error| error.to_string())
    };
    assert_eq!(error(json!([{"name": "X", "value": "$(A)"}])), None);
    assert_eq!(
        error(json!([{"name": "A", "value": "x"}, {"name": "X", "value": "$(A)"}])),
        None
    );
    let twice = error(json!([{"name": "X", "value": "$(A)"}, {"name": "A", "value": "x"}]));
    insta::assert_snapshot!(twice.unwrap(), @"Deployment d, container `c`: the variable `A` of an object with secrets is replaced in `env` and still needed");
    let key = json!({"configMapKeyRef": {"name": "sealed", "key": "KEY"}});
    let gained = error(json!([{"name": "X", "valueFrom": key}]));
    insta::assert_snapshot!(gained.unwrap(), @"Deployment d takes the key `KEY` of an object that does not have it");
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["A", "B", "KEY", "1x", "..y", "a.b"])
}

fn content() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "t",
        "@@KEY@@",
        "$(A)",
        "x@@ROOT@@",
        "@@KEY@@ @@ROOT@@",
    ])
}

prop_compose! {
    fn config_map(name: &'static str)(
        data in prop::collection::btree_map(key(), content(), 1..4),
        bytes in prop::collection::vec(key(), 0..2),
        is_named in any::<bool>(),
    ) -> Value {
        let data: Vec<_> = data.into_iter().collect();
        map(&data, &bytes, is_named, name)
    }
}

fn config_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["one", "two", "three", "gone"])
}

prop_compose! {
    fn source()(
        name in prop::sample::select(vec!["one", "two", "three", "away", "gone"]),
        prefix in prop::sample::select(vec!["", "P_"]),
        optional in any::<bool>(),
    ) -> Value {
        let field = if name == "away" { "secretRef" } else { "configMapRef" };
        json!({ "prefix": prefix, field: { "name": name, "optional": optional || name == "gone" } })
    }
}

prop_compose! {
    fn variable()(
        value in prop::sample::select(vec!["v", "$(A)", "@@KEY@@", "$(B)@@ROOT@@", "$(P_A)", ""]),
        from in prop::option::of((config_name(), key(), any::<bool>())),
    ) -> Value {
        match from {
            None => json!({ "value": value }),
            Some((name, key, optional)) => json!({ "valueFrom": { "configMapKeyRef": {
                "name": name, "key": key, "optional": optional,
            } } }),
        }
    }
}

prop_compose! {
    fn volume(name_key: &'static str)(
        name in config_name(),
        items in prop::option::of(prop::collection::btree_map(key(), (key(), any::<bool>()), 0..3)),
        optional in any::<bool>(),
        mode in prop::option::of(Just(256)),
    ) -> Value {
        let items = items.map(|items| {
            let mut paths = BTreeSet::new();
            let items = items.into_iter().filter(|(_, (path, _))| paths.insert(*path));
            items.map(|(key, (path, has_mode))| json!({
                "key": key, "path": path, "mode": has_mode.then_some(288),
            })).collect::<Vec<_>>()
        });
        let mut reference = json!({ name_key: name, "optional": optional });
        if let Some(items) = items {
            reference["items"] = items.into();
        }
        if let Some(mode) = mode {
            reference["defaultMode"] = mode.into();
        }
        json!({ "configMap": reference })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_pod_sees_what_it_saw(
        configs in (config_map("one"), config_map("two"), config_map("three")),
        sources in prop::collection::vec(source(), 0..4),
        variables in prop::collection::btree_map(
            prop::sample::select(vec!["A", "B", "P_A", "X", "a.b"]), variable(), 0..4,
        ),
        argument in "([$()A ]|@@KEY@@){0,6}",
        single in volume("name"),
        several in prop::collection::vec(volume("name"), 0..4),
    ) {
        let variables: Vec<Value> = variables.into_iter().map(|(name, mut variable)| {
            variable["name"] = name.into();
            variable
        }).collect();
        let several: Vec<Value> = several.into_iter().map(|mut source| {
            source["configMap"].as_object_mut().unwrap().remove("defaultMode");
            source
        }).collect();
        let container = json!({
            "name": "c", "args": [argument], "envFrom": sources, "env": variables,
        });
        let volumes = json!([
            single, { "projected": { "sources": several } },
        ]);
        let objects = tree(vec![
            configs.0, configs.1, configs.2, deployment(&container, &volumes),
        ]);
        check(&objects)?;
    }
}
