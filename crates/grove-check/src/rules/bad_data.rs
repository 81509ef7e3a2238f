//! A data service that nobody could reach.

use grove_fleet::model::{Engine, Instance, Manage, credentials, prefix};

use crate::{
    Severity,
    findings::{Findings, quote},
    rule::{Content, Example, Rule},
    view::View,
};

pub(crate) const RULE: Rule = Rule {
    id: "bad-data",
    severity: Severity::Error,
    summary: "`data` names no server, no name or no secret that there is",
    documentation: "\
`data` names a server that the cluster does not have, or one of another kind; an address, database
or user that no server takes; says of a service in the namespace what is for one outside; lacks the
secret with which the instance gets in; or says what `config` says as well.

An instance that does not reach its data does not start, and where the data is should stand in one
place.

`servers` of `cluster.yaml` has the servers that instances share. `grove secret generate` makes the
users and passwords of databases that Grove makes; others are set with `grove secret set`.",
    example: Example::files(&[(
        "clusters/prod/instances/uni/instance.yaml",
        Content::Text(concat!(
            include_str!("../base/instance.yaml"),
            "data: {mysql: {mode: shared, server: main}}\n"
        )),
    )]),
    hides_source: false,
    check,
};

fn check(view: &View<'_>, findings: &mut Findings<'_>) {
    for instance in view.fleet.instances.values() {
        for problem in view.data_problems(instance) {
            let path: Vec<&str> = problem.path.iter().map(String::as_str).collect();
            findings.add(problem.message.as_str(), [view.stated(instance, &path)]);
        }
        secrets(view, instance, findings);
        for key in doubled(instance) {
            findings.add_with_hint(
                format!("{} is for `data` to say", quote(key)),
                [view.stated_key(instance, &["config", key])],
                "take one of the two out",
            );
        }
    }
}

/// Names of users and passwords that are not there.
fn secrets(view: &View<'_>, instance: &Instance, findings: &mut Findings<'_>) {
    for (engine, outside) in &instance.data.outside {
        let applications: Vec<&str> = match engine {
            Engine::Mysql => outside.databases.keys().map(String::as_str).collect(),
            // Of these an operator may have none to name: MongoDB and Redis without users.
            Engine::Mongodb | Engine::Redis if outside.manage == Manage::External => Vec::new(),
            _ => vec!["openedx"],
        };
        let mut missing = Vec::new();
        for application in applications {
            let names = credentials(*engine, application);
            // A user that somebody else made may stand in the fleet.
            let is_stated = outside.users.contains_key(application)
                || instance.config.contains_key(&names.user)
                // Whoever runs a search engine may give a key alone.
                || *engine == Engine::Meilisearch;
            if outside.manage != Manage::External || !is_stated {
                missing.push(names.user);
            }
            missing.push(names.password);
        }
        missing.retain(|name| !instance.secrets.contains_key(name));
        if missing.is_empty() {
            continue;
        }
        let hint = match outside.manage {
            Manage::External => format!("`grove secret set {} NAME`", instance.address),
            _ if *engine == Engine::S3 => format!("`grove secret set {} NAME`", instance.address),
            _ => format!("`grove secret generate {}` makes them", instance.address),
        };
        let names: Vec<String> = missing.iter().map(|name| quote(name)).collect();
        findings.add_with_hint(
            format!("there is no secret {}", names.join(" and no ")),
            [view.stated_key(instance, &["data", engine.key()])],
            hint,
        );
    }
}

/// Keys of `config` that `data` decides.
fn doubled(instance: &Instance) -> Vec<&str> {
    let mut ours: Vec<String> = Vec::new();
    for (engine, outside) in &instance.data.outside {
        let server = match engine {
            Engine::Mysql => "MYSQL",
            Engine::Mongodb => "MONGODB",
            Engine::Redis => "REDIS",
            Engine::S3 => continue,
            Engine::Meilisearch => {
                let keys = [
                    "RUN_MEILISEARCH",
                    "MEILISEARCH_URL",
                    "MEILISEARCH_INDEX_PREFIX",
                ];
                ours.extend(keys.map(str::to_owned));
                continue;
            }
        };
        ours.extend(["HOST", "PORT"].map(|what| format!("{server}_{what}")));
        ours.push(format!("RUN_{server}"));
        match engine {
            Engine::Mysql => {
                for application in outside.databases.keys() {
                    ours.push(format!("{}_MYSQL_DATABASE", prefix(application)));
                }
            }
            Engine::Mongodb => {
                ours.extend(
                    [
                        "MONGODB_DATABASE",
                        "FORUM_MONGODB_DATABASE",
                        "MONGODB_USE_SSL",
                    ]
                    .map(str::to_owned),
                );
            }
            _ => ours
                .extend(["OPENEDX_CELERY_REDIS_DB", "OPENEDX_CACHE_REDIS_DB"].map(str::to_owned)),
        }
        ours.extend(
            outside
                .users
                .keys()
                .map(|application| credentials(*engine, application).user),
        );
    }
    let keys = instance.config.keys().map(String::as_str);
    keys.filter(|key| ours.iter().any(|our| our == key))
        .collect()
}
