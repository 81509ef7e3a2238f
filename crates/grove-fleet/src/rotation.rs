//! What it takes to give a secret another value.
//!
//! A value that two sides must agree on cannot be changed on one of them: a secret's class says what has to
//! happen beside the change. What is not known here is not guessed.

use std::collections::BTreeSet;

use crate::model::{Engine, Instance, Manage, OPENEDX, Search, WITH_DATABASE, credentials};

/// What it takes to rotate a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// An init task hands the value on; the deploy runs it again.
    Job,
    /// A second credential is made and deployed, then the first one goes. No request fails.
    TwoStep(Pair),
    /// Users notice: what it says.
    Disruptive(&'static str),
    /// A deploy restarts its readers, and that is all. Somebody else makes the value; `grove secret set` takes
    /// it.
    Plain(&'static str),
    /// It cannot be rotated here: why.
    Never(&'static str),
    /// Nothing is known of it.
    Unknown,
}

/// A user and its password, with what a rotation leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The secret with the user's name.
    pub user: String,
    /// The secret with its password.
    pub password: String,
    /// There between the two steps: the user of before, who still gets in.
    pub previous: String,
    /// There after the second step: the user of before, who is taken away.
    pub retired: String,
    /// The name of the user where it is no secret yet; none of a search engine's key, whose identifier is random.
    pub plain: Option<String>,
    /// Whether `grove data apply` makes the user; otherwise an init task does.
    pub is_outside: bool,
}

impl Class {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::TwoStep(_) => "two-step",
            Self::Disruptive(_) => "disruptive",
            Self::Plain(_) => "plain",
            Self::Never(_) => "never",
            Self::Unknown => "unknown",
        }
    }

    /// What it means for whoever rotates it.
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Job => "a new value; the next deploy runs the init tasks that hand it on",
            Self::TwoStep(_) => {
                "a second user, or key, beside the first; deploy; `--finish` takes the first away; deploy again"
            }
            Self::Disruptive(why) | Self::Plain(why) | Self::Never(why) => why,
            Self::Unknown => "nothing is known of it: change it by hand, with `grove secret set`",
        }
    }
}

/// The name with which a user takes turns.
pub fn alternate(user: &str) -> String {
    match user.strip_suffix("_2") {
        Some(first) => first.to_owned(),
        None => format!("{user}_2"),
    }
}

/// What it takes to rotate a secret of an instance.
pub fn class(instance: &Instance, name: &str) -> Class {
    for pair in pairs(instance) {
        if pair.password == name {
            return Class::TwoStep(pair);
        }
        if [&pair.user, &pair.previous, &pair.retired]
            .into_iter()
            .any(|known| known == name)
        {
            return Class::Never("it changes with the password beside it");
        }
    }
    if let Some(mail) = &instance.mail
        && mail.password == name
    {
        return Class::Plain("the relay's operator gives it: `grove secret set`, then deploy");
    }
    let is_own = |engine: Engine| {
        let names = credentials(engine, OPENEDX);
        name == names.user || name == names.password
    };
    match name {
        Search::KEY | Search::UID if instance.data.search.is_some() => {
            Class::Plain("whoever runs the search engine makes it: `grove secret set`, then deploy")
        }
        "ID" => Class::Never("it is part of the identity: names of objects and of volumes have it"),
        "MYSQL_ROOT_PASSWORD" | "MONGODB_ROOT_PASSWORD" => Class::Never(
            "the server took it when its volume was made: change it there first, then `grove secret set`",
        ),
        "OPENEDX_SECRET_KEY" => Class::Disruptive(
            "everybody is logged out, and links in mails that were sent stop working",
        ),
        "JWT_RSA_PRIVATE_KEY" | "JWT_COMMON_SECRET_KEY" => Class::Disruptive(
            "tokens of services and of mobile apps stop working until they ask for new ones",
        ),
        "MEILISEARCH_API_KEY" => Class::Never("it follows from the master key and its identifier"),
        "MEILISEARCH_MASTER_KEY" | "MEILISEARCH_API_KEY_UID" => Class::Job,
        _ if is_own(Engine::S3) => Class::Plain(
            "the provider gives it: make a second key there, `grove secret set` both, deploy, delete the first",
        ),
        _ if is_own(Engine::Mongodb)
            || is_own(Engine::Redis)
            || name.ends_with("_MYSQL_PASSWORD") =>
        {
            Class::Plain("the server's operator gives it: `grove secret set`, then deploy")
        }
        _ if name.contains("_OAUTH2_SECRET") || name.ends_with("_CLIENT_SECRET") => Class::Job,
        "XQUEUE_AUTH_PASSWORD" => Class::Job,
        _ if name.ends_with("_SECRET_KEY") => {
            Class::Disruptive("sessions and signed values of that service stop working")
        }
        _ => Class::Unknown,
    }
}

/// Users of databases that Grove, or Tutor in the namespace, makes.
pub fn pairs(instance: &Instance) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut add = |engine: Engine, application: &str, plain: Option<&str>, is_outside: bool| {
        let names = credentials(engine, application);
        pairs.push(Pair {
            user: names.user,
            password: names.password,
            previous: names.previous,
            retired: names.retired,
            plain: plain.map(str::to_owned),
            is_outside,
        });
    };
    for engine in Engine::ALL {
        match instance.data.outside.get(&engine) {
            Some(outside)
                if engine == Engine::Meilisearch && outside.manage != Manage::External =>
            {
                add(engine, OPENEDX, None, true);
            }
            Some(outside) if outside.manage != Manage::External => {
                for (application, user) in &outside.users {
                    add(engine, application, Some(user), true);
                }
            }
            // Tutor's task makes whatever user the configuration names, and there may be two.
            None if engine == Engine::Mysql => {
                let plugins = instance.plugins.iter().map(String::as_str);
                let plugins = plugins.filter(|plugin| WITH_DATABASE.contains(plugin));
                for application in [OPENEDX].into_iter().chain(plugins) {
                    let user = instance.config.get(&credentials(engine, application).user);
                    let user = user.and_then(serde_json::Value::as_str);
                    add(
                        engine,
                        application,
                        Some(user.unwrap_or(application)),
                        false,
                    );
                }
            }
            _ => {}
        }
    }
    pairs
}

/// Every secret of an instance, by name, with what it takes.
pub fn plan(instance: &Instance) -> Vec<(String, Class)> {
    let of_pairs: BTreeSet<String> = pairs(instance)
        .into_iter()
        .flat_map(|pair| [pair.user, pair.previous, pair.retired])
        .collect();
    let names = instance
        .secrets
        .keys()
        .filter(|name| !of_pairs.contains(*name));
    names
        .map(|name| (name.clone(), class(instance, name)))
        .collect()
}

/// The rotation of an instance that stands between its two steps, by the name of the password.
pub fn unfinished(instance: &Instance) -> Vec<Pair> {
    let pairs = pairs(instance).into_iter();
    pairs
        .filter(|pair| instance.secrets.contains_key(&pair.previous))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{alternate, class, plan, unfinished};
    use crate::{
        Address, Snapshot,
        load::{documents, fleet},
        model::Instance,
    };

    fn instance(data: &str, secrets: &[&str]) -> Instance {
        let line = ": ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\n";
        let file = secrets
            .iter()
            .flat_map(|name| [*name, line])
            .collect::<String>();
        let text = format!(
            "client: uni\ndistribution: v\nidentity: {{namespace: uni, id: Zk3jH8sd92LqPw1xVb7nT4cR}}\n\
             mail: {{host: smtp.example, user: u, password: {{secret: RELAY}}}}\ndata: {data}\n"
        );
        let cluster = "provider: existing\nservers: {main: {engine: mysql, host: db.example, admin: {user: root, password: {secret: P}}}, find: {engine: meilisearch, url: 'http://find.internal', public_url: 'https://find.example', admin: {password: {secret: M}}}}\n";
        let snapshot = Snapshot::default()
            .with("clusters/prod/cluster.yaml", cluster)
            .with("clusters/prod/instances/uni/instance.yaml", &text)
            .with("clusters/prod/instances/uni/secrets.sops.yaml", &file);
        let fleet = fleet(&documents(&snapshot));
        fleet.instances[&Address::new("prod", "uni")].clone()
    }

    #[test]
    fn every_secret_has_a_class_and_none_is_guessed() {
        let names = [
            "OPENEDX_SECRET_KEY",
            "OPENEDX_MYSQL_PASSWORD",
            "OPENEDX_MYSQL_USERNAME",
            "MYSQL_ROOT_PASSWORD",
            "CMS_OAUTH2_SECRET",
            "MEILISEARCH_MASTER_KEY",
            "JWT_RSA_PRIVATE_KEY",
            "OPENEDX_AWS_SECRET_ACCESS_KEY",
            "REDIS_PASSWORD",
            "RELAY",
            "SHOP_TOKEN",
            "NOTES_SECRET_KEY",
        ];
        let lines = |data: &str| {
            let instance = instance(data, &names);
            let plan = plan(&instance).into_iter();
            plan.map(|(name, class)| format!("{name} {}", class.name()))
                .collect::<Vec<_>>()
                .join("\n")
        };
        insta::assert_snapshot!(lines("{mysql: {server: main}}"), @"
        CMS_OAUTH2_SECRET job
        JWT_RSA_PRIVATE_KEY disruptive
        MEILISEARCH_MASTER_KEY job
        MYSQL_ROOT_PASSWORD never
        NOTES_SECRET_KEY disruptive
        OPENEDX_AWS_SECRET_ACCESS_KEY plain
        OPENEDX_MYSQL_PASSWORD two-step
        OPENEDX_SECRET_KEY disruptive
        REDIS_PASSWORD plain
        RELAY plain
        SHOP_TOKEN unknown
        ");
        // A key of a search engine that is shared, and of one that somebody else runs.
        let key = |data: &str| {
            let instance = instance(data, &["MEILISEARCH_API_KEY", "MEILISEARCH_API_KEY_UID"]);
            ["MEILISEARCH_API_KEY", "MEILISEARCH_API_KEY_UID"]
                .map(|name| class(&instance, name).name())
        };
        assert_eq!(key("{search: {server: find}}"), ["two-step", "never"]);
        assert_eq!(
            key("{search: {url: 'https://find.example'}}"),
            ["plain", "plain"]
        );
        // A server that somebody else runs.
        let external = instance("{mysql: {mode: external, host: db.example}}", &names);
        assert_eq!(class(&external, "OPENEDX_MYSQL_PASSWORD").name(), "plain");
        // Tutor's own.
        let own = instance("{}", &names);
        assert_eq!(class(&own, "OPENEDX_MYSQL_PASSWORD").name(), "two-step");
        assert_eq!(class(&own, "OPENEDX_MYSQL_USERNAME").name(), "never");
    }

    #[test]
    fn users_take_turns_and_a_rotation_is_known_by_its_names() {
        assert_eq!(alternate(&alternate("uni")), "uni");
        let none = instance("{mysql: {server: main}}", &["OPENEDX_MYSQL_PASSWORD"]);
        assert!(unfinished(&none).is_empty());
        let between = instance(
            "{mysql: {server: main}}",
            &["OPENEDX_MYSQL_PREVIOUS_USERNAME"],
        );
        assert_eq!(unfinished(&between)[0].password, "OPENEDX_MYSQL_PASSWORD");
    }
}
