//! Release records and holds: the files below `releases/<instance>/`.

use std::collections::{BTreeMap, BTreeSet};

use grove_core::Identity;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Id, RequestId};

/// The format of records and holds that this program writes, and the newest that it reads. A key may
/// be added without a new number; a change of meaning needs one.
pub const RECORD_VERSION: u32 = 1;

/// What one release of one instance was made of: `releases/<instance>/NNNN.yaml`. Written once and
/// never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// The instance's name on its cluster.
    pub instance: String,
    /// The identity that it was released with, which never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Its number, from 1.
    pub release: u32,
    /// When it was made.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Who made it, as `Name <address>`.
    pub author: String,
    /// What the operator said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The fleet that it was rendered from.
    pub source: Origin,
    /// For a deploy of how the instance is operated: the fleet that says so. All else is from `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operational: Option<Origin>,
    /// The Git tree of `instances/<instance>/`, which is in the same commit as this record.
    pub tree: Id,
    /// `sha256:` and 64 digits over the instance's files in `apps/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps: Option<String>,
    /// What rendered it.
    pub distribution: DistributionRef,
    /// Component → image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Names of the secrets that its objects need.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// How its objects were searched for plain secrets.
    pub scan: Scan,
    /// Forward-only marks: what cannot be taken back by older manifests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, String>,
    /// Whether init tasks wait for the instance to start: it was deployed while it was stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub init_pending: bool,
    /// Init tasks that were retried or skipped by command.
    #[serde(default, skip_serializing_if = "InitTasks::is_empty")]
    pub init: InitTasks,
    /// For a rollback: the release whose manifests it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<u32>,
    /// The request that made it, where one was named. A Grove that does not know the key reads past it,
    /// as past any key that was added without a new version; files are never written again, so it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The version of the Grove that made it.
    pub grove: String,
}

/// What one release of what a cluster's instances share was made of: `releases/_cluster/NNNN.yaml`.
/// Written once and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedRecord {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// Its number, from 1.
    pub release: u32,
    /// When it was made.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Who made it, as `Name <address>`.
    pub author: String,
    /// What the operator said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The fleet that it was rendered from.
    pub source: Origin,
    /// The Git tree of `cluster/`, which is in the same commit as this record.
    pub tree: Id,
    /// The Git tree of `charts/`; the empty one where there is none.
    pub charts: Id,
    /// Each part and its version; empty for plain manifests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
    /// The parts that bring custom resource definitions, and their versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forward_only: BTreeMap<String, String>,
    /// For a rollback: the release whose files it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<u32>,
    /// The request that made it, where one was named. A Grove that does not know the key reads past it,
    /// as past any key that was added without a new version; files are never written again, so it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The version of the Grove that made it.
    pub grove: String,
}

/// A command that was run once: `releases/<instance>/runs/<time>-<job>.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// The instance's name on its cluster.
    pub instance: String,
    /// The name of the Job that did it.
    pub job: String,
    /// The release whose image, configuration and secrets it had.
    pub release: u32,
    /// When it ended.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Who ran it, as `Name <address>`.
    pub author: String,
    /// The service.
    pub service: String,
    /// Program and arguments; what looks like a secret is left out.
    pub command: Vec<String>,
    /// How it ended; none where it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The request that ran it, where one was named. A Grove that does not know the key reads past it,
    /// as past any key that was added without a new version; files are never written again, so it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// What was decided by command about init tasks. Later releases carry it on, so that a deploy neither
/// runs a task again nor one that was skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InitTasks {
    /// Task → how often it was asked to run again; part of its Job's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retried: BTreeMap<String, u32>,
    /// Task → the Job that was dropped; another Job of the task runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, String>,
}

impl InitTasks {
    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        self.retried.is_empty() && self.skipped.is_empty()
    }
}

/// Where a release's fleet came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The fleet's commit; none where the fleet is not in Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Id>,
    /// Whether a work tree was deployed with changes that are in no commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
}

/// The distribution of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionRef {
    /// Its name.
    pub name: String,
    /// The digest of what it asked for (`Distribution::input`), by which an edit is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// The digest of its lock, `sha256:` and 64 digits.
    pub lock: String,
}

/// How a release was searched for plain secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scan {
    /// For every secret's value: the keys were there.
    Full,
    /// For what looks like a secret: made without keys.
    Pattern,
}

/// Why an instance keeps its release: `releases/<instance>/hold.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Who holds it, as `Name <address>`.
    pub by: String,
    /// The release that is kept.
    pub release: u32,
    /// For rollbacks: the releases that were left since the hold began. A deploy that would bring one
    /// of them back stays held; another one is a change of source and ends the hold. Empty for a hold
    /// by hand, which ends by hand alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<u32>,
}

/// For how long Argo CD leaves an instance alone: `releases/<instance>/freeze.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Freeze {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when, in whole minutes.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Until when, in whole minutes. From then on it is as if there were none.
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// Who froze it, as `Name <address>`.
    pub by: String,
}

impl Record {
    /// The file's text.
    pub fn to_yaml(&self) -> String {
        to_yaml(self)
    }

    /// Reads the text of the file `path` of the deploy branch.
    pub fn from_yaml(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        from_yaml(path, bytes)
    }
}

impl SharedRecord {
    /// The file's text.
    pub fn to_yaml(&self) -> String {
        to_yaml(self)
    }

    /// Reads the text of the file `path` of the deploy branch.
    pub fn from_yaml(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        from_yaml(path, bytes)
    }
}

impl Hold {
    /// The file's text.
    pub fn to_yaml(&self) -> String {
        to_yaml(self)
    }

    /// Reads the text of the file `path` of the deploy branch.
    pub fn from_yaml(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        from_yaml(path, bytes)
    }
}

impl Freeze {
    /// The file's text.
    pub fn to_yaml(&self) -> String {
        to_yaml(self)
    }

    /// Reads the text of the file `path` of the deploy branch.
    pub fn from_yaml(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        from_yaml(path, bytes)
    }
}

impl Run {
    /// The file's text.
    pub fn to_yaml(&self) -> String {
        to_yaml(self)
    }

    /// Reads the text of the file `path` of the deploy branch.
    pub fn from_yaml(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        from_yaml(path, bytes)
    }
}

fn to_yaml(value: &impl Serialize) -> String {
    // Maps with text keys, text, numbers and booleans: all of it is JSON.
    grove_yaml::emit(&serde_json::to_value(value).unwrap_or_default())
}

/// The version is looked at first: what a newer one means is not for this program to guess.
fn from_yaml<T: for<'de> Deserialize<'de>>(path: &str, bytes: &[u8]) -> Result<T, Error> {
    let value = read_yaml(path, bytes)?;
    let invalid = |message: String| Error::Invalid {
        path: path.to_owned(),
        message,
    };
    let found = value
        .get("version")
        .and_then(serde_json::Value::as_u64)
        .ok_or_else(|| invalid("it states no version".to_owned()))?;
    if found > u64::from(RECORD_VERSION) {
        return Err(Error::Newer {
            what: format!("`{path}` of the deploy branch"),
            found,
            known: RECORD_VERSION,
        });
    }
    T::deserialize(value).map_err(|error| invalid(error.to_string()))
}

/// A YAML file of the deploy branch as a value.
pub(crate) fn read_yaml(path: &str, bytes: &[u8]) -> Result<serde_json::Value, Error> {
    let parsed = grove_yaml::parse(bytes, grove_yaml::Limits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(Error::Invalid {
            path: path.to_owned(),
            message: problem.message.clone(),
        });
    }
    Ok(parsed.root.map(|node| node.to_json()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            version: RECORD_VERSION,
            instance: "uni".to_owned(),
            release: 7,
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            author: "Ada <ada@acme.example>".to_owned(),
            message: Some("a new theme".to_owned()),
            source: Origin {
                commit: Some("1".repeat(40).parse().unwrap()),
                local: true,
            },
            operational: None,
            tree: "2".repeat(40).parse().unwrap(),
            apps: Some("sha256:3".to_owned()),
            distribution: DistributionRef {
                name: "verawood-7".to_owned(),
                input: "sha256:5".to_owned(),
                lock: "sha256:4".to_owned(),
            },
            identity: Some(Identity {
                namespace: "uni".to_owned(),
                id: "hT3vQ8mKzW1pXr6bNc4yLd9s".to_owned(),
            }),
            images: [("openedx".to_owned(), "example.org/openedx:1".to_owned())].into(),
            secrets: ["MYSQL_ROOT_PASSWORD".to_owned()].into(),
            scan: Scan::Pattern,
            marks: [("mysql".to_owned(), "8.4.0".to_owned())].into(),
            init_pending: false,
            init: InitTasks::default(),
            rollback_of: Some(5),
            request: None,
            grove: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let text = record().to_yaml();
        insta::assert_snapshot!(text, @r#"
        apps: sha256:3
        author: Ada <ada@acme.example>
        distribution:
          input: sha256:5
          lock: sha256:4
          name: verawood-7
        grove: "0.1.0"
        identity:
          id: hT3vQ8mKzW1pXr6bNc4yLd9s
          namespace: uni
        images:
          openedx: example.org/openedx:1
        instance: uni
        marks:
          mysql: "8.4.0"
        message: a new theme
        release: 7
        rollback_of: 5
        scan: pattern
        secrets:
        - MYSQL_ROOT_PASSWORD
        source:
          commit: "1111111111111111111111111111111111111111"
          local: true
        time: "2026-01-02T03:04:05Z"
        tree: "2222222222222222222222222222222222222222"
        version: 1
        "#);
        assert_eq!(
            Record::from_yaml("releases/uni/0007.yaml", text.as_bytes()).unwrap(),
            record()
        );
    }

    #[test]
    fn what_is_not_a_record_is_named_with_its_file() {
        let read = |text: &str| Record::from_yaml("releases/uni/0007.yaml", text.as_bytes());
        for text in ["", "[]", "a: [", "version: x", "version: 1\nrelease: -1"] {
            let error = read(text).unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { path, .. } if path == "releases/uni/0007.yaml"),
                "{text}: {error}"
            );
        }
        assert!(matches!(
            read("version: 99"),
            Err(Error::Newer { found: 99, .. })
        ));
    }

    #[test]
    fn a_request_is_kept_and_may_be_missing() {
        let without = record();
        let with = Record {
            request: Some("deploy-7".parse().unwrap()),
            ..without.clone()
        };
        let text = with.to_yaml();
        assert!(text.contains("\nrequest: deploy-7\n"), "{text}");
        assert_eq!(Record::from_yaml("x", text.as_bytes()).unwrap(), with);
        assert_eq!(
            Record::from_yaml("x", text.replace("request: deploy-7\n", "").as_bytes()).unwrap(),
            without
        );
        let broken = text.replace("deploy-7", "Not One");
        let error = Record::from_yaml("x", broken.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }

    #[test]
    fn a_key_that_was_added_later_does_not_disturb() {
        let text = format!("{}zebra: {{a: 1}}\n", record().to_yaml());
        assert_eq!(Record::from_yaml("x", text.as_bytes()).unwrap(), record());
    }
}
