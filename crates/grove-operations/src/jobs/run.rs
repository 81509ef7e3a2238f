//! Commands that are run once in instances.
//!
//! [`plan`] fetches the deploy branches and makes a Job for each instance, with the image, the configuration
//! and the secrets that a service of its running release has; carried out, the Jobs run beside each other, and
//! who ran what is recorded in the deploy repositories.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, jobs::run, request::Target};
//!
//! let command = ["./manage.py", "lms", "migrate", "--plan"].map(str::to_owned);
//! let request = run::Request::new(Target::of("prod/uni"), "lms", command.to_vec());
//! let plan = run::plan(around, &request)?;
//! let outcome = plan.carry_out(&Consent::none())?;
//! assert_eq!(outcome.runs[0].exit_code, Some(0));
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    answers::Answers,
    instance::{Content, Outcome, Prepared, Running, Step},
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    fleet::workspace::Workspace,
    request::{RequestId, Target},
    requests::Once,
};

/// The most that the files of a run may have together, in bytes: a Secret takes a megabyte.
const FILES_LIMIT: usize = 1_000_000;

/// Runs a command once, with what a service of the running release has. No shell reads it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances.
    pub target: Target,
    /// The workload whose image, configuration and secrets it gets: `lms`, `cms` and the like.
    pub service: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// The texts that the command finds below `/grove/files`, by name: letters, digits, `-`, `_` and `.`.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// How it is run and watched.
    #[serde(default)]
    pub running: Running,
}

impl Request {
    /// A command without files, watched for an hour.
    pub fn new(target: Target, service: &str, command: Vec<String>) -> Self {
        Self {
            id: None,
            target,
            service: service.to_owned(),
            command,
            files: BTreeMap::new(),
            running: Running::default(),
        }
    }
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    needs: Needs,
    tasks: Prepared<'a>,
}

/// Reads the fleet and the deploy branches, and makes the Jobs. As for a rollback, the fleet may have errors
/// elsewhere.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "jobs/run", id, request, |_| work(around, request)).map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, request.target.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instances = request.target.choose(&fleet)?;
    let step = Step {
        service: request.service.clone(),
        command: request.command.clone(),
        has_placeholders: false,
        files: files(&request.files)?,
        recorded: request.command.clone(),
    };
    Ok(Work {
        needs: request.target.needs(&instances),
        tasks: Prepared::new(
            request.id.as_ref(),
            &request.running,
            &workspace,
            &fleet,
            &instances,
            "run",
            &mut |_, _, _| Ok(vec![step.clone()]),
        )?,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Runs the command in all instances at once and records it. A command that failed is no error.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        self.tasks.run(&Answers::none())
    }
}

/// Refuses a file's name that is not plain; `shown` is what whoever asks calls the file.
pub fn refuse_name(name: &str, shown: &str) -> Result<()> {
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if name.is_empty() || !is_name {
        return Err(Error::usage(format!("`{shown}` has no plain name"))
            .hint("letters, digits, `-`, `_` and `.`: copy it under another name"));
    }
    Ok(())
}

/// The files that the command gets.
fn files(files: &BTreeMap<String, String>) -> Result<BTreeMap<String, Content>> {
    for name in files.keys() {
        refuse_name(name, name)?;
    }
    let bytes: usize = files.values().map(String::len).sum();
    if bytes > FILES_LIMIT {
        return Err(Error::usage(format!(
            "the files have {bytes} bytes, more than {FILES_LIMIT}"
        ))
        .hint("let the command fetch them, from the instance's own bucket for instance"));
    }
    let made = files
        .iter()
        .map(|(name, text)| (name.clone(), Content::Text(text.clone())));
    Ok(made.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_plain_names_and_fit_into_a_secret() {
        let of = |name: &str, length: usize| {
            files(&BTreeMap::from([(name.to_owned(), "x".repeat(length))]))
        };
        assert!(of("users-1_a.csv", FILES_LIMIT).is_ok());
        assert!(of("users.csv", FILES_LIMIT + 1).is_err());
        for name in ["", "a b", "a/b", "é"] {
            assert!(of(name, 1).is_err(), "{name}");
        }
    }
}
