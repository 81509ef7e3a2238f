//! `data` of an instance, joined with `servers` of its cluster.

use std::collections::BTreeMap;

use grove_yaml::Node;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::read::text as merged_text;
use crate::{
    Quantity,
    layer::Merged,
    model::{
        Admin, Cluster, Engine, Instance, Manage, Mode, OPENEDX, Outside, Search, Server, Volume,
        WITH_DATABASE, credentials,
    },
};

/// How much of a namespace stands in a derived name: with a digest, the longest application and the mark of
/// a rotation it is a user of `MySQL`, who has 32 characters at most.
const HEAD: usize = 9;

/// Databases that Redis has where nobody configured more.
const NUMBERS: u64 = 16;

/// What is wrong with `data` of an instance, as only all of its layers and its cluster show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataProblem {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

/// `servers` of a cluster.
pub(super) fn servers(root: Option<&Node>) -> BTreeMap<String, Server> {
    let all = root.and_then(|root| root.get("servers"));
    let all = all.into_iter().flat_map(Node::entries);
    all.filter_map(|entry| Some((entry.key.clone(), server(&entry.value)?)))
        .collect()
}

fn server(node: &Node) -> Option<Server> {
    let value = node.to_json();
    let engine = Engine::from_name(text(&value, "engine")?)?;
    let admin = value.get("admin").and_then(|admin| {
        let user = match engine {
            Engine::Meilisearch => "",
            _ => text(admin, "user")?,
        };
        Some(Admin {
            user: user.to_owned(),
            password: text(admin.get("password")?, "secret")?.to_owned(),
        })
    });
    Some(Server {
        engine,
        host: owned(&value, "host").unwrap_or_default(),
        port: port(&value).unwrap_or(engine.port()),
        tls: is_true(&value, "tls"),
        endpoint: match engine {
            Engine::Meilisearch => owned(&value, "url"),
            _ => owned(&value, "endpoint"),
        },
        public_url: owned(&value, "public_url"),
        region: owned(&value, "region"),
        admin,
    })
}

/// Volumes of the services in the namespace.
pub(super) fn volumes(merged: Option<&Merged<'_>>) -> BTreeMap<String, Volume> {
    let services = merged.into_iter().flat_map(Merged::entries);
    services
        .filter_map(|(name, service)| {
            let volume = service.get("volume")?;
            let size = volume.get("size");
            let size = size.and_then(|size| Quantity::of(&size.node.value));
            let class = merged_text(volume, "class");
            Some((name.to_owned(), Volume { size, class }))
        })
        .collect()
}

/// Reads what of an instance's data is not in its namespace, from `data` as it is stated with outputs of
/// stacks in their places, and says what is wrong with it.
pub(super) fn read(
    instance: &mut Instance,
    cluster: Option<&Cluster>,
    stated: &Value,
) -> Vec<DataProblem> {
    let mut problems = Vec::new();
    let mut data = std::mem::take(&mut instance.data);
    for engine in Engine::ALL {
        let Some(service) = stated.get(engine.key()) else {
            continue;
        };
        let mut reader = Reader {
            instance,
            cluster,
            engine,
            service,
            problems: &mut problems,
        };
        if engine == Engine::Meilisearch {
            if let Some((search, outside)) = reader.search() {
                data.search = Some(search);
                data.outside.insert(engine, outside);
            }
        } else if let Some(outside) = reader.outside() {
            data.outside.insert(engine, outside);
        }
    }
    instance.data = data;
    problems
}

/// The name of databases and users that none was stated for: the same for good, as the identity is.
fn derived(instance: &Instance) -> String {
    let identity = &instance.identity;
    let digest = Sha256::digest(identity.id.as_bytes());
    let number = digest.iter().take(4);
    let number = number.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let head: String = identity.namespace.chars().take(HEAD).collect();
    format!(
        "{}_{number:08x}",
        head.replace('-', "_").trim_end_matches('_')
    )
}

/// Whether a text is an address: a scheme, and a host that nothing else follows but a port or a path.
fn is_address(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_sign))
}

/// A problem was noted.
struct Noted;

struct Reader<'a> {
    instance: &'a Instance,
    cluster: Option<&'a Cluster>,
    engine: Engine,
    service: &'a Value,
    problems: &'a mut Vec<DataProblem>,
}

impl Reader<'_> {
    fn problem(&mut self, key: &str, message: impl Into<String>) {
        let mut path = vec!["data".to_owned(), self.engine.key().to_owned()];
        path.extend((!key.is_empty()).then(|| key.to_owned()));
        self.problems.push(DataProblem {
            path,
            message: message.into(),
        });
    }

    fn mode(&self) -> Mode {
        let stated = text(self.service, "mode").and_then(Mode::from_name);
        stated.unwrap_or_else(|| match self.engine {
            _ if self.service.get("server").is_some() => Mode::Shared,
            // There is no bucket in a namespace.
            Engine::S3 => Mode::External,
            _ => Mode::InNamespace,
        })
    }

    fn outside(&mut self) -> Option<Outside> {
        let mode = self.mode();
        if mode == Mode::InNamespace {
            let wrong = [
                "server",
                "host",
                "port",
                "tls",
                "databases",
                "users",
                "manage",
            ]
            .into_iter()
            .find(|key| self.service.get(key).is_some());
            if let Some(key) = wrong {
                self.problem(key, format!("`{key}` says nothing of a service in the namespace: `mode` is `in-namespace`"));
            }
            return None;
        }
        if self.service.get("volume").is_some() {
            self.problem(
                "volume",
                "the volume of a server outside is not the instance's",
            );
        }
        let server = self.server(mode).ok()?;
        let address = match &server {
            Some((_, server)) if self.engine == Engine::S3 => {
                server.endpoint.clone().unwrap_or_default()
            }
            Some((_, server)) => server.host.clone(),
            None if self.engine == Engine::S3 => {
                owned(self.service, "endpoint").unwrap_or_default()
            }
            None => self.host(),
        };
        let of_server = server.as_ref().map(|(_, server)| server);
        let manage = self.manage(mode, of_server);
        let databases = self.databases(mode);
        let users = self.users(manage, &databases);
        Some(Outside {
            mode,
            server: server.as_ref().map(|(name, _)| name.clone()),
            host: address,
            port: of_server
                .map(|server| server.port)
                .or_else(|| port(self.service))
                .unwrap_or(self.engine.port()),
            tls: of_server.map_or_else(|| is_true(self.service, "tls"), |server| server.tls),
            region: of_server
                .and_then(|server| server.region.clone())
                .or_else(|| owned(self.service, "region")),
            domain: owned(self.service, "domain"),
            manage,
            databases,
            users,
        })
    }

    /// Where search is, where it is not in the namespace.
    fn search(&mut self) -> Option<(Search, Outside)> {
        let service = self.service;
        let stated = text(service, "mode").and_then(Mode::from_name);
        let mode = stated.unwrap_or_else(|| match service {
            _ if service.get("server").is_some() => Mode::Shared,
            _ if service.get("url").is_some() => Mode::External,
            _ => Mode::InNamespace,
        });
        if mode == Mode::InNamespace {
            for key in ["server", "manage", "url", "public_url", "prefix"] {
                if service.get(key).is_some() {
                    self.problem(key, "this says nothing of a search engine in the namespace");
                }
            }
            return None;
        }
        if service.get("volume").is_some() {
            self.problem(
                "volume",
                "the volume of a server outside is not the instance's",
            );
        }
        let server = self.server(mode).ok()?;
        let of_server = server.as_ref().map(|(_, server)| server);
        let place = if server.is_some() { "server" } else { "url" };
        if server.is_some() && service.get("url").is_some() {
            self.problem("url", "the server's address stands in the cluster");
        }
        let url = match of_server {
            Some(server) => server.endpoint.clone(),
            None => owned(service, "url"),
        };
        let Some(url) = url else {
            match &server {
                Some((name, _)) => {
                    self.problem("server", format!("the server `{name}` has no `url`"));
                }
                None => self.problem("mode", "`external` needs a `url`"),
            }
            return None;
        };
        let public_url = owned(service, "public_url")
            .or_else(|| of_server.and_then(|server| server.public_url.clone()))
            .unwrap_or_else(|| url.clone());
        if !is_address(&url, &["https://", "http://"]) {
            self.problem(
                place,
                "this is no address that begins with https:// or http://",
            );
        }
        if !is_address(&public_url, &["https://"]) {
            self.problem(
                "public_url",
                "where browsers find it is no address that begins with https://",
            );
        }
        let prefix = owned(service, "prefix").unwrap_or_else(|| format!("{}_", self.derived()));
        let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if prefix.is_empty() || !prefix.chars().all(is_sign) {
            self.problem(
                "prefix",
                "names of indexes are of letters, digits, `-` and `_`",
            );
        }
        if self.instance.secrets.contains_key(Search::MASTER) {
            self.problem(
                place,
                format!(
                    "the secret `{}` is of a server of the instance's own: `grove secret remove` it, `{}` and `{}`",
                    Search::MASTER,
                    Search::UID,
                    Search::KEY,
                ),
            );
        }
        let outside = Outside {
            mode,
            manage: self.manage(mode, of_server),
            server: server.as_ref().map(|(name, _)| name.clone()),
            host: url.clone(),
            port: self.engine.port(),
            tls: url.starts_with("https://"),
            region: None,
            domain: None,
            databases: BTreeMap::from([(OPENEDX.to_owned(), prefix.clone())]),
            users: BTreeMap::new(),
        };
        let search = Search {
            url,
            public_url,
            prefix,
        };
        Some((search, outside))
    }

    /// Who makes users and databases. What is wrong is noted.
    fn manage(&mut self, mode: Mode, server: Option<&Server>) -> Manage {
        let default = if mode == Mode::Shared {
            Manage::Create
        } else {
            Manage::External
        };
        let stated = text(self.service, "manage").and_then(Manage::from_name);
        let manage = stated.unwrap_or(default);
        let has_admin = server.is_some_and(|server| server.admin.is_some());
        if manage != Manage::External && !has_admin {
            self.problem(
                if stated.is_some() { "manage" } else { "server" },
                "nobody is known who may make users there: the cluster's server has no `admin`",
            );
        }
        manage
    }

    /// The cluster's server; none where it is none of the cluster's. What is wrong is noted.
    fn server(&mut self, mode: Mode) -> Result<Option<(String, Server)>, Noted> {
        let Some(name) = owned(self.service, "server") else {
            if mode == Mode::Shared {
                self.problem("", "`server` is missing: a server of the cluster, by name");
                return Err(Noted);
            }
            return Ok(None);
        };
        let servers = self.cluster.map(|cluster| &cluster.servers);
        match servers.and_then(|servers| servers.get(&name)).cloned() {
            Some(server) if server.engine == self.engine => return Ok(Some((name, server))),
            Some(server) => {
                let engine = server.engine.name();
                self.problem("server", format!("the server `{name}` is {engine}"));
            }
            None => self.problem("server", format!("the cluster has no server `{name}`")),
        }
        Err(Noted)
    }

    fn host(&mut self) -> String {
        match self.service.get("host") {
            Some(Value::String(host)) if is_host(host) => host.clone(),
            // What waits for a stack is told elsewhere.
            Some(Value::Object(_)) => String::new(),
            Some(_) => {
                self.problem("host", "this is no address of a server");
                String::new()
            }
            None => {
                self.problem("", "`host` or `server` is missing");
                String::new()
            }
        }
    }

    fn derived(&self) -> String {
        derived(self.instance)
    }

    fn applications(&self) -> Vec<&str> {
        match self.engine {
            Engine::Mysql => {
                let plugins = self.instance.plugins.iter().map(String::as_str);
                let with = plugins.filter(|plugin| WITH_DATABASE.contains(plugin));
                [OPENEDX].into_iter().chain(with).collect()
            }
            Engine::Mongodb => vec![OPENEDX, "forum"],
            Engine::Redis => vec!["cache", "celery"],
            Engine::S3 | Engine::Meilisearch => vec![OPENEDX],
        }
    }

    fn databases(&mut self, mode: Mode) -> BTreeMap<String, String> {
        let stated = self.service.get("databases").and_then(Value::as_object);
        let mut databases: BTreeMap<String, String> = match (self.engine, stated) {
            (Engine::S3, _) => owned(self.service, "name")
                .map(|name| (OPENEDX.to_owned(), name))
                .into_iter()
                .collect(),
            (_, stated) => stated
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| {
                    let value = match value {
                        Value::Number(number) => number.to_string(),
                        other => other.as_str()?.to_owned(),
                    };
                    Some((name.clone(), value))
                })
                .collect(),
        };
        let derived = self.derived();
        for application in self.applications() {
            if databases.contains_key(application) {
                continue;
            }
            let name = match (self.engine, mode) {
                (Engine::Redis, Mode::Shared) => continue,
                (Engine::Redis, _) => u8::from(application == "cache").to_string(),
                (Engine::S3, Mode::Shared) => derived.replace('_', "-"),
                (Engine::S3, _) => continue,
                _ => format!("{derived}_{application}"),
            };
            databases.insert(application.to_owned(), name);
        }
        let missing: Vec<&str> = self
            .applications()
            .into_iter()
            .filter(|application| !databases.contains_key(*application))
            .collect();
        match self.engine {
            _ if missing.is_empty() => {}
            Engine::S3 => self.problem("", "`name` is missing: the bucket's name"),
            _ => {
                let missing = missing.join("` and `");
                self.problem("", format!("`databases` lacks `{missing}`: numbers that no other instance has on this server"));
            }
        }
        let bad: Vec<String> = databases
            .values()
            .filter(|name| !self.is_database(name))
            .cloned()
            .collect();
        for name in bad {
            let key = if self.engine == Engine::S3 {
                "name"
            } else {
                "databases"
            };
            self.problem(
                key,
                format!("`{name}` is no name that {} takes", self.engine.name()),
            );
        }
        databases
    }

    fn is_database(&self, name: &str) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        match self.engine {
            Engine::Mysql | Engine::Mongodb => {
                !name.is_empty() && name.len() <= 63 && name.bytes().all(word)
            }
            Engine::Redis => name.parse().is_ok_and(|number: u64| number < 64 * NUMBERS),
            Engine::S3 => {
                (3..=63).contains(&name.len())
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
                    && !name.starts_with(['-', '.'])
                    && !name.ends_with(['-', '.'])
            }
            // What its names begin with is read with the search engine.
            Engine::Meilisearch => true,
        }
    }

    fn users(
        &mut self,
        manage: Manage,
        databases: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let stated = self.service.get("users").and_then(Value::as_object);
        let mut users: BTreeMap<String, String> = stated
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        let derived = self.derived();
        let applications = match self.engine {
            Engine::Mysql => databases.keys().map(String::as_str).collect(),
            _ => vec![OPENEDX],
        };
        for application in applications {
            let is_secret = || {
                let name = credentials(self.engine, application).user;
                self.instance.secrets.contains_key(&name)
            };
            if self.engine == Engine::S3 || users.contains_key(application) {
                continue;
            }
            // Tutor leaves a password out where there is no user.
            let is_secured = self.instance.secrets.contains_key("REDIS_PASSWORD");
            if self.engine == Engine::Redis && manage == Manage::External && is_secured {
                users.insert(application.to_owned(), "default".to_owned());
                continue;
            }
            // Without a user a server asks for none.
            if manage != Manage::External || is_secret() {
                let name = match application {
                    OPENEDX => derived.clone(),
                    other => format!("{derived}_{other}"),
                };
                users.insert(application.to_owned(), name);
            }
        }
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let bad: Vec<String> = users
            .values()
            .filter(|user| user.is_empty() || user.len() > 30 || !user.bytes().all(word))
            .cloned()
            .collect();
        for user in bad {
            self.problem(
                "users",
                format!("`{user}` is no name of at most 30 letters, digits, `_` and `-`"),
            );
        }
        users
    }
}

/// Whether a text can be the address of a server: a name, or a number of either kind.
fn is_host(text: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    !text.is_empty()
        && text.len() <= 253
        && (text.bytes().all(named) || text.parse::<std::net::IpAddr>().is_ok())
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn owned(value: &Value, key: &str) -> Option<String> {
    text(value, key).map(str::to_owned)
}

fn port(value: &Value) -> Option<u16> {
    value.get("port")?.as_u64()?.try_into().ok()
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{documents, load},
        DataProblem,
    };
    use crate::{Address, Snapshot, model::Data};

    const BASE: &str = "client: uni\nenvironment: staging\ndistribution: v\n\
        identity: {namespace: big-uni-of-x, id: Zk3jH8sd92LqPw1xVb7nT4cR}\nplugins: {notes: {}}\n";

    fn data(stated: &str) -> (Data, Vec<DataProblem>) {
        let servers = "servers:\n  main: {engine: mysql, host: db.example, tls: true, admin: {user: root, password: {secret: P}}}\n  \
            cache: {engine: redis, host: cache.example}\n  \
            files: {engine: s3, endpoint: 'https://s3.example', region: eu, admin: {user: k, password: {secret: S}}}\n  \
            find: {engine: meilisearch, url: 'http://find.internal:7700', public_url: 'https://find.example', admin: {password: {secret: M}}}\n  \
            bare: {engine: meilisearch}\n";
        let snapshot = Snapshot::default()
            .with(
                "clusters/prod/cluster.yaml",
                &format!("provider: existing\n{servers}"),
            )
            .with(
                "clusters/prod/instances/uni/instance.yaml",
                &format!("{BASE}data: {stated}\n"),
            );
        let mut loaded = load(&documents(&snapshot));
        let address = Address::new("prod", "uni");
        let problems = loaded.problems.remove(&address).unwrap_or_default();
        (loaded.fleet.instances[&address].data.clone(), problems)
    }

    /// What was read, in a line a service, and what is wrong.
    fn read(stated: &str) -> String {
        let (data, problems) = data(stated);
        let outside = data.outside.iter().map(|(engine, outside)| {
            let names = |map: &std::collections::BTreeMap<String, String>| {
                let all: Vec<String> = map
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                all.join(" ")
            };
            format!(
                "{}: {}:{} {} tls={} [{}] [{}]",
                engine.name(),
                outside.host,
                outside.port,
                outside.manage.name(),
                outside.tls,
                names(&outside.databases),
                names(&outside.users)
            )
        });
        let problems = problems
            .iter()
            .map(|problem| format!("! {}: {}", problem.path.join("."), problem.message));
        outside.chain(problems).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn names_that_are_not_stated_come_from_the_identity() {
        insta::assert_snapshot!(read("{mysql: {mode: shared, server: main}, bucket: {server: files}}"), @"
        mysql: db.example:3306 create tls=true [notes=big_uni_o_ccbfd9d9_notes openedx=big_uni_o_ccbfd9d9_openedx] [notes=big_uni_o_ccbfd9d9_notes openedx=big_uni_o_ccbfd9d9]
        s3: https://s3.example:443 create tls=false [openedx=big-uni-o-ccbfd9d9] []
        ");
        insta::assert_snapshot!(read("{mongodb: {mode: external, host: m.example, tls: true}, redis: {mode: shared, server: cache, manage: external, databases: {celery: 4, cache: 5}}}"), @"
        mongodb: m.example:27017 external tls=true [forum=big_uni_o_ccbfd9d9_forum openedx=big_uni_o_ccbfd9d9_openedx] []
        redis: cache.example:6379 external tls=false [cache=5 celery=4] []
        ");
        insta::assert_snapshot!(read("{mysql: {mode: external, host: db.example, port: 3307, databases: {openedx: edxapp, notes: notes}, users: {openedx: edx}}}"), @"mysql: db.example:3307 external tls=false [notes=notes openedx=edxapp] [openedx=edx]");
    }

    #[test]
    fn what_no_server_takes_is_named() {
        insta::assert_snapshot!(read("{mysql: {mode: in-namespace, server: main}, mongodb: {mode: shared}, redis: {mode: shared, server: main}}"), @"
        ! data.mysql.server: `server` says nothing of a service in the namespace: `mode` is `in-namespace`
        ! data.mongodb: `server` is missing: a server of the cluster, by name
        ! data.redis.server: the server `main` is mysql
        ");
        insta::assert_snapshot!(read("{mysql: {mode: external, host: 'a b', databases: {openedx: 'a`b'}, users: {openedx: \"o'x\"}, volume: {size: 1Gi}}}"), @"
        mysql: :3306 external tls=false [notes=big_uni_o_ccbfd9d9_notes openedx=a`b] [openedx=o'x]
        ! data.mysql.volume: the volume of a server outside is not the instance's
        ! data.mysql.host: this is no address of a server
        ! data.mysql.databases: `a`b` is no name that mysql takes
        ! data.mysql.users: `o'x` is no name of at most 30 letters, digits, `_` and `-`
        ");
        insta::assert_snapshot!(read("{redis: {mode: shared, server: cache}, bucket: {name: 'A_b'}}"), @"
        redis: cache.example:6379 create tls=false [] [openedx=big_uni_o_ccbfd9d9]
        s3: :443 external tls=false [openedx=A_b] []
        ! data.redis.server: nobody is known who may make users there: the cluster's server has no `admin`
        ! data.redis: `databases` lacks `cache` and `celery`: numbers that no other instance has on this server
        ! data.bucket.name: `A_b` is no name that s3 takes
        ");
        insta::assert_snapshot!(read("{mysql: {mode: shared, server: nope}, bucket: {}}"), @"
        s3: :443 external tls=false [] []
        ! data.mysql.server: the cluster has no server `nope`
        ! data.bucket: `name` is missing: the bucket's name
        ");
    }

    #[test]
    fn search_outside_has_an_address_and_a_prefix() {
        let search = data("{search: {url: 'https://s.example'}}")
            .0
            .search
            .unwrap();
        assert_eq!(search.public_url, "https://s.example");
        assert_eq!(search.prefix, "big_uni_o_ccbfd9d9_");
        insta::assert_snapshot!(read("{search: {url: 'http://s.example:7700', prefix: \"a'b\", volume: {size: 1Gi}}}"), @"
        meilisearch: http://s.example:7700:7700 external tls=false [openedx=a'b] []
        ! data.search.volume: the volume of a server outside is not the instance's
        ! data.search.public_url: where browsers find it is no address that begins with https://
        ! data.search.prefix: names of indexes are of letters, digits, `-` and `_`
        ");
        insta::assert_snapshot!(read("{search: {server: find}}"), @"meilisearch: http://find.internal:7700:7700 create tls=false [openedx=big_uni_o_ccbfd9d9_] []");
        assert_eq!(
            data("{search: {server: find}}")
                .0
                .search
                .unwrap()
                .public_url,
            "https://find.example"
        );
        insta::assert_snapshot!(read("{search: {server: find, prefix: uni_, manage: adopt, public_url: 'https://s.example'}}"), @"meilisearch: http://find.internal:7700:7700 adopt tls=false [openedx=uni_] []");
        insta::assert_snapshot!(read("{search: {server: find, url: 'https://s.example'}}"), @"
        meilisearch: http://find.internal:7700:7700 create tls=false [openedx=big_uni_o_ccbfd9d9_] []
        ! data.search.url: the server's address stands in the cluster
        ");
        insta::assert_snapshot!(read("{search: {server: bare}}"), @"! data.search.server: the server `bare` has no `url`");
        insta::assert_snapshot!(read("{search: {mode: shared}}"), @"! data.search: `server` is missing: a server of the cluster, by name");
        insta::assert_snapshot!(read("{search: {server: main}}"), @"! data.search.server: the server `main` is mysql");
        insta::assert_snapshot!(read("{search: {mode: external}}"), @"! data.search.mode: `external` needs a `url`");
        insta::assert_snapshot!(read("{search: {mode: in-namespace, url: 'https://s.example'}}"), @"! data.search.url: this says nothing of a search engine in the namespace");
    }
}
