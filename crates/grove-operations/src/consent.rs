//! What must be agreed to before an operation writes, and that it was.
//!
//! A plan says what it needs. Whoever may decide looks at that and consents to it; the plan is carried out
//! with the consent. Between the two may lie a page, a pod and a person: the plan is then made again, and
//! what it needs now must be within what was agreed to.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, text::count};

/// One thing that must be agreed to.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "need", rename_all = "kebab-case")]
pub enum Need {
    /// Many instances are touched at once.
    Instances {
        /// Their addresses.
        instances: Vec<String>,
    },
    /// Volumes, hosts and other objects of an instance go.
    Deletions {
        /// Its address, or the cluster whose shared parts go.
        of: String,
        /// What goes, a name each.
        objects: Vec<String>,
        /// How much changes, in a line.
        summary: String,
    },
    /// An instance goes back behind a mark that data cannot follow.
    DataRisk {
        /// Its address.
        instance: String,
        /// The release that it goes back to.
        release: u32,
        /// The marks, as `name: from → to`.
        marks: Vec<String>,
    },
    /// A stack is changed by a plan that no one has seen.
    Apply {
        /// Its address.
        stack: String,
        /// What changes, a line each.
        changes: Vec<String>,
    },
    /// Objects of a stack are destroyed or replaced.
    Destroys {
        /// Its address.
        stack: String,
        /// Their addresses.
        objects: Vec<String>,
    },
    /// What Grove made for an instance on servers outside of its namespace goes, with all that is in it.
    DataRemoval {
        /// Its address.
        instance: String,
        /// Databases, users and buckets, in words.
        what: Vec<String>,
    },
    /// Users notice that a secret gets another value.
    Disrupts {
        /// The address of the instance.
        instance: String,
        /// The secret's name.
        secret: String,
        /// What users notice.
        meaning: String,
    },
    /// A cluster is destroyed, with everything that its instances hold.
    Cluster {
        /// Its name.
        cluster: String,
        /// Which cluster it is, where that is known: one that is made anew under the name is another.
        #[serde(default)]
        uid: Option<String>,
        /// The addresses of its instances.
        instances: Vec<String>,
    },
    /// A deploy branch is missing in a repository that is there: its releases begin at 0001.
    FirstRelease {
        /// The cluster.
        cluster: String,
        /// The repository, without credentials.
        remote: String,
        /// The branch, as `deploy/prod`.
        branch: String,
        /// The commit at which it was, where it is known to have been there.
        #[serde(default)]
        last: Option<String>,
    },
    /// Something that only one operation needs.
    Confirm {
        /// What, as a name that does not change.
        what: String,
        /// What it means, in a sentence.
        meaning: String,
    },
}

/// What a plan needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Needs(BTreeSet<Need>);

impl FromIterator<Need> for Needs {
    fn from_iter<I: IntoIterator<Item = Need>>(needs: I) -> Self {
        Self(needs.into_iter().collect())
    }
}

impl Extend<Need> for Needs {
    fn extend<I: IntoIterator<Item = Need>>(&mut self, needs: I) {
        self.0.extend(needs);
    }
}

impl IntoIterator for Needs {
    type Item = Need;
    type IntoIter = std::collections::btree_set::IntoIter<Need>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Needs {
    /// Whether nothing must be agreed to.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in an order that does not change.
    pub fn iter(&self) -> impl Iterator<Item = &Need> {
        self.0.iter()
    }

    /// `sha256:` and 64 hexadecimal digits: equal where what is needed is equal.
    pub fn digest(&self) -> String {
        // A list of plain structures is always written.
        let bytes = serde_json::to_vec(&self.0).unwrap_or_default();
        format!("sha256:{:x}", Sha256::digest(bytes))
    }

    /// Refuses where this is not within what was agreed to.
    pub fn met_by(&self, consent: &Consent) -> Result<()> {
        if consent.needs.digest() != consent.digest {
            return Err(Error::refused(
                "the consent does not name what was agreed to: its digest is another",
            ));
        }
        let open: Vec<&Need> = self.iter().filter(|need| !consent.covers(need)).collect();
        let Some(first) = open.first() else {
            return Ok(());
        };
        let mut error = Error::refused(first.refusal());
        error
            .messages
            .extend(open.iter().skip(1).map(|need| need.refusal()));
        Err(error.hint("make the plan again, and agree to what it needs now"))
    }
}

impl Need {
    /// Why nothing is done without consent, in a sentence.
    pub fn refusal(&self) -> String {
        match self {
            Self::Instances { instances } => {
                format!(
                    "{} instances are selected and nobody agreed",
                    instances.len()
                )
            }
            Self::Deletions { of, objects, .. } => {
                format!("{of}: {} would be deleted", count(objects.len(), "object"))
            }
            Self::DataRisk { release, .. } => {
                format!("release {release:04} is behind a mark that data cannot follow")
            }
            Self::Apply { stack, .. } => format!("nobody agreed to apply `{stack}`"),
            Self::Destroys { stack, objects } => format!(
                "`{stack}` would destroy {}: {}",
                count(objects.len(), "object"),
                objects
                    .iter()
                    .take(10)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Self::DataRemoval { instance, what } if what.is_empty() => {
                format!("{instance} has nothing that Grove made outside of its namespace")
            }
            Self::DataRemoval { what, .. } => format!(
                "this removes {} for good, with all that is in it",
                what.join(", ")
            ),
            Self::Disrupts {
                instance,
                secret,
                meaning,
            } => format!("{instance}: {secret}: {meaning}"),
            Self::Cluster {
                cluster, instances, ..
            } => format!(
                "nobody agreed to destroy `{cluster}` with {}",
                count(instances.len(), "instance")
            ),
            Self::FirstRelease {
                remote,
                branch,
                last: None,
                ..
            } => format!(
                "{remote} has no branch {branch} and is not empty: this would be the first release there"
            ),
            Self::FirstRelease {
                remote,
                branch,
                last: Some(last),
                ..
            } => format!(
                "{branch} is gone from {remote}, where it was at {last}: this would begin anew with release 0001, without its other releases and holds"
            ),
            Self::Confirm { meaning, .. } => format!("nobody agreed: {meaning}"),
        }
    }

    /// Whether consent to `self` is consent to `other`, too: the same, of no more.
    fn covers(&self, other: &Self) -> bool {
        let within = |all: &[String], some: &[String]| some.iter().all(|one| all.contains(one));
        match (self, other) {
            (Self::Instances { instances: all }, Self::Instances { instances: some }) => {
                within(all, some)
            }
            (
                Self::Deletions { of, objects, .. },
                Self::Deletions {
                    of: same,
                    objects: some,
                    ..
                },
            ) => of == same && within(objects, some),
            (
                Self::DataRisk {
                    instance, marks, ..
                },
                Self::DataRisk {
                    instance: same,
                    marks: some,
                    ..
                },
            ) => instance == same && within(marks, some),
            (
                Self::Destroys { stack, objects },
                Self::Destroys {
                    stack: same,
                    objects: some,
                },
            ) => stack == same && within(objects, some),
            (
                Self::DataRemoval { instance, what },
                Self::DataRemoval {
                    instance: same,
                    what: some,
                },
            ) => instance == same && within(what, some),
            (
                Self::Cluster {
                    cluster,
                    uid,
                    instances,
                },
                Self::Cluster {
                    cluster: same,
                    uid: itself,
                    instances: some,
                },
            ) => cluster == same && uid == itself && within(instances, some),
            (one, other) => one == other,
        }
    }
}

/// That what a plan needs was agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The digest of what was agreed to.
    digest: String,
    /// What was agreed to.
    needs: Needs,
}

impl Consent {
    /// Consent to nothing, which suffices where nothing is needed.
    pub fn none() -> Self {
        Self::to(Needs::default())
    }

    /// Consent to what a plan needs.
    pub fn to(needs: Needs) -> Self {
        Self {
            digest: needs.digest(),
            needs,
        }
    }

    /// The digest of what was agreed to: [`Needs::digest`].
    pub fn digest(&self) -> &str {
        &self.digest
    }

    fn covers(&self, need: &Need) -> bool {
        self.needs.iter().any(|agreed| agreed.covers(need))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deletions(objects: &[&str]) -> Need {
        Need::Deletions {
            of: "prod/uni".to_owned(),
            objects: objects.iter().map(|&name| name.to_owned()).collect(),
            summary: String::new(),
        }
    }

    #[test]
    fn a_plan_may_need_less_than_was_agreed_to_and_not_more() {
        let agreed = Consent::to(Needs::from_iter([deletions(&["volume/a", "volume/b"])]));
        for (needed, is_met) in [
            (vec![], true),
            (vec![deletions(&["volume/a"])], true),
            (vec![deletions(&["volume/b", "volume/a"])], true),
            (vec![deletions(&["volume/a", "volume/c"])], false),
            (
                vec![Need::Instances {
                    instances: vec!["prod/uni".to_owned()],
                }],
                false,
            ),
        ] {
            let needs = Needs::from_iter(needed);
            assert_eq!(needs.met_by(&agreed).is_ok(), is_met, "{needs:?}");
        }
    }

    #[test]
    fn a_consent_whose_digest_is_of_something_else_is_none() {
        let mut consent = Consent::to(Needs::from_iter([deletions(&["volume/a"])]));
        consent.digest = Needs::default().digest();
        let error = Needs::default().met_by(&consent).unwrap_err();
        assert_eq!(error.kind, crate::Kind::Refused);
    }
}
