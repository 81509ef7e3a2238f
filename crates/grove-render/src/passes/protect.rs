//! What Argo CD must never delete.

use super::{draft::Draft, pass::Pass};
use crate::Error;

pub(super) const PASS: Pass = Pass {
    name: "protect",
    summary: "The namespace, every volume claim, the Application and its project are never pruned or \
              deleted by Argo CD: a file that is missing from Git is not an order to destroy data.",
    changes: &["* /metadata/annotations"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let claims = draft
        .objects
        .iter_mut()
        .filter(|object| object.kind() == "PersistentVolumeClaim");
    for object in claims.chain(draft.apps.iter_mut()) {
        object.add_sync_options(&["Prune=false", "Delete=false"]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::namespace, PASS};
    use crate::testing::{self, config_map};

    #[test]
    fn claims_keep_their_own_options() {
        let claim = |name: &str, annotations: serde_json::Value| {
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": name, "annotations": annotations}})
        };
        let options = json!({"argocd.argoproj.io/sync-options": "Prune=true, Validate=false"});
        let objects = vec![
            claim("mysql", json!({})),
            claim("own", options),
            config_map("a", "b", "c"),
        ];
        insta::assert_snapshot!(testing::changes(&PASS, objects), @r#"
        + PersistentVolumeClaim/mysql /metadata/annotations/argocd.argoproj.io~1sync-options: "Prune=false,Delete=false"
        ~ PersistentVolumeClaim/own /metadata/annotations/argocd.argoproj.io~1sync-options: "Prune=true, Validate=false" → "Validate=false,Prune=false,Delete=false"
        "#);
    }

    #[test]
    fn the_namespace_is_protected() {
        let mut draft = testing::pass(&namespace::PASS, &[], vec![]).unwrap();
        (PASS.apply)(&mut draft).unwrap();
        let namespace = draft.apps.get("", "Namespace", "uni").unwrap();
        assert_eq!(
            namespace.annotation("argocd.argoproj.io/sync-options"),
            Some("Prune=false,Delete=false")
        );
    }
}
