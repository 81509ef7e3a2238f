//! Generated configuration under stable names.

use std::collections::BTreeMap;

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, annotations,
    object::{Object, each_text},
    pod,
};

pub(super) const PASS: Pass = Pass {
    name: "suffixes",
    summary: "Generated ConfigMaps lose the hash that Kustomize adds to their names, and what reads \
              them follows. The hash covers placeholders, so it would not change with a secret; \
              sealing names each object by its content and its secrets instead, and finds the \
              stable name in an annotation.",
    changes: &[
        "ConfigMap",
        "* /spec/template/spec",
        "* /spec/jobTemplate/spec/template/spec",
    ],
    apply,
};

/// Length of Kustomize's hash, and the letters that it is made of: hexadecimal digits, some of them
/// replaced so that no word comes out.
const HASH_LENGTH: usize = 10;
const HASH_LETTERS: &[u8] = b"2456789bcdfghkmt";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let generated = |object: &Object| {
        object.kind() == "ConfigMap"
            && stem(object.name()).is_some_and(|stem| draft.generators.contains(stem))
    };
    let mut renamed = BTreeMap::new();
    for mut map in draft.objects.take(generated) {
        let name = map.name().to_owned();
        let stem = stem(&name).unwrap_or(&name).to_owned();
        map.set_metadata("name", stem.clone().into());
        map.set_annotation(annotations::NAME, &stem);
        draft.objects.add(map)?;
        renamed.insert(name, stem);
    }
    for object in draft.objects.iter_mut() {
        if let Some(template) = object.pod_template_mut() {
            pod::each_config_map(template, &mut |name| {
                if let Some(stem) = renamed.get(name) {
                    name.clone_from(stem);
                }
            });
        }
    }
    // A name that is left stands where nothing was followed, and would mean no object any more.
    for object in draft.objects.iter() {
        let mut left = None;
        each_text(object.value(), &mut |text| {
            if renamed.contains_key(text) {
                left = Some(text.to_owned());
            }
        });
        if let Some(name) = left {
            return Err(Error::new(
                format!(
                    "{object} names the generated ConfigMap {name:?} in a place that cannot be followed",
                    object = object.id()
                ),
                "set `disableNameSuffixHash` on the generator, or mount the ConfigMap as a volume",
            ));
        }
    }
    Ok(())
}

/// A name without Kustomize's hash; none where it has none.
fn stem(name: &str) -> Option<&str> {
    let (stem, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == HASH_LENGTH && hash.bytes().all(|b| HASH_LETTERS.contains(&b));
    is_hash.then_some(stem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, config_map, deployment};

    #[test]
    fn names_and_every_reader_lose_the_hash() {
        let mut reader = deployment("lms", "openedx:1");
        reader["spec"]["template"]["spec"] = json!({
            "containers": [{
                "name": "lms",
                "envFrom": [{"configMapRef": {"name": "settings-2456789bcd"}}],
                "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings-2456789bcd", "key": "a"}}}],
            }],
            "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "settings-2456789bcd"}}]}],
            "volumes": [
                {"name": "a", "configMap": {"name": "settings-2456789bcd"}},
                {"name": "b", "projected": {"sources": [{"configMap": {"name": "settings-2456789bcd"}}]}},
                {"name": "c", "configMap": {"name": "own-2456789bcd"}},
            ],
        });
        let draft = testing::pass(
            &PASS,
            &["settings"],
            vec![
                config_map("settings-2456789bcd", "a", "1"),
                config_map("own-2456789bcd", "a", "1"),
                reader,
            ],
        );
        insta::assert_snapshot!(testing::json(&draft.unwrap().objects), @r#"
        {
          "apiVersion": "v1",
          "data": {
            "a": "1"
          },
          "kind": "ConfigMap",
          "metadata": {
            "name": "own-2456789bcd"
          }
        }
        {
          "apiVersion": "v1",
          "data": {
            "a": "1"
          },
          "kind": "ConfigMap",
          "metadata": {
            "annotations": {
              "grove-platform.org/name": "settings"
            },
            "name": "settings"
          }
        }
        {
          "apiVersion": "apps/v1",
          "kind": "Deployment",
          "metadata": {
            "labels": {
              "app.kubernetes.io/name": "lms"
            },
            "name": "lms"
          },
          "spec": {
            "selector": {
              "matchLabels": {
                "app.kubernetes.io/name": "lms"
              }
            },
            "template": {
              "metadata": {
                "labels": {
                  "app.kubernetes.io/name": "lms"
                }
              },
              "spec": {
                "containers": [
                  {
                    "env": [
                      {
                        "name": "A",
                        "valueFrom": {
                          "configMapKeyRef": {
                            "key": "a",
                            "name": "settings"
                          }
                        }
                      }
                    ],
                    "envFrom": [
                      {
                        "configMapRef": {
                          "name": "settings"
                        }
                      }
                    ],
                    "name": "lms"
                  }
                ],
                "initContainers": [
                  {
                    "envFrom": [
                      {
                        "configMapRef": {
                          "name": "settings"
                        }
                      }
                    ],
                    "name": "i"
                  }
                ],
                "volumes": [
                  {
                    "configMap": {
                      "name": "settings"
                    },
                    "name": "a"
                  },
                  {
                    "name": "b",
                    "projected": {
                      "sources": [
                        {
                          "configMap": {
                            "name": "settings"
                          }
                        }
                      ]
                    }
                  },
                  {
                    "configMap": {
                      "name": "own-2456789bcd"
                    },
                    "name": "c"
                  }
                ]
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn a_reference_that_cannot_be_followed_is_refused() {
        let mut reader = deployment("lms", "openedx:1");
        reader["spec"]["template"]["spec"]["containers"][0]["args"] =
            json!(["settings-2456789bcd"]);
        let error = testing::pass(
            &PASS,
            &["settings"],
            vec![config_map("settings-2456789bcd", "a", "1"), reader],
        )
        .unwrap_err();
        insta::assert_snapshot!(error, @r#"Deployment/lms names the generated ConfigMap "settings-2456789bcd" in a place that cannot be followed"#);
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let error = testing::pass(
            &PASS,
            &["settings"],
            vec![
                config_map("settings-2456789bcd", "a", "1"),
                config_map("settings", "a", "1"),
            ],
        )
        .unwrap_err();
        insta::assert_snapshot!(error, @"ConfigMap/settings is there twice");
    }
}
