//! Configuration of Jobs under names that stay.

use std::collections::BTreeSet;

use super::{draft::Draft, pass::Pass};
use crate::{Error, annotations, object::Object, pod};

pub(super) const PASS: Pass = Pass {
    name: "job-settings",
    summary: "Jobs read copies of the configuration under names that never change. A finished Job is \
              immutable and stays for many releases, while the names that Deployments read change \
              with their content.",
    changes: &["ConfigMap", "Job /spec/template/spec"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let generated: BTreeSet<String> = draft
        .objects
        .iter()
        .filter(|object| object.kind() == "ConfigMap")
        .filter_map(|object| object.annotation(annotations::NAME))
        .map(str::to_owned)
        .collect();
    let mut copied = BTreeSet::new();
    let jobs = draft.objects.iter_mut().filter(|object| {
        // A hook's Job is made anew by each sync and may read what Deployments read.
        object.kind() == "Job" && object.annotation(annotations::TASK_CLASS).is_some()
    });
    for job in jobs {
        if let Some(template) = job.pod_template_mut() {
            pod::each_config_map(template, &mut |name| {
                if generated.contains(name) {
                    copied.insert(name.clone());
                    *name = copy_name(name);
                }
            });
        }
    }
    for name in copied {
        if let Some(map) = draft.objects.get("", "ConfigMap", &name) {
            let copy = copy_of(map, &copy_name(&name));
            draft.objects.add(copy)?;
        }
    }
    Ok(())
}

fn copy_name(name: &str) -> String {
    format!("{name}-jobs")
}

fn copy_of(map: &Object, name: &str) -> Object {
    let mut copy = map.clone();
    copy.set_metadata("name", name.into());
    copy.remove_annotation(annotations::NAME);
    copy.set_annotation(annotations::JOBS_COPY, "true");
    copy
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{jobs, suffixes},
        PASS,
    };
    use crate::{
        Task,
        testing::{self, config_map, deployment, template_job},
    };

    #[test]
    fn jobs_read_copies_and_deployments_do_not() {
        let volumes = json!([
            {"name": "a", "configMap": {"name": "settings-2456789bcd"}},
            {"name": "b", "configMap": {"name": "own"}},
        ]);
        let mut job = template_job("lms", "openedx:1");
        job["spec"]["template"]["spec"]["volumes"] = volumes.clone();
        let mut lms = deployment("lms", "openedx:1");
        lms["spec"]["template"]["spec"]["volumes"] = volumes;
        let task = Task {
            service: "lms".into(),
            app: Some("lms".into()),
            text: String::new(),
        };
        let world = testing::World {
            tasks: vec![task],
            ..testing::World::default()
        };
        let objects = vec![
            config_map("settings-2456789bcd", "a", "1"),
            config_map("unread-2456789bcd", "a", "1"),
            config_map("own", "a", "1"),
            job,
            lms,
        ];
        let mut draft = world.draft(&["settings", "unread"], objects).unwrap();
        (suffixes::PASS.apply)(&mut draft).unwrap();
        (jobs::PASS.apply)(&mut draft).unwrap();
        insta::assert_snapshot!(testing::run(&PASS, &mut draft).unwrap(), @r#"
        + ConfigMap/settings-jobs
        ~ Job/lms-migrate /spec/template/spec/volumes/0/configMap/name: "settings" → "settings-jobs"
        "#);
    }
}
