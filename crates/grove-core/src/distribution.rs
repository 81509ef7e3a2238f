//! A named, locked, immutable set of Tutor, plugins and packages.

mod lock;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest;

pub use lock::LockError;

/// What `distributions/<name>.yaml` and `<name>.lock` say.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// The file's name without its ending.
    pub name: String,
    /// `release`: the Open edX release, lower case.
    pub release: String,
    /// `tutor`.
    pub tutor: Requirement,
    /// `plugins`: Tutor plugins by package name.
    pub plugins: BTreeMap<String, Requirement>,
    /// `packages`: what else the plugins need, by package name.
    pub packages: BTreeMap<String, Requirement>,
    /// The lock, where there is one that can be read.
    pub lock: Option<Lock>,
}

impl Distribution {
    /// What a lock is made from, as one digest: `sha256:` and 64 digits.
    ///
    /// It is taken over the JSON text of release, Tutor, plugins and packages with sorted keys, so
    /// comments, order and notation of the file do not change it.
    pub fn input(&self) -> String {
        let input = serde_json::json!({
            "release": self.release,
            "tutor": self.tutor,
            "plugins": self.plugins,
            "packages": self.packages,
        });
        digest::sha256(input.to_string().as_bytes())
    }
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Requirement {
    /// An exact version from the package index.
    Version(String),
    /// A commit of a Git repository.
    Git {
        /// Where it is fetched.
        git: String,
        /// 40 hexadecimal digits.
        rev: String,
    },
}

impl Default for Requirement {
    fn default() -> Self {
        Self::Version(String::new())
    }
}

/// A distribution's lock: a requirements file that pip and uv read as it is, headed by comment
/// lines that start with `#: ` and hold the fields below as YAML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Version of this format.
    pub version: u32,
    /// [`Distribution::input`] of the distribution that was locked, `sha256:` and 64 digits.
    pub input: String,
    /// Tutor's version, as `22.0.3`.
    pub tutor: String,
    /// The secrets that Tutor itself declares (its unique keys), without `ID`.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What Tutor calls each plugin, and where it comes from.
    #[serde(default)]
    pub plugins: BTreeMap<String, LockedPlugin>,
    /// Wheels that Grove builds, by package name.
    #[serde(default)]
    pub wheels: BTreeMap<String, Wheel>,
    /// The locked requirements of build back ends, as lines of a requirements file. Most wheels
    /// share one; [`Wheel::build`] names it.
    #[serde(default)]
    pub builds: BTreeMap<String, String>,
    /// The requirements: the file's lines without the head.
    #[serde(skip)]
    pub requirements: String,
    /// `sha256:` and 64 digits of the whole file: the name of its environment in the cache.
    #[serde(skip)]
    pub digest: String,
}

/// A plugin of a locked distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedPlugin {
    /// The package that carries it.
    pub package: String,
    /// That package's version.
    pub version: String,
    /// The secrets that it declares.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// A wheel that Grove builds: from a commit, or from the source archive of a package that has no
/// wheel in the package index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wheel {
    /// Where the commit is fetched; empty for an archive.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub git: String,
    /// The commit, 40 hexadecimal digits; empty for an archive.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rev: String,
    /// The source archive's SHA-256 digest, 64 hexadecimal digits; empty for a commit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub archive: String,
    /// The wheel's file name.
    pub file: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// Which of [`Lock::builds`] it is built with.
    pub build: String,
}
