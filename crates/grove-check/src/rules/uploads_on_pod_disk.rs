//! Uploaded files that a restart loses.

use grove_fleet::model::{Engine, Environment, Instance};

use crate::{
    Severity,
    findings::Findings,
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "uploads-on-pod-disk",
    severity: Severity::Warning,
    summary: "a production instance keeps uploaded files on no volume",
    documentation: "\
A production instance has no `data.bucket`, and no plugin or setting that keeps files elsewhere.

Tutor keeps uploads (pictures of courses and learners, submissions, reports of grades) in the
container of the pod that received them. Another pod does not see them, and each restart, deploy and
move to another node loses them without a word.

State a bucket under `data.bucket`; one at any provider that speaks S3 will do. The plugin `minio`
brings one that runs in the namespace.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(
            "\
client: uni
environment: production
ring: general
identity: {namespace: uni, id: Zk3jH8sd92LqPw1xVb7nT4cR}
hosts: {lms: learn.uni.example, cms: studio.uni.example}
",
        ),
    )]),
    hides_source: false,
    check,
};

/// Plugins that keep files elsewhere.
const PLUGINS: [&str; 2] = ["minio", "s3"];

/// Settings that say where files are kept.
const SETTINGS: [&str; 3] = [
    "AWS_STORAGE_BUCKET_NAME",
    "DEFAULT_FILE_STORAGE",
    "STORAGES",
];

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        if instance.environment != Environment::Production || keeps_files(view, instance) {
            continue;
        }
        findings.add_with_hint(
            format!("{} loses uploaded files with each pod", instance.address),
            [view.stated(instance, &["environment"])],
            "state a bucket: `data: {bucket: {name: …, endpoint: https://…}}`",
        );
    }
}

fn keeps_files(view: &View<'_>, instance: &Instance) -> bool {
    // One that is stated and wrong is a finding of its own.
    instance.data.outside.contains_key(&Engine::S3)
        || view
            .data_problems(instance)
            .iter()
            .any(|problem| problem.path.iter().any(|key| key == "bucket"))
        || instance
            .plugins
            .iter()
            .any(|plugin| PLUGINS.contains(&plugin.as_str()))
        || instance.env.values().any(|env| {
            SETTINGS.iter().any(|setting| {
                let text = env.production.as_ref().map_or("", |text| &text.text);
                env.settings.contains_key(*setting) || text.contains(setting)
            })
        })
}
