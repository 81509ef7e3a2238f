//! The parts of a pod template that passes look at.

use serde_json::Value;

/// The containers of a pod template: init containers first.
pub(crate) fn containers(template: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"]
        .into_iter()
        .filter_map(|key| template.pointer("/spec")?.get(key)?.as_array())
        .flatten()
}

/// The containers of a pod template that run as long as the pod does.
pub(crate) fn long_running(template: &Value) -> impl Iterator<Item = &Value> {
    let all = template
        .pointer("/spec/containers")
        .and_then(Value::as_array);
    all.into_iter().flatten()
}

/// The container of a pod's `spec` that does what the workload is named for: the one of its name, or the
/// first.
pub(crate) fn main_mut<'a>(spec: &'a mut Value, workload: &str) -> Option<&'a mut Value> {
    let containers = spec.get_mut("containers")?.as_array_mut()?;
    let own = containers
        .iter()
        .position(|container| text(container, "/name") == Some(workload));
    containers.get_mut(own.unwrap_or(0))
}

/// A container that does one thing and ends: program and arguments, which no shell reads, in place of what it
/// serves with.
pub(crate) fn once(mut container: Value, command: &[String]) -> Value {
    if let Some(fields) = container.as_object_mut() {
        for field in [
            "lifecycle",
            "livenessProbe",
            "ports",
            "readinessProbe",
            "startupProbe",
        ] {
            fields.remove(field);
        }
        // Kubernetes would read `$(NAME)` as a variable; `$$` is a dollar to it.
        let words: Vec<String> = command
            .iter()
            .map(|word| word.replace("$(", "$$("))
            .collect();
        fields.insert("command".to_owned(), words.into());
        fields.remove("args");
    }
    container
}

/// The volumes of a pod template.
pub(crate) fn volumes(template: &Value) -> impl Iterator<Item = &Value> {
    template
        .pointer("/spec/volumes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Calls `change` with the name of every `ConfigMap` that the pods of `template` read: volumes
/// (projected ones too), `envFrom`, and `env`.
pub(crate) fn each_config_map(template: &mut Value, change: &mut impl FnMut(&mut String)) {
    let Some(spec) = template.get_mut("spec") else {
        return;
    };
    for volume in items(spec, "volumes") {
        name_at(volume, "/configMap/name", change);
        if let Some(projected) = volume.get_mut("projected") {
            for source in items(projected, "sources") {
                name_at(source, "/configMap/name", change);
            }
        }
    }
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(spec, key) {
            for source in items(container, "envFrom") {
                name_at(source, "/configMapRef/name", change);
            }
            for variable in items(container, "env") {
                name_at(variable, "/valueFrom/configMapKeyRef/name", change);
            }
        }
    }
}

/// Whether the pods of `template` pick `key` of the `ConfigMap` `name` for itself: by an item of a
/// volume, by a mounted path, or as a variable.
pub(crate) fn reads_key(template: &Value, name: &str, key: &str) -> bool {
    let picks = |source: Option<&Value>| {
        source.is_some_and(|source| {
            text(source, "/name") == Some(name)
                && source
                    .get("items")
                    .and_then(Value::as_array)
                    .is_some_and(|items| items.iter().any(|item| text(item, "/key") == Some(key)))
        })
    };
    let volume_picks = volumes(template).any(|volume| {
        let projected = volume
            .pointer("/projected/sources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        picks(volume.get("configMap")) || projected.into_iter().any(|s| picks(s.get("configMap")))
    });
    let mounted: Vec<&str> = volumes(template)
        .filter(|volume| text(volume, "/configMap/name") == Some(name))
        .filter_map(|volume| text(volume, "/name"))
        .collect();
    volume_picks
        || containers(template).any(|container| {
            let list = |key: &str| {
                container
                    .get(key)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
            };
            list("volumeMounts").any(|mount| {
                text(mount, "/subPath") == Some(key)
                    && text(mount, "/name").is_some_and(|volume| mounted.contains(&volume))
            }) || list("env").any(|variable| {
                let reference = "/valueFrom/configMapKeyRef";
                variable.pointer(reference).is_some_and(|reference| {
                    text(reference, "/name") == Some(name) && text(reference, "/key") == Some(key)
                })
            })
        })
}

/// The text at `pointer`, where there is one.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn items<'a>(value: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    value
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn name_at(value: &mut Value, pointer: &str, change: &mut impl FnMut(&mut String)) {
    if let Some(Value::String(name)) = value.pointer_mut(pointer) {
        change(name);
    }
}
