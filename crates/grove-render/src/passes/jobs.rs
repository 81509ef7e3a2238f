//! Init tasks as Jobs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{draft::Draft, pass::Pass};
use crate::{
    Error, Task, annotations,
    object::Object,
    tasks::{self, Class, Classed},
};

pub(super) const PASS: Pass = Pass {
    name: "jobs",
    summary: "Each init task is a Job, made from the template Job of its service as `tutor k8s init` \
              does at run time; the templates themselves go. What fills an index is parted from what \
              migrates, so that no Deployment waits for it, and waits for the LMS itself. Tutor lets \
              a finished Job disappear after an hour; here it stays, since Argo CD would run it again.",
    changes: &["Job", "Job /metadata/annotations"],
    apply,
};

/// The longest logical name: sealing adds a dash and ten characters, and a Job's name may have 63.
const NAME_LIMIT: usize = 52;

/// Tutor's label on template Jobs.
const COMPONENT: &str = "app.kubernetes.io/component";

/// How often a failed pod of a Job is tried again, with growing pauses: enough for a database that
/// is still starting, and not so often that a real failure is noticed late.
const RETRIES: u32 = 3;

/// What a *data* Job does first. Pods of the same sync start beside it, so it waits for as long as
/// they take; a single question takes ten seconds at most. Images carry one of the three programs.
const WAIT_FOR_LMS: &str = r#"lms_is_healthy() {
    if command -v curl > /dev/null 2>&1; then
        curl --fail --silent --max-time 10 --output /dev/null --header "X-Forwarded-Proto: https" "$1"
    elif command -v python3 > /dev/null 2>&1; then
        python3 -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers={"X-Forwarded-Proto": "https"}), timeout=10)' "$1" 2> /dev/null
    else
        python -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers={"X-Forwarded-Proto": "https"}), timeout=10)' "$1" 2> /dev/null
    fi
}
until lms_is_healthy http://lms:8000/heartbeat; do
    echo "Waiting for the LMS..."
    sleep 10
done
"#;

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let templates = draft.objects.take(|object| {
        object.group() == "batch"
            && object.kind() == "Job"
            && (object.label(COMPONENT) == Some("job") || is_template_of(object, &draft.tasks))
    });
    let templates: BTreeMap<String, Object> = templates
        .into_iter()
        .map(|template| (template.name().to_owned(), template))
        .collect();

    let table = tasks::table(draft.tutor_major);
    let classed: Vec<Classed> = draft
        .tasks
        .iter()
        .flat_map(|task| table.classify(task))
        .collect();
    let names = logical_names(&classed);

    // Jobs that a plugin brings ready-made are immutable as well: they get a name by content too.
    // Those that Argo CD is told to run as hooks are its own affair.
    for job in draft.objects.iter_mut() {
        if job.group() == "batch"
            && job.kind() == "Job"
            && job.annotation(annotations::HOOK).is_none()
        {
            let name = job.name().to_owned();
            if name.len() > NAME_LIMIT {
                return Err(Error::new(
                    format!(
                        "the name of {object} is longer than the {NAME_LIMIT} characters that a Job may have here",
                        object = job.id()
                    ),
                    "shorten it in the plugin that adds it",
                ));
            }
            job.set_annotation(annotations::NAME, &name);
            job.set_annotation(annotations::TASK_CLASS, Class::Setup.name());
        }
    }
    let mut order = Vec::new();
    for (Classed { class, task }, name) in classed.into_iter().zip(names) {
        let template = templates
            .get(&format!("{}-job", task.service))
            .ok_or_else(|| {
                let service = &task.service;
                Error::new(
                    format!(
                        "an init task runs in {service}, and there is no Job {service}-job to run it"
                    ),
                    "a plugin that adds a task for a new service adds its Job to the patch `k8s-jobs`",
                )
            })?;
        if class != Class::Data {
            order.push(name.clone());
        }
        draft.objects.add(job(template, &name, class, task.text))?;
    }
    draft.job_order = order;
    Ok(())
}

/// Whether Tutor would take `job` as the template of one of `tasks`: it goes by name alone.
fn is_template_of(job: &Object, tasks: &[Task]) -> bool {
    job.name()
        .strip_suffix("-job")
        .is_some_and(|service| tasks.iter().any(|task| task.service == service))
}

/// A Job from its template, as Tutor's task runner makes one.
fn job(template: &Object, name: &str, class: Class, text: String) -> Object {
    let mut job = template.clone();
    job.set_metadata("name", name.into());
    job.set_annotation(annotations::NAME, name);
    job.set_annotation(annotations::TASK_CLASS, class.name());
    if let Some(spec) = job
        .value_mut()
        .get_mut("spec")
        .and_then(Value::as_object_mut)
    {
        spec.insert("backoffLimit".to_owned(), RETRIES.into());
        spec.remove("ttlSecondsAfterFinished");
        // A migration that is killed half-way is worse than one that takes long.
        if class == Class::Migrate {
            spec.remove("activeDeadlineSeconds");
        }
    }
    let text = match class {
        Class::Data => format!("{WAIT_FOR_LMS}{text}"),
        Class::Migrate | Class::Setup => text,
    };
    let container = job
        .pod_template_mut()
        .and_then(|template| template.pointer_mut("/spec/containers/0"))
        .and_then(Value::as_object_mut);
    if let Some(container) = container {
        // An empty command is Tutor's mark for an image whose entry point is in the way.
        let args = if container.get("command") == Some(&json!([])) {
            container.insert("command".to_owned(), json!(["sh", "-e", "-c"]));
            json!([text])
        } else {
            json!(["sh", "-e", "-c", text])
        };
        container.insert("args".to_owned(), args);
    }
    job
}

/// A name for each task: `<service>-<app>-<class>`, without the app where it is the service.
///
/// Tasks that would share a name end in a digest of their text instead of a number, so that neither
/// their order nor another task changes a name.
fn logical_names(classed: &[Classed]) -> Vec<String> {
    let bases: Vec<String> = classed.iter().map(base_name).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for base in &bases {
        *counts.entry(base).or_default() += 1;
    }
    let mut used = BTreeSet::new();
    let mut names = Vec::new();
    for (base, Classed { task, .. }) in bases.iter().zip(classed) {
        let shared = counts.get(base.as_str()).is_some_and(|count| *count > 1);
        let mut name = if shared || base.len() > NAME_LIMIT {
            with_digest(base, &identity(task, shared))
        } else {
            base.clone()
        };
        // The same text twice: the second is told apart by its place among the equal ones.
        let first = name.clone();
        let mut number = 2;
        while !used.insert(name.clone()) {
            name = with_digest(&first, &format!("{first}\n{number}"));
            number += 1;
        }
        names.push(name);
    }
    names
}

/// What tells `task` from others of its name; its text counts only where it has to, since a name
/// should outlive a change of the text.
fn identity(task: &Task, shared: bool) -> String {
    let app = task.app.as_deref().unwrap_or_default();
    let text = if shared { task.text.as_str() } else { "" };
    format!("{}\n{app}\n{text}", task.service)
}

fn base_name(classed: &Classed) -> String {
    let Classed { class, task } = classed;
    let service = task.service.as_str();
    let app = task.app.as_deref().filter(|app| *app != service);
    let parts = [Some(service), app, Some(class.name())];
    let name: String = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
    let safe: String = name
        .chars()
        .map(|character| match character.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => letter,
            _ => '-',
        })
        .collect();
    safe.trim_matches('-').to_owned()
}

/// `base`, cut where it is too long, and six digits that stand for `input`.
fn with_digest(base: &str, input: &str) -> String {
    const DIGITS: usize = 6;
    let digest = Sha256::digest(input.as_bytes());
    let digits: String = digest
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .take(DIGITS / 2)
        .collect();
    let room = NAME_LIMIT - DIGITS - 1;
    let head: String = base.chars().take(room).collect();
    format!("{}-{digits}", head.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Class, Classed, NAME_LIMIT, PASS, logical_names};
    use crate::{
        Task, names,
        testing::{self, template_job},
    };

    fn task(service: &str, app: &str, text: &str) -> Task {
        let app = Some(app.to_owned()).filter(|app| !app.is_empty());
        Task {
            service: service.to_owned(),
            app,
            text: text.to_owned(),
        }
    }

    fn jobs(tasks: Vec<Task>, objects: Vec<serde_json::Value>) -> Result<String, crate::Error> {
        let world = testing::World {
            tasks,
            ..testing::World::default()
        };
        let mut draft = world.draft(&[], objects)?;
        (PASS.apply)(&mut draft)?;
        Ok(testing::json(&draft.objects))
    }

    #[test]
    fn a_task_is_a_job_and_templates_go() {
        let mut minio = template_job("minio", "mc:1");
        minio["spec"]["template"]["spec"]["containers"][0]["command"] = json!([]);
        minio["spec"]["ttlSecondsAfterFinished"] = json!(60);
        let tasks = vec![
            task("lms", "lms", "./manage.py lms migrate\n"),
            task("minio", "minio", "mc mb x"),
        ];
        let objects = vec![
            template_job("lms", "openedx:1"),
            template_job("cms", "openedx:1"),
            minio,
        ];
        insta::assert_snapshot!(jobs(tasks, objects).unwrap(), @r#"
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "grove-platform.org/name": "lms-migrate",
              "grove-platform.org/task-class": "migrate"
            },
            "labels": {
              "app.kubernetes.io/component": "job"
            },
            "name": "lms-migrate"
          },
          "spec": {
            "backoffLimit": 3,
            "template": {
              "spec": {
                "containers": [
                  {
                    "args": [
                      "sh",
                      "-e",
                      "-c",
                      "./manage.py lms migrate\n"
                    ],
                    "image": "openedx:1",
                    "name": "lms"
                  }
                ],
                "restartPolicy": "Never"
              }
            }
          }
        }
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "grove-platform.org/name": "minio-setup",
              "grove-platform.org/task-class": "setup"
            },
            "labels": {
              "app.kubernetes.io/component": "job"
            },
            "name": "minio-setup"
          },
          "spec": {
            "backoffLimit": 3,
            "template": {
              "spec": {
                "containers": [
                  {
                    "args": [
                      "mc mb x"
                    ],
                    "command": [
                      "sh",
                      "-e",
                      "-c"
                    ],
                    "image": "mc:1",
                    "name": "minio"
                  }
                ],
                "restartPolicy": "Never"
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn what_fills_an_index_is_a_job_that_waits() {
        let tasks = vec![task(
            "cms",
            "cms",
            "./manage.py cms migrate\n./manage.py cms reindex_studio\n",
        )];
        insta::assert_snapshot!(jobs(tasks, vec![template_job("cms", "openedx:1")]).unwrap(), @r#"
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "grove-platform.org/name": "cms-data",
              "grove-platform.org/task-class": "data"
            },
            "labels": {
              "app.kubernetes.io/component": "job"
            },
            "name": "cms-data"
          },
          "spec": {
            "backoffLimit": 3,
            "template": {
              "spec": {
                "containers": [
                  {
                    "args": [
                      "sh",
                      "-e",
                      "-c",
                      "lms_is_healthy() {\n    if command -v curl > /dev/null 2>&1; then\n        curl --fail --silent --max-time 10 --output /dev/null --header \"X-Forwarded-Proto: https\" \"$1\"\n    elif command -v python3 > /dev/null 2>&1; then\n        python3 -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers={\"X-Forwarded-Proto\": \"https\"}), timeout=10)' \"$1\" 2> /dev/null\n    else\n        python -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers={\"X-Forwarded-Proto\": \"https\"}), timeout=10)' \"$1\" 2> /dev/null\n    fi\n}\nuntil lms_is_healthy http://lms:8000/heartbeat; do\n    echo \"Waiting for the LMS...\"\n    sleep 10\ndone\n./manage.py cms reindex_studio\n"
                    ],
                    "image": "openedx:1",
                    "name": "cms"
                  }
                ],
                "restartPolicy": "Never"
              }
            }
          }
        }
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "grove-platform.org/name": "cms-migrate",
              "grove-platform.org/task-class": "migrate"
            },
            "labels": {
              "app.kubernetes.io/component": "job"
            },
            "name": "cms-migrate"
          },
          "spec": {
            "backoffLimit": 3,
            "template": {
              "spec": {
                "containers": [
                  {
                    "args": [
                      "sh",
                      "-e",
                      "-c",
                      "./manage.py cms migrate\n# A Job of its own: ./manage.py cms reindex_studio\n"
                    ],
                    "image": "openedx:1",
                    "name": "cms"
                  }
                ],
                "restartPolicy": "Never"
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn a_job_that_a_plugin_brings_is_setup_unless_it_is_a_hook() {
        let job = |name: &str, annotations: serde_json::Value| json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "annotations": annotations}});
        insta::assert_snapshot!(jobs(vec![], vec![
            job("own", json!({})),
            job("hook", json!({"argocd.argoproj.io/hook": "Sync"})),
        ]).unwrap(), @r#"
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "argocd.argoproj.io/hook": "Sync"
            },
            "name": "hook"
          }
        }
        {
          "apiVersion": "batch/v1",
          "kind": "Job",
          "metadata": {
            "annotations": {
              "grove-platform.org/name": "own",
              "grove-platform.org/task-class": "setup"
            },
            "name": "own"
          }
        }
        "#);
    }

    #[test]
    fn a_task_without_a_template_is_refused() {
        insta::assert_snapshot!(jobs(vec![task("shop", "shop", "")], vec![]).unwrap_err(), @"an init task runs in shop, and there is no Job shop-job to run it");
    }

    fn named(tasks: &[Task]) -> Vec<String> {
        let classed = |task: &Task| Classed {
            class: Class::Setup,
            task: task.clone(),
        };
        logical_names(&tasks.iter().map(classed).collect::<Vec<_>>())
    }

    #[test]
    fn names_say_what_a_job_is_for() {
        insta::assert_debug_snapshot!(named(&[
            task("mysql", "mysql", ""),
            task("mysql", "notes", ""),
            task("lms", "", ""),
            task("lms", "shop", "a"),
            task("lms", "shop", "b"),
            task("lms", "shop", "b"),
            task("lms", "My_Long.Plugin-with-a-name-that-does-not-fit-into-a-name", ""),
        ]), @r#"
        [
            "mysql-setup",
            "mysql-notes-setup",
            "lms-setup",
            "lms-shop-setup-1592d0",
            "lms-shop-setup-71e643",
            "lms-shop-setup-71e643-239ed6",
            "lms-my-long-plugin-with-a-name-that-does-not-c8397d",
        ]
        "#);
    }

    proptest! {
        #[test]
        fn names_are_valid_unique_and_independent_of_order_and_of_other_tasks(
            tasks in prop::collection::vec(("[a-zA-Z_.é-]{0,60}", "[a-c]?", "[a-z]{0,3}"), 1..8),
            other in "[d-z]{1,9}",
        ) {
            let mut tasks: Vec<Task> = tasks.iter().map(|(s, a, t)| task(&format!("s{s}"), a, t)).collect();
            tasks.sort_by_key(|task| (task.service.clone(), task.app.clone(), task.text.clone()));
            tasks.dedup();
            let names = named(&tasks);
            let mut sorted = names.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(sorted.len(), names.len());
            for name in &names {
                prop_assert!(name.len() <= NAME_LIMIT && names::is_label(name), "{}", name);
            }
            let mut turned = tasks.clone();
            turned.reverse();
            turned.push(task("zz", &other, "x"));
            let mut again = named(&turned);
            again.pop();
            again.reverse();
            prop_assert_eq!(names, again);
        }
    }
}
