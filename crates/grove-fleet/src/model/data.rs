//! Where an instance's data is, and on whose servers.

use std::collections::BTreeMap;

use crate::words::words;

/// The application that every instance has.
pub const OPENEDX: &str = "openedx";

/// Plugins whose applications have a database of their own on Tutor's `MySQL`, and a user of that name.
pub const WITH_DATABASE: [&str; 4] = ["credentials", "discovery", "notes", "xqueue"];

words! {
    /// A kind of server. What of a Meilisearch is an instance's is a key for the indexes whose names begin
    /// with a prefix.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    #[expect(clippy::doc_markdown, reason = "the schema has these texts")]
    pub enum Engine {
        /// MySQL or MariaDB.
        Mysql = "mysql",
        /// MongoDB.
        Mongodb = "mongodb",
        /// Redis or Valkey.
        Redis = "redis",
        /// Object storage that speaks S3.
        S3 = "s3",
        /// Meilisearch, the search engine.
        Meilisearch = "meilisearch",
    }
}

impl Engine {
    /// The key of `data` that says where an instance has it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::S3 => "bucket",
            Self::Meilisearch => "search",
            other => other.name(),
        }
    }

    /// The port on which such servers listen.
    pub fn port(self) -> u16 {
        match self {
            Self::Mysql => 3306,
            Self::Mongodb => 27017,
            Self::Redis => 6379,
            Self::S3 => 443,
            Self::Meilisearch => 7700,
        }
    }
}

/// A server that instances share: `servers` of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `engine`.
    pub engine: Engine,
    /// `host`.
    pub host: String,
    /// `port`.
    pub port: u16,
    /// `tls`.
    pub tls: bool,
    /// `endpoint` of object storage, `url` of a search engine.
    pub endpoint: Option<String>,
    /// `public_url` of a search engine.
    pub public_url: Option<String>,
    /// `region`, of object storage.
    pub region: Option<String>,
    /// `admin`: who may make users and databases; none where nobody here may.
    pub admin: Option<Admin>,
}

/// Who may make users and databases on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// `user`; of object storage the access key, of a search engine nobody.
    pub user: String,
    /// `password`: the name of a secret of the cluster; of a search engine its master key.
    pub password: String,
}

words! {
    /// Who runs a data service.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Mode {
        /// It runs beside the instance, as Tutor has it.
        #[default]
        InNamespace = "in-namespace",
        /// It is on a server of the cluster.
        Shared = "shared",
        /// A stack makes it at the provider.
        Managed = "managed",
        /// Somebody else runs it.
        External = "external",
    }
}

words! {
    /// Who makes users and databases, and removes them again. Grove only looks whether those of others work.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Manage {
        /// `grove data apply` makes databases and users.
        Create = "create",
        /// The database is there already and stays; `grove data apply` makes users.
        Adopt = "adopt",
        /// Somebody else makes both.
        External = "external",
    }
}

/// One data service of an instance that is not in its namespace, all layers and its server joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// `mode`.
    pub mode: Mode,
    /// `server`, by name, where it is one of the cluster's.
    pub server: Option<String>,
    /// The server's address; of object storage the endpoint, which may be empty for AWS, of a search engine
    /// the URL.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Whether the connection is TLS.
    pub tls: bool,
    /// `region`, of object storage.
    pub region: Option<String>,
    /// `domain`, of object storage: where visitors find public files.
    pub domain: Option<String>,
    /// `manage`.
    pub manage: Manage,
    /// Databases, by application: `openedx` and those of plugins; of Redis numbers, of object storage the
    /// bucket, of a search engine what names of indexes begin with.
    pub databases: BTreeMap<String, String>,
    /// Users, by application.
    pub users: BTreeMap<String, String>,
}

/// The volume of a data service in the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// `size`.
    pub size: Option<crate::Quantity>,
    /// `class`: the storage class.
    pub class: Option<String>,
}

/// A Meilisearch that is not in the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Where LMS and CMS find it.
    pub url: String,
    /// Where browsers find it.
    pub public_url: String,
    /// What names of indexes begin with.
    pub prefix: String,
}

impl Search {
    /// The secret that holds its key.
    pub const KEY: &str = "MEILISEARCH_API_KEY";
    /// The secret that holds the key's identifier.
    pub const UID: &str = "MEILISEARCH_API_KEY_UID";
    /// What only who runs it has.
    pub const MASTER: &str = "MEILISEARCH_MASTER_KEY";
}

/// `data` of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// What is not in the namespace.
    pub outside: BTreeMap<Engine, Outside>,
    /// Volumes of what is, by service.
    pub volumes: BTreeMap<String, Volume>,
    /// Where search is, where it is not in the namespace.
    pub search: Option<Search>,
}

impl Data {
    /// Whether a secret that Tutor declares is of a server that is not the instance's own.
    pub fn is_of_a_server(&self, secret: &str) -> bool {
        match secret {
            "MYSQL_ROOT_PASSWORD" => self.outside.contains_key(&Engine::Mysql),
            Search::MASTER | Search::UID | Search::KEY => self.search.is_some(),
            _ => false,
        }
    }
}

/// The name of an application as Tutor's configuration spells it: `NOTES` in `NOTES_MYSQL_DATABASE`.
pub fn prefix(application: &str) -> String {
    application.to_ascii_uppercase().replace('-', "_")
}

/// The configuration values that hold user, password and the user of before, of an application.
pub fn credentials(engine: Engine, application: &str) -> Credentials {
    let name = |what: &str| match engine {
        Engine::Mysql => format!("{}_MYSQL_{what}", prefix(application)),
        Engine::Mongodb => format!("MONGODB_{what}"),
        Engine::Redis => format!("REDIS_{what}"),
        Engine::S3 => format!("OPENEDX_AWS_{what}"),
        Engine::Meilisearch => format!("MEILISEARCH_{what}"),
    };
    match engine {
        Engine::Meilisearch => Credentials {
            user: Search::UID.to_owned(),
            password: Search::KEY.to_owned(),
            previous: name("PREVIOUS_API_KEY_UID"),
            retired: name("RETIRED_API_KEY_UID"),
        },
        Engine::S3 => Credentials {
            user: name("ACCESS_KEY"),
            password: name("SECRET_ACCESS_KEY"),
            previous: name("PREVIOUS_ACCESS_KEY"),
            retired: name("RETIRED_ACCESS_KEY"),
        },
        _ => Credentials {
            user: name("USERNAME"),
            password: name("PASSWORD"),
            previous: name("PREVIOUS_USERNAME"),
            retired: name("RETIRED_USERNAME"),
        },
    }
}

/// Names of secrets that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user of now.
    pub user: String,
    /// The password of now.
    pub password: String,
    /// The user of before, who still gets in: a rotation stands between its two steps.
    pub previous: String,
    /// The user of before, who is to be taken away.
    pub retired: String,
}
