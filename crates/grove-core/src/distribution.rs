//! A named, locked, immutable set of Tutor, plugins and packages.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Lock, digest};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_knows_only_what_is_locked() {
        let distribution = |version: &str| Distribution {
            name: version.to_owned(),
            release: "verawood".to_owned(),
            tutor: Requirement::Version(version.to_owned()),
            plugins: BTreeMap::from([(
                "own".to_owned(),
                Requirement::Git {
                    git: "u".to_owned(),
                    rev: "r".to_owned(),
                },
            )]),
            ..Distribution::default()
        };
        insta::assert_snapshot!(distribution("22.0.3").input(), @"sha256:a456cf503527a1d3bdb7ce29c6cdfa4728339349e4fa3ccaa20338f05af11e87");
        assert_ne!(
            distribution("22.0.3").input(),
            distribution("22.0.4").input()
        );
        let renamed = Distribution {
            name: "other".to_owned(),
            ..distribution("22.0.3")
        };
        assert_eq!(renamed.input(), distribution("22.0.3").input());
    }
}
