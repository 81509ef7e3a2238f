//! Files for developers, dropped.

use super::{draft::Draft, pass::Pass};
use crate::{Error, annotations, pod};

pub(super) const PASS: Pass = Pass {
    name: "development",
    summary: "Settings for development and tests leave the ConfigMaps of LMS and CMS: nothing in a \
              cluster loads them, and a change of theirs would restart production.",
    changes: &["ConfigMap /data"],
    apply,
};

const MAPS: &[&str] = &["openedx-settings-lms", "openedx-settings-cms"];
const FILES: &[&str] = &["development.py", "test.py"];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for name in MAPS {
        let dropped: Vec<&str> = FILES
            .iter()
            .copied()
            .filter(|file| {
                !draft.objects.iter().any(|object| {
                    object
                        .pod_template()
                        .is_some_and(|template| pod::reads_key(template, name, file))
                })
            })
            .collect();
        let data = draft
            .objects
            .get_mut("", "ConfigMap", name)
            .filter(|map| map.annotation(annotations::NAME).is_some())
            .and_then(|map| map.value_mut().get_mut("data")?.as_object_mut());
        if let Some(data) = data {
            data.retain(|file, _| !dropped.contains(&file.as_str()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::suffixes, PASS};
    use crate::testing::{self, deployment};

    fn settings(name: &str) -> serde_json::Value {
        let data = json!({"production.py": "1", "development.py": "2", "test.py": "3"});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
    }

    fn changes(objects: Vec<serde_json::Value>) -> String {
        testing::after(
            &[&suffixes::PASS],
            &PASS,
            &["openedx-settings-lms", "openedx-settings-cms"],
            objects,
        )
    }

    #[test]
    fn only_generated_settings_of_lms_and_cms_lose_them() {
        insta::assert_snapshot!(changes(vec![
            settings("openedx-settings-lms-2456789bcd"),
            settings("openedx-settings-cms"),
            settings("other-2456789bcd"),
        ]), @r#"
        - ConfigMap/openedx-settings-lms /data/development.py: "2"
        - ConfigMap/openedx-settings-lms /data/test.py: "3"
        "#);
    }

    #[test]
    fn a_file_that_a_pod_picks_stays() {
        let mut reader = deployment("lms", "openedx:1");
        reader["spec"]["template"]["spec"] = json!({
            "containers": [{"name": "lms", "volumeMounts": [{"name": "s", "subPath": "test.py", "mountPath": "/t"}]}],
            "volumes": [{"name": "s", "configMap": {"name": "openedx-settings-lms-2456789bcd"}}],
        });
        insta::assert_snapshot!(
            changes(vec![settings("openedx-settings-lms-2456789bcd"), reader]), @r#"- ConfigMap/openedx-settings-lms /data/development.py: "2""#);
    }
}
