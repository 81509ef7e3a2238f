//! The order of a sync.

use std::collections::BTreeMap;

use super::{draft::Draft, pass::Pass};
use crate::{Error, annotations, data_services, object::Object, tasks::Class};

pub(super) const PASS: Pass = Pass {
    name: "waves",
    summary: "A sync goes in waves: configuration, Services and data services with their volumes; \
              then each *migrate* and *setup* Job in Tutor's order; last everything that needs them. \
              A failed Job so leaves the old pods serving. *data* Jobs come last and do not count for \
              the instance's health. In the cluster's own Application, the instance's project and \
              namespace come before its Application, whose health does not hold that one up.",
    changes: &["* /metadata/annotations"],
    apply,
};

/// The wave of all that needs finished Jobs. It is far from the Jobs', so that a task more does not
/// touch every Deployment's file.
const LAST: u32 = 1000;

/// The wave of Jobs that a plugin brings ready-made and gives none.
const PLUGIN_JOBS: u32 = 900;

/// Kinds that others read or go through, and that need nothing themselves.
const FIRST: &[&str] = &[
    "ConfigMap",
    "ExternalSecret",
    "Issuer",
    "LimitRange",
    "Middleware",
    "NetworkPolicy",
    "ResourceQuota",
    "SealedSecret",
    "Secret",
    "Service",
];

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    // Argo CD looks at an Application once when it appears; one without its project is then left
    // alone for minutes.
    for application in draft
        .apps
        .iter_mut()
        .filter(|object| object.kind() == "Application")
    {
        application.set_annotation(annotations::SYNC_WAVE, "1");
        application.set_annotation(annotations::IGNORE_HEALTH, "true");
    }
    let gates: BTreeMap<&str, u32> = draft
        .job_order
        .iter()
        .map(String::as_str)
        .zip(1..PLUGIN_JOBS)
        .collect();
    // A claim waits for its first pod on many storage classes, so it goes where that pod goes.
    let mut claims: BTreeMap<String, u32> = BTreeMap::new();
    for object in draft.objects.iter() {
        let wave = wave(object, &gates);
        for claim in data_services::claims(object) {
            let first = claims.entry(claim.to_owned()).or_insert(wave);
            *first = wave.min(*first);
        }
    }
    let waves: Vec<u32> = draft
        .objects
        .iter()
        .map(|object| match object.kind() {
            "PersistentVolumeClaim" => claims.get(object.name()).copied().unwrap_or(LAST),
            _ => wave(object, &gates),
        })
        .collect();
    for (object, wave) in draft.objects.iter_mut().zip(waves) {
        if object.annotation(annotations::HOOK).is_some() {
            continue;
        }
        match wave {
            0 => object.remove_annotation(annotations::SYNC_WAVE),
            _ => object.set_annotation(annotations::SYNC_WAVE, &wave.to_string()),
        }
        if object.annotation(annotations::TASK_CLASS) == Some(Class::Data.name()) {
            object.set_annotation(annotations::IGNORE_HEALTH, "true");
        }
    }
    Ok(())
}

/// The wave of an object that is no claim.
fn wave(object: &Object, gates: &BTreeMap<&str, u32>) -> u32 {
    let class = object.annotation(annotations::TASK_CLASS);
    if let Some(wave) = gates.get(object.name()).filter(|_| object.kind() == "Job") {
        *wave
    } else if class == Some(Class::Setup.name()) {
        let own = object.annotation(annotations::SYNC_WAVE);
        own.and_then(|own| own.parse().ok())
            .filter(|own| (1..LAST).contains(own))
            .unwrap_or(PLUGIN_JOBS)
    } else if FIRST.contains(&object.kind()) || data_services::is_data_service(object) {
        0
    } else {
        LAST
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::jobs, PASS};
    use crate::{
        Task,
        testing::{self, claim, config_map, deployment, template_job, with_claim},
    };

    #[test]
    fn data_first_then_jobs_in_their_order_then_the_rest() {
        let task = |service: &str, app: &str, text: &str| Task {
            service: service.to_owned(),
            app: Some(app.to_owned()),
            text: text.to_owned(),
        };
        let tasks = vec![
            task("mysql", "mysql", ""),
            task("lms", "lms", ""),
            task("cms", "cms", "./manage.py cms reindex_studio\n"),
            task("lms", "mfe", ""),
        ];
        let world = testing::World {
            tasks,
            ..testing::World::default()
        };
        let mut ingress = config_map("learn", "a", "b");
        ingress["kind"] = json!("Ingress");
        ingress["apiVersion"] = json!("networking.k8s.io/v1");
        let own = |name: &str, wave: &str| {
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata":
                {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave}}})
        };
        let mut hook = own("hook", "7");
        hook["metadata"]["annotations"]["argocd.argoproj.io/hook"] = json!("Sync");
        let objects = vec![
            template_job("mysql", "mysql:8"),
            with_claim(template_job("lms", "openedx:1"), "media"),
            template_job("cms", "openedx:1"),
            config_map("a", "b", "c"),
            with_claim(deployment("mysql", "mysql:8"), "mysql"),
            with_claim(deployment("own-database", "db:1"), "own"),
            with_claim(deployment("lms", "openedx:1"), "media"),
            deployment("caddy", "caddy:2"),
            claim("mysql"),
            claim("own"),
            claim("media"),
            claim("unused"),
            ingress,
            own("plain", "x"),
            own("early", "3"),
            hook,
        ];
        let mut draft = world.draft(&[], objects).unwrap();
        (jobs::PASS.apply)(&mut draft).unwrap();
        insta::assert_snapshot!(testing::run(&PASS, &mut draft).unwrap(), @r#"
        + Deployment/caddy /metadata/annotations: {"argocd.argoproj.io/sync-wave":"1000"}
        + Deployment/lms /metadata/annotations: {"argocd.argoproj.io/sync-wave":"1000"}
        + Ingress/learn /metadata/annotations: {"argocd.argoproj.io/sync-wave":"1000"}
        + Job/cms-data /metadata/annotations/argocd.argoproj.io~1ignore-healthcheck: "true"
        + Job/cms-data /metadata/annotations/argocd.argoproj.io~1sync-wave: "1000"
        + Job/cms-migrate /metadata/annotations/argocd.argoproj.io~1sync-wave: "3"
        + Job/lms-mfe-setup /metadata/annotations/argocd.argoproj.io~1sync-wave: "4"
        + Job/lms-migrate /metadata/annotations/argocd.argoproj.io~1sync-wave: "2"
        + Job/mysql-setup /metadata/annotations/argocd.argoproj.io~1sync-wave: "1"
        ~ Job/plain /metadata/annotations/argocd.argoproj.io~1sync-wave: "x" → "900"
        + PersistentVolumeClaim/media /metadata/annotations: {"argocd.argoproj.io/sync-wave":"2"}
        + PersistentVolumeClaim/unused /metadata/annotations: {"argocd.argoproj.io/sync-wave":"1000"}
        "#);
    }
}
