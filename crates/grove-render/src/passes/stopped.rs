//! No pod of an instance runs.

use grove_fleet::model::State;

use super::{draft::Draft, pass::Pass};
use crate::{Error, workloads};

pub(super) const PASS: Pass = Pass {
    name: "stopped",
    summary: "While `state` is `stopped`, every workload has no pod, nothing scales one up, and jobs by \
              schedule wait. Volumes, configuration and secrets stay.",
    changes: &[
        "* /spec/replicas",
        "CronJob /spec/suspend",
        "HorizontalPodAutoscaler",
    ],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    if draft.instance.state != State::Stopped {
        return Ok(());
    }
    draft
        .objects
        .take(|object| object.kind() == "HorizontalPodAutoscaler");
    for object in draft.objects.iter_mut() {
        if workloads::is_workload(object) {
            object.value_mut()["spec"]["replicas"] = 0.into();
        } else if object.kind() == "CronJob" {
            object.value_mut()["spec"]["suspend"] = true.into();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::State;
    use serde_json::json;

    use super::PASS;
    use crate::testing::{self, claim, deployment};

    #[test]
    fn nothing_runs_and_data_stays() {
        let mut world = testing::World::default();
        let object = |api: &str, kind: &str| json!({"apiVersion": api, "kind": kind, "metadata": {"name": "lms"}, "spec": {}});
        let objects = vec![
            deployment("lms", "openedx:1"),
            object("autoscaling/v2", "HorizontalPodAutoscaler"),
            object("batch/v1", "CronJob"),
            claim("mysql"),
        ];
        let changes = |world: &testing::World| {
            testing::run(&PASS, &mut world.draft(&[], objects.clone()).unwrap()).unwrap()
        };
        assert_eq!(changes(&world), "");
        world.instance.state = State::Stopped;
        insta::assert_snapshot!(changes(&world), @"
        + CronJob/lms /spec/suspend: true
        + Deployment/lms /spec/replicas: 0
        - HorizontalPodAutoscaler/lms
        ");
    }
}
