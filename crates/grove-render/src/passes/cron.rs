//! Jobs by schedule.

use grove_fleet::{model::Overlap, schedule};
use serde_json::json;

use super::{draft::Draft, pass::Pass};
use crate::{Error, names, once, workloads};

pub(super) const PASS: Pass = Pass {
    name: "cron",
    summary: "Each job of `cron` is a CronJob with the image, the configuration and the secrets of its \
              service; no shell reads its command. Its pods get no requests.",
    changes: &["CronJob"],
    apply,
};

/// The longest name: Kubernetes adds eleven characters for each run.
const NAME_LIMIT: usize = 52;

/// How many finished Jobs stay to be looked at.
const KEPT: u32 = 3;

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (name, cron) in &draft.instance.cron {
        let refuse = |reason: String| {
            Error::new(
                format!("`cron.{name}` cannot run: {reason}"),
                "see `grove schema instance`, or leave it out with `null`",
            )
        };
        if !names::is_label(name) || name.len() > NAME_LIMIT {
            return Err(refuse(format!(
                "its name is no name of at most {NAME_LIMIT} lower-case letters, digits and dashes"
            )));
        }
        schedule::check(&cron.schedule).map_err(|error| refuse(error.to_string()))?;
        if cron.command.is_empty() {
            return Err(refuse("it has no command".to_owned()));
        }
        let key = format!("cron.{name}.service");
        let found = workloads::get(&draft.objects, &key, &cron.service)?;
        let workload = found.ok_or_else(|| {
            refuse(format!(
                "its service {} is not in the environment",
                cron.service
            ))
        })?;
        let template = workload
            .pod_template()
            .and_then(|template| {
                once::template(
                    template,
                    &cron.service,
                    &format!("cron-{name}"),
                    &cron.command,
                )
            })
            .ok_or_else(|| refuse(format!("its service {} has no container", cron.service)))?;
        let mut job = json!({"backoffLimit": 0, "template": template});
        if let Some(deadline) = cron.deadline {
            job["activeDeadlineSeconds"] = deadline.into();
        }
        let mut spec = json!({
            "schedule": cron.schedule,
            "concurrencyPolicy": match cron.overlap {
                Overlap::Skip => "Forbid",
                Overlap::Allow => "Allow",
                Overlap::Replace => "Replace",
            },
            "successfulJobsHistoryLimit": KEPT,
            "failedJobsHistoryLimit": KEPT,
            "jobTemplate": {"spec": job},
        });
        if let Some(zone) = &cron.timezone {
            spec["timeZone"] = zone.as_str().into();
        }
        draft.add("batch/v1", "CronJob", name, json!({"spec": spec}))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Cron;
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, deployment};

    fn run(name: &str, cron: Cron) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        world.instance.cron.insert(name.to_owned(), cron);
        let mut lms = deployment("lms", "openedx:1");
        lms["spec"]["template"]["spec"]["containers"][0]["ports"] =
            json!([{"containerPort": 8000}]);
        let mut draft = world.draft(&[], vec![lms])?;
        let _changes = testing::run(&PASS, &mut draft)?;
        let made = draft.objects.get("batch", "CronJob", name).unwrap();
        Ok(serde_json::to_string_pretty(&made.value()["spec"]).unwrap())
    }

    fn cron(schedule: &str, service: &str, command: &[&str]) -> Cron {
        Cron {
            schedule: schedule.to_owned(),
            service: service.to_owned(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            timezone: Some("Europe/Berlin".to_owned()),
            deadline: Some(600),
            ..Cron::default()
        }
    }

    #[test]
    fn a_job_is_its_services_pod_with_another_command() {
        let command = ["./manage.py", "lms", "clearsessions", "$(X) 'a b'; rm"];
        insta::assert_snapshot!(run("clear", cron("17 3 * * *", "lms", &command)).unwrap(), @r#"
        {
          "concurrencyPolicy": "Forbid",
          "failedJobsHistoryLimit": 3,
          "jobTemplate": {
            "spec": {
              "activeDeadlineSeconds": 600,
              "backoffLimit": 0,
              "template": {
                "metadata": {
                  "labels": {
                    "app.kubernetes.io/name": "cron-clear"
                  }
                },
                "spec": {
                  "containers": [
                    {
                      "command": [
                        "./manage.py",
                        "lms",
                        "clearsessions",
                        "$$(X) 'a b'; rm"
                      ],
                      "image": "openedx:1",
                      "name": "cron-clear"
                    }
                  ],
                  "restartPolicy": "Never"
                }
              }
            }
          },
          "schedule": "17 3 * * *",
          "successfulJobsHistoryLimit": 3,
          "timeZone": "Europe/Berlin"
        }
        "#);
    }

    #[test]
    fn what_could_never_run_is_refused() {
        let message = |name: &str, cron: Cron| run(name, cron).unwrap_err().to_string();
        insta::assert_snapshot!(message("clear", cron("0 0 31 2 *", "lms", &["a"])), @"`cron.clear` cannot run: it is never due: no such month has that day");
        insta::assert_snapshot!(message("clear", cron("@daily", "lms", &[])), @"`cron.clear` cannot run: it has no command");
        insta::assert_snapshot!(message("clear", cron("@daily", "lsm", &["a"])), @"`cron.clear.service` names lsm, and the environment has no such workload");
        insta::assert_snapshot!(message("clear", cron("@daily", "notes", &["a"])), @"`cron.clear` cannot run: its service notes is not in the environment");
        insta::assert_snapshot!(message("Clear it", cron("@daily", "lms", &["a"])), @"`cron.Clear it` cannot run: its name is no name of at most 52 lower-case letters, digits and dashes");
    }
}
