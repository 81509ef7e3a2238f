//! Data that is outside of an instance's namespace: what Tutor is told of it, and the Job that makes users
//! and databases.

use std::collections::BTreeMap;

use grove_fleet::model::{
    Data, Engine, Instance, Manage, OPENEDX, Outside, Search, credentials, prefix,
};
use serde_json::{Value, json};

use crate::python;

/// The namespace of the Jobs that make users and databases. No instance lives there, and what they know
/// of a server stays there no longer than they do.
pub const DATA_NAMESPACE: &str = "grove-data";

/// The patch that stands in the settings of LMS and CMS alike.
const COMMON: &str = "openedx-common-settings";

/// What the Job runs.
const ADMIN: &str = include_str!("data/admin.py");

/// Settings that keep files in a bucket, after the names of bucket and server; see the file.
const BUCKET: &str = include_str!("data/bucket.py");

/// Settings with which a key of the search engine needs no right to read keys; see the file.
const SEARCH: &str = include_str!("data/search.py");

/// Where the Job finds its two files.
const FILES: &str = "/grove/data";

/// How long the Job may take, in seconds: a bucket is emptied file by file.
const DEADLINE: u32 = 3600;

/// Tutor's configuration values for what is outside.
pub(crate) fn config(instance: &Instance) -> BTreeMap<String, Value> {
    let mut config = BTreeMap::new();
    let mut set = |key: &str, value: Value| {
        config.insert(key.to_owned(), value);
    };
    for (engine, outside) in &instance.data.outside {
        let host = Value::from(outside.host.as_str());
        let port = Value::from(outside.port);
        match engine {
            Engine::Mysql => {
                set("RUN_MYSQL", false.into());
                set("MYSQL_HOST", host);
                set("MYSQL_PORT", port);
                // Tutor's tasks for databases do not run, so nothing asks for it.
                set("MYSQL_ROOT_PASSWORD", "".into());
                for (application, database) in &outside.databases {
                    let name = format!("{}_MYSQL_DATABASE", prefix(application));
                    set(&name, database.as_str().into());
                }
            }
            Engine::Mongodb => {
                set("RUN_MONGODB", false.into());
                set("MONGODB_HOST", host);
                set("MONGODB_PORT", port);
                set("MONGODB_USE_SSL", outside.tls.into());
                for (application, key) in [
                    (OPENEDX, "MONGODB_DATABASE"),
                    ("forum", "FORUM_MONGODB_DATABASE"),
                ] {
                    if let Some(database) = outside.databases.get(application) {
                        set(key, database.as_str().into());
                    }
                }
            }
            Engine::Redis => {
                set("RUN_REDIS", false.into());
                set("REDIS_HOST", host);
                set("REDIS_PORT", port);
                for (application, key) in [
                    ("celery", "OPENEDX_CELERY_REDIS_DB"),
                    ("cache", "OPENEDX_CACHE_REDIS_DB"),
                ] {
                    let number = outside.databases.get(application);
                    let number = number.and_then(|number| number.parse::<u64>().ok());
                    set(key, number.into());
                }
            }
            Engine::S3 | Engine::Meilisearch => {}
        }
        for (application, user) in &outside.users {
            let name = credentials(*engine, application).user;
            // Where the user is a secret, a rotation changes it together with its password.
            if !instance.secrets.contains_key(&name) {
                set(&name, user.as_str().into());
            }
        }
    }
    if let Some(search) = &instance.data.search {
        set("RUN_MEILISEARCH", false.into());
        set("MEILISEARCH_URL", search.url.as_str().into());
        set("MEILISEARCH_PUBLIC_URL", search.public_url.as_str().into());
        set("MEILISEARCH_INDEX_PREFIX", search.prefix.as_str().into());
        // Tutor's task that makes a key does not run, so nothing asks for them.
        set(Search::MASTER, "".into());
        if !instance.secrets.contains_key(Search::UID) {
            set(Search::UID, "".into());
        }
    }
    config
}

/// Settings of Open edX for what is outside: the patch, and its text.
pub(crate) fn settings(instance: &Instance) -> Option<(&'static str, String)> {
    let mut text = String::new();
    for (engine, outside) in &instance.data.outside {
        match engine {
            Engine::Mysql => {
                if outside.manage == Manage::Create {
                    text.push_str(
                        "DATABASES[\"default\"][\"OPTIONS\"][\"charset\"] = \"utf8mb4\"\n",
                    );
                }
                if outside.tls {
                    text.push_str(
                        "DATABASES[\"default\"][\"OPTIONS\"][\"ssl_mode\"] = \"REQUIRED\"\n",
                    );
                }
            }
            Engine::Redis => {
                // Tutor has the address of its own Redis here, whatever the configuration says.
                let url = event_bus(instance, outside);
                text.push_str(&python::assignment(
                    "EVENT_BUS_REDIS_CONNECTION_URL",
                    &url.into(),
                ));
            }
            Engine::S3 => text.push_str(&bucket(outside)),
            Engine::Meilisearch if instance.secrets.contains_key(Search::UID) => {
                text.push_str(SEARCH);
            }
            Engine::Mongodb | Engine::Meilisearch => {}
        }
    }
    (!text.is_empty()).then_some((COMMON, text))
}

fn event_bus(instance: &Instance, outside: &Outside) -> String {
    let names = credentials(Engine::Redis, OPENEDX);
    let value = |name: &str, plain: Option<&String>| {
        if instance.secrets.contains_key(name) {
            format!("@@{name}@@")
        } else {
            plain.cloned().unwrap_or_default()
        }
    };
    let user = value(&names.user, outside.users.get(OPENEDX));
    let password = value(&names.password, None);
    let who = match (user.is_empty(), password.is_empty()) {
        (_, true) => String::new(),
        _ => format!("{user}:{password}"),
    };
    format!("redis://{who}@{}:{}/", outside.host, outside.port)
}

fn bucket(outside: &Outside) -> String {
    let name = outside.databases.get(OPENEDX);
    let optional = |text: Option<&String>| text.map_or(Value::Null, |text| text.as_str().into());
    let endpoint = Some(&outside.host).filter(|host| !host.is_empty());
    let mut text = String::new();
    for (setting, value) in [
        ("AWS_STORAGE_BUCKET_NAME", optional(name)),
        ("AWS_S3_ENDPOINT_URL", optional(endpoint)),
        ("AWS_S3_REGION_NAME", optional(outside.region.as_ref())),
        ("AWS_S3_CUSTOM_DOMAIN", optional(outside.domain.as_ref())),
        // A name of its own serves to anybody; every other address is signed.
        ("AWS_QUERYSTRING_AUTH", outside.domain.is_none().into()),
    ] {
        text.push_str(&python::assignment(setting, &value));
    }
    text.push_str(BUCKET);
    text
}

/// The names of the secrets of an instance with which its data is reached, those that a rotation leaves
/// behind among them.
pub fn data_secrets(instance: &Instance) -> Vec<String> {
    let mut names = Vec::new();
    for (engine, application) in applications(&instance.data) {
        let of = credentials(engine, &application);
        for name in [of.user, of.password, of.retired] {
            if instance.secrets.contains_key(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// What has a user of its own: engine and application.
fn applications(data: &Data) -> Vec<(Engine, String)> {
    let mut all = Vec::new();
    for (engine, outside) in &data.outside {
        match engine {
            Engine::Mysql => {
                let applications = outside.databases.keys();
                all.extend(applications.map(|application| (*engine, application.clone())));
            }
            _ => all.push((*engine, OPENEDX.to_owned())),
        }
    }
    all
}

/// What the Job is told of each service: `value` gives a secret of the instance, `admin` the password of a
/// server's administrator by its name. None of them where a service needs one that is not there; then its
/// name is the error.
pub fn data_services(
    instance: &Instance,
    admins: &BTreeMap<String, (String, String)>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Value>, String> {
    let mut services = Vec::new();
    for (engine, application) in applications(&instance.data) {
        let Some(outside) = instance.data.outside.get(&engine) else {
            continue;
        };
        let names = credentials(engine, &application);
        let stated = outside.users.get(&application).cloned();
        let user = value(&names.user).or(stated);
        let password = value(&names.password);
        let (user, password) = match (user, password) {
            (Some(user), Some(password)) => (user, password),
            // A Redis that asks nobody for a name.
            (None, None) if engine == Engine::Redis => continue,
            // A key of somebody else's, whose identifier nobody told.
            (None, Some(password)) if engine == Engine::Meilisearch => (String::new(), password),
            (None, _) => return Err(names.user),
            (_, None) => return Err(names.password),
        };
        let database = match engine {
            Engine::Redis => user.clone(),
            _ => outside
                .databases
                .get(&application)
                .cloned()
                .unwrap_or_default(),
        };
        let mut service = json!({
            "engine": engine.name(), "manage": outside.manage.name(), "tls": outside.tls,
            "database": database, "user": user, "password": password,
            "retired": value(&names.retired),
        });
        if [Engine::S3, Engine::Meilisearch].contains(&engine) {
            let endpoint = Some(&outside.host).filter(|host| !host.is_empty());
            service["endpoint"] = endpoint.cloned().into();
            service["region"] = outside.region.clone().into();
        } else {
            service["host"] = outside.host.as_str().into();
            service["port"] = outside.port.into();
        }
        if engine == Engine::Mongodb {
            let also = outside
                .databases
                .iter()
                .filter(|(name, _)| *name != OPENEDX);
            service["also"] = also.map(|(_, database)| database.as_str()).collect();
        }
        if outside.manage != Manage::External
            && let Some(server) = &outside.server
            && let Some((user, password)) = admins.get(server)
        {
            service["admin"] = json!({"user": user, "password": password});
        }
        services.push(service);
    }
    Ok(services)
}

/// A Job that makes, verifies or removes users and databases, with what it needs.
#[derive(Clone, Debug)]
pub struct DataJob<'a> {
    /// The Job's name.
    pub name: &'a str,
    /// The image: one with Python and the drivers of every engine, and nothing of a client's.
    pub image: &'a str,
    /// `apply`, `verify` or `remove`.
    pub action: &'a str,
    /// See [`data_services`].
    pub services: &'a [Value],
}

/// The namespace of such Jobs, and what closes it.
pub fn data_namespace() -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {
                "name": DATA_NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        }),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "nobody-gets-in", "namespace": DATA_NAMESPACE},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
        }),
    ]
}

/// The objects of a Job, the Job first: the Secret goes when it does.
pub fn data_job(job: &DataJob<'_>) -> Vec<Value> {
    let asked = json!({"action": job.action, "services": job.services});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "immutable": true,
        "metadata": {"name": job.name, "namespace": DATA_NAMESPACE},
        "stringData": {"admin.py": ADMIN, "asked.json": asked.to_string()},
    });
    let pod = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "data",
            "image": job.image,
            "command": ["python", format!("{FILES}/admin.py"), format!("{FILES}/asked.json")],
            "env": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
            "resources": {
                "requests": {"cpu": "50m", "memory": "128Mi"},
                "limits": {"memory": "512Mi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": true,
            },
            "volumeMounts": [{"name": "asked", "mountPath": FILES, "readOnly": true}],
        }],
        "volumes": [{"name": "asked", "secret": {"secretName": job.name, "defaultMode": 0o440}}],
    });
    let run = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": job.name, "namespace": DATA_NAMESPACE},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE,
            // Long enough to be read, and its secrets go with it.
            "ttlSecondsAfterFinished": 300,
            "template": {"spec": pod},
        },
    });
    vec![run, secret]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use grove_fleet::model::{Engine, Manage, Mode, Outside};

    use super::{DataJob, config, data_job, data_secrets, data_services, settings};
    use crate::testing;

    fn outside(manage: Manage, names: &[(&str, &str)], users: &[(&str, &str)]) -> Outside {
        let map = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        Outside {
            mode: Mode::Shared,
            server: Some("main".to_owned()),
            host: "db.example".to_owned(),
            port: 3306,
            tls: true,
            region: Some("eu".to_owned()),
            domain: None,
            manage,
            databases: map(names),
            users: map(users),
        }
    }

    fn instance() -> grove_fleet::model::Instance {
        let mut instance = testing::instance();
        let mysql = outside(
            Manage::Create,
            &[("openedx", "uni_openedx"), ("notes", "uni_notes")],
            &[("openedx", "uni"), ("notes", "uni_notes")],
        );
        let mongodb = outside(
            Manage::Create,
            &[("openedx", "uni_openedx"), ("forum", "uni_forum")],
            &[("openedx", "uni")],
        );
        let redis = outside(
            Manage::External,
            &[("celery", "4"), ("cache", "5")],
            &[("openedx", "default")],
        );
        let mut bucket = outside(Manage::External, &[("openedx", "uni-media")], &[]);
        bucket.host = "https://s3.example".to_owned();
        instance.data.outside = [
            (Engine::Mysql, mysql),
            (Engine::Mongodb, mongodb),
            (Engine::Redis, redis),
            (Engine::S3, bucket),
        ]
        .into();
        for name in [
            "OPENEDX_MYSQL_USERNAME",
            "OPENEDX_MYSQL_PASSWORD",
            "OPENEDX_MYSQL_RETIRED_USERNAME",
            "NOTES_MYSQL_PASSWORD",
            "MONGODB_PASSWORD",
            "REDIS_PASSWORD",
            "OPENEDX_AWS_ACCESS_KEY",
            "OPENEDX_AWS_SECRET_ACCESS_KEY",
        ] {
            testing::secret(&mut instance, name);
        }
        instance
    }

    #[test]
    fn tutor_is_told_where_data_is() {
        let instance = instance();
        let told: Vec<String> = config(&instance)
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        FORUM_MONGODB_DATABASE: "uni_forum"
        MONGODB_DATABASE: "uni_openedx"
        MONGODB_HOST: "db.example"
        MONGODB_PORT: 3306
        MONGODB_USERNAME: "uni"
        MONGODB_USE_SSL: true
        MYSQL_HOST: "db.example"
        MYSQL_PORT: 3306
        MYSQL_ROOT_PASSWORD: ""
        NOTES_MYSQL_DATABASE: "uni_notes"
        NOTES_MYSQL_USERNAME: "uni_notes"
        OPENEDX_CACHE_REDIS_DB: 5
        OPENEDX_CELERY_REDIS_DB: 4
        OPENEDX_MYSQL_DATABASE: "uni_openedx"
        REDIS_HOST: "db.example"
        REDIS_PORT: 3306
        REDIS_USERNAME: "default"
        RUN_MONGODB: false
        RUN_MYSQL: false
        RUN_REDIS: false
        "#);
        let (patch, text) = settings(&instance).unwrap();
        assert_eq!(patch, "openedx-common-settings");
        insta::assert_snapshot!(text.split("# Uploaded").next().unwrap(), @r#"
        DATABASES["default"]["OPTIONS"]["charset"] = "utf8mb4"
        DATABASES["default"]["OPTIONS"]["ssl_mode"] = "REQUIRED"
        EVENT_BUS_REDIS_CONNECTION_URL = "redis://default:@@REDIS_PASSWORD@@@db.example:3306/"
        AWS_STORAGE_BUCKET_NAME = "uni-media"
        AWS_S3_ENDPOINT_URL = "https://s3.example"
        AWS_S3_REGION_NAME = "eu"
        AWS_S3_CUSTOM_DOMAIN = None
        AWS_QUERYSTRING_AUTH = True
        "#);
    }

    /// An instance whose search engine is outside, with these secrets.
    fn searching(server: Option<&str>, secrets: &[&str]) -> grove_fleet::model::Instance {
        let mut instance = testing::instance();
        let mut outside = outside(Manage::Create, &[("openedx", "uni_")], &[]);
        outside.host = "http://find.internal:7700".to_owned();
        outside.server = server.map(str::to_owned);
        if server.is_none() {
            outside.manage = Manage::External;
        }
        instance.data.outside = [(Engine::Meilisearch, outside)].into();
        instance.data.search = Some(grove_fleet::model::Search {
            url: "http://find.internal:7700".to_owned(),
            public_url: "https://find.example".to_owned(),
            prefix: "uni_".to_owned(),
        });
        for name in secrets {
            testing::secret(&mut instance, name);
        }
        instance
    }

    #[test]
    fn a_search_engine_is_told_and_asked_for_no_key() {
        let told = |instance: &grove_fleet::model::Instance| {
            let config: Vec<String> = config(instance)
                .iter()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect();
            let admins: BTreeMap<_, _> =
                [("main".to_owned(), (String::new(), "m".to_owned()))].into();
            let held = |name: &str| instance.secrets.contains_key(name);
            let value = |name: &str| held(name).then(|| name.to_lowercase());
            let services = data_services(instance, &admins, &value).unwrap();
            format!("{}\n{}", config.join("\n"), services[0])
        };
        let shared = searching(
            Some("main"),
            &["MEILISEARCH_API_KEY", "MEILISEARCH_API_KEY_UID"],
        );
        insta::assert_snapshot!(told(&shared), @r#"
        MEILISEARCH_INDEX_PREFIX: "uni_"
        MEILISEARCH_MASTER_KEY: ""
        MEILISEARCH_PUBLIC_URL: "https://find.example"
        MEILISEARCH_URL: "http://find.internal:7700"
        RUN_MEILISEARCH: false
        {"admin":{"password":"m","user":""},"database":"uni_","endpoint":"http://find.internal:7700","engine":"meilisearch","manage":"create","password":"meilisearch_api_key","region":"eu","retired":null,"tls":true,"user":"meilisearch_api_key_uid"}
        "#);
        let (_, text) = settings(&shared).unwrap();
        assert!(text.ends_with(
            "_grove_search(\"@@MEILISEARCH_API_KEY@@\", \"@@MEILISEARCH_API_KEY_UID@@\")\n"
        ));
        // A key alone: Open edX asks whose it is.
        let external = searching(None, &["MEILISEARCH_API_KEY"]);
        insta::assert_snapshot!(told(&external), @r#"
        MEILISEARCH_API_KEY_UID: ""
        MEILISEARCH_INDEX_PREFIX: "uni_"
        MEILISEARCH_MASTER_KEY: ""
        MEILISEARCH_PUBLIC_URL: "https://find.example"
        MEILISEARCH_URL: "http://find.internal:7700"
        RUN_MEILISEARCH: false
        {"database":"uni_","endpoint":"http://find.internal:7700","engine":"meilisearch","manage":"external","password":"meilisearch_api_key","region":"eu","retired":null,"tls":true,"user":""}
        "#);
        assert_eq!(settings(&external), None);
    }

    #[test]
    fn a_job_is_told_what_it_needs_and_no_more() {
        let instance = instance();
        insta::assert_snapshot!(data_secrets(&instance).join(" "), @"NOTES_MYSQL_PASSWORD OPENEDX_MYSQL_USERNAME OPENEDX_MYSQL_PASSWORD OPENEDX_MYSQL_RETIRED_USERNAME MONGODB_PASSWORD REDIS_PASSWORD OPENEDX_AWS_ACCESS_KEY OPENEDX_AWS_SECRET_ACCESS_KEY");
        let admins: BTreeMap<_, _> =
            [("main".to_owned(), ("root".to_owned(), "r".to_owned()))].into();
        let value = |name: &str| {
            instance
                .secrets
                .contains_key(name)
                .then(|| name.to_lowercase())
        };
        let services = data_services(&instance, &admins, &value).unwrap();
        let lines: Vec<String> = services.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"admin":{"password":"r","user":"root"},"database":"uni_notes","engine":"mysql","host":"db.example","manage":"create","password":"notes_mysql_password","port":3306,"retired":null,"tls":true,"user":"uni_notes"}
        {"admin":{"password":"r","user":"root"},"database":"uni_openedx","engine":"mysql","host":"db.example","manage":"create","password":"openedx_mysql_password","port":3306,"retired":"openedx_mysql_retired_username","tls":true,"user":"openedx_mysql_username"}
        {"admin":{"password":"r","user":"root"},"also":["uni_forum"],"database":"uni_openedx","engine":"mongodb","host":"db.example","manage":"create","password":"mongodb_password","port":3306,"retired":null,"tls":true,"user":"uni"}
        {"database":"default","engine":"redis","host":"db.example","manage":"external","password":"redis_password","port":3306,"retired":null,"tls":true,"user":"default"}
        {"database":"uni-media","endpoint":"https://s3.example","engine":"s3","manage":"external","password":"openedx_aws_secret_access_key","region":"eu","retired":null,"tls":true,"user":"openedx_aws_access_key"}
        "#);
        let missing = data_services(&instance, &admins, &|_| None).unwrap_err();
        assert_eq!(missing, "NOTES_MYSQL_PASSWORD");
        let objects = data_job(&DataJob {
            name: "data-uni-1",
            image: "openedx:1",
            action: "apply",
            services: &services,
        });
        let job = objects[0].to_string();
        assert!(!job.contains("openedx_mysql_password"), "{job}");
        assert_eq!(objects[1]["stringData"].as_object().unwrap().len(), 2);
    }
}
