//! The rules of the check: what a finding means and how to mend it.
//!
//! ```
//! use grove_operations::fleet::rules;
//!
//! let rule = rules::find("instance-gone")?;
//! println!("{}", rule.summary);
//! # Ok::<(), grove_operations::Error>(())
//! ```

use grove_check::Rule as Known;
use grove_fleet::near::nearest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Kind, Result};

/// Every rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// In the order in which they are listed.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Its name, in kebab case; never changes its meaning.
    pub id: String,
    /// How much its findings matter.
    pub severity: Severity,
    /// What it finds, in one line without a full stop.
    pub summary: String,
    /// What it means, why it matters and how to mend it, as Markdown.
    pub documentation: String,
    /// What triggers this rule and no other.
    pub example: Example,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is rendered or deployed while it stands.
    Error,
    /// Worth a change; everything works.
    Warning,
}

/// A change of a small valid fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// Files by path, each with its content as an object of one key that says what it is, such as `text`.
    pub files: Vec<(String, Value)>,
}

/// Lists every rule.
pub fn read() -> Result<Outcome> {
    let rules = grove_check::rules::ALL.iter().map(Rule::of);
    Ok(Outcome {
        rules: rules.collect::<Result<_>>()?,
    })
}

/// One rule, by its id.
pub fn find(id: &str) -> Result<Rule> {
    let rule = grove_check::rules::find(id).ok_or_else(|| {
        let near = nearest(id, grove_check::rules::ALL.iter().map(|rule| rule.id));
        Error::usage(format!("there is no rule `{id}`")).hint(near.map_or_else(
            || "`grove rule` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
    })?;
    Rule::of(rule)
}

impl Rule {
    fn of(rule: &Known) -> Result<Self> {
        let files = rule.example.files.iter().map(|(path, content)| {
            let content = serde_json::to_value(content)
                .map_err(|error| Error::from_error(Kind::Bug, &error))?;
            Ok(((*path).to_owned(), content))
        });
        Ok(Self {
            id: rule.id.to_owned(),
            severity: match rule.severity {
                grove_check::Severity::Error => Severity::Error,
                grove_check::Severity::Warning => Severity::Warning,
            },
            summary: rule.summary.to_owned(),
            documentation: rule.documentation.to_owned(),
            example: Example {
                files: files.collect::<Result<_>>()?,
            },
        })
    }
}
