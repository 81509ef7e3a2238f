//! One namespace for everything, and its object apart.

use serde_json::Map;

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, annotations, names,
    object::{self, Object},
};

pub(super) const PASS: Pass = Pass {
    name: "namespace",
    summary: "Everything is in the instance's namespace. The Namespace itself is applied by the \
              cluster's own Application, since the instance's project knows no objects of the \
              cluster, and its Pod Security level is `baseline`, unless the fleet states an exception: \
              enforced on pods, and already named to who applies a workload.",
    changes: &["Namespace", "* /metadata/namespace"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let own = &draft.instance.identity.namespace;
    if !names::is_label(own) {
        return Err(object::bad_name("Namespace", own));
    }
    let namespaces = draft
        .objects
        .take(|object| object.group().is_empty() && object.kind() == "Namespace");
    let mut namespace = None;
    for object in namespaces {
        if object.name() != own {
            return Err(foreign(&object, object.name(), own));
        }
        namespace = Some(object);
    }
    let mut namespace =
        namespace.unwrap_or_else(|| Object::new("v1", "Namespace", own, Map::new()));
    let security = &draft.instance.pod_security;
    for mode in ["enforce", "warn", "audit"] {
        namespace.set_label(
            &format!("pod-security.kubernetes.io/{mode}"),
            security.level.name(),
        );
    }
    if let Some(reason) = &security.reason {
        namespace.set_annotation(annotations::POD_SECURITY, reason);
    }
    draft.apps.add(namespace)?;

    for object in draft.objects.iter_mut() {
        if let Some(other) = object.namespace()
            && other != own
        {
            return Err(foreign(object, other, own));
        }
        object.set_metadata("namespace", own.clone().into());
    }
    Ok(())
}

fn foreign(object: &Object, namespace: &str, own: &str) -> Error {
    Error::new(
        format!(
            "{object} is for the namespace {namespace:?}, and the instance has {own:?}",
            object = object.id()
        ),
        "an instance's objects belong to its own namespace",
    )
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::{PodSecurity, PodSecurityLevel};
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, config_map, namespace};

    #[test]
    fn objects_get_the_namespace_and_its_object_moves() {
        insta::assert_snapshot!(
            testing::changes(&PASS, vec![namespace("uni"), config_map("a", "b", "c")]), @r#"
        + ConfigMap/a /metadata/namespace: "uni"
        - Namespace/uni
        "#);
    }

    #[test]
    fn an_exception_is_stated_with_its_reason() {
        let mut world = testing::World::default();
        world.instance.pod_security = PodSecurity {
            level: PodSecurityLevel::Privileged,
            reason: Some("a host path".to_owned()),
        };
        let mut draft = world.draft(&[], vec![]).unwrap();
        (PASS.apply)(&mut draft).unwrap();
        let made = testing::json(&draft.apps);
        assert!(
            made.contains("\"pod-security.kubernetes.io/enforce\": \"privileged\""),
            "{made}"
        );
        assert!(
            made.contains("\"grove-platform.org/pod-security\": \"a host path\""),
            "{made}"
        );
    }

    #[test]
    fn a_namespace_is_made_where_there_is_none() {
        let draft = testing::pass(&PASS, &[], vec![]).unwrap();
        let made: Vec<String> = draft
            .apps
            .iter()
            .map(|object| object.id().to_string())
            .collect();
        assert_eq!(made, ["Namespace/uni"]);
    }

    #[test]
    fn a_namespace_has_a_valid_name() {
        let mut world = testing::World::default();
        world.instance.identity.namespace = "a/b".to_owned();
        let mut draft = world.draft(&[], vec![]).unwrap();
        insta::assert_snapshot!((PASS.apply)(&mut draft).unwrap_err(), @r#"Namespace has the name "a/b", which is not a valid Kubernetes name"#);
    }

    #[test]
    fn other_namespaces_are_refused() {
        let mut elsewhere = config_map("a", "b", "c");
        elsewhere["metadata"]["namespace"] = json!("argocd");
        insta::assert_snapshot!(testing::pass(&PASS, &[], vec![elsewhere]).unwrap_err(), @r#"ConfigMap/a is for the namespace "argocd", and the instance has "uni""#);
        insta::assert_snapshot!(testing::pass(&PASS, &[], vec![namespace("argocd")]).unwrap_err(), @r#"Namespace/argocd is for the namespace "argocd", and the instance has "uni""#);
    }
}
