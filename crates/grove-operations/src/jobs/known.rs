//! The jobs of Tutor and of plugins that an instance has.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{fleet::selection::Selection, jobs::known};
//!
//! let request = known::Request {
//!     selection: Selection::of("prod/uni"),
//!     ..known::Request::default()
//! };
//! let jobs = known::read(around, &request)?;
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    release::running_release,
    tutor::{ELSEWHERE, Tutor},
};
use crate::{
    Around, Doing, Error, Result,
    fleet::{selection::Selection, workspace::Workspace},
    release::remotes,
};

/// Asks which jobs there are, or what one takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instance: the first of those that are selected.
    pub selection: Selection,
    /// Only this job.
    pub job: Option<String>,
}

/// The jobs that there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each job.
    pub jobs: Vec<Job>,
}

/// A job of Tutor's or of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// What it does, in a line; empty where it says nothing.
    pub help: String,
    /// Its own help: usage and options.
    pub usage: String,
}

/// The jobs of the running release of the first instance that is selected; none where no instance is.
///
/// # Errors
///
/// An instance that does not run, and a job that there is not.
pub fn read(around: &Around, request: &Request) -> Result<Option<Outcome>> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instances = request.selection.select(&fleet)?;
    let mut tutor = Tutor::new(around)?;
    let Some(instance) = instances.first() else {
        return Ok(None);
    };
    let cluster = instance.address.cluster.as_str();
    around.doing(Doing::Fetching { cluster });
    let branch = remotes::open(&workspace, &fleet, cluster)?;
    let view = branch.view()?;
    let (record, _) = running_release(&view, &instance.address)?;
    let mut known = tutor.ask(
        &workspace,
        &view,
        record,
        &instance.address,
        |worker, input| Ok(worker.known_jobs(input)?),
    )?;
    around.progress_done();
    known.retain(|job| !ELSEWHERE.iter().any(|(name, _)| *name == job.name));
    if let Some(name) = &request.job {
        known.retain(|job| job.name == *name);
        if known.is_empty() {
            return Err(Error::usage(format!("there is no job `{name}`"))
                .hint("`grove do SELECTOR` lists them"));
        }
    }
    let jobs = known.into_iter().map(|job| Job {
        name: job.name,
        help: job.help,
        usage: job.usage,
    });
    Ok(Some(Outcome {
        jobs: jobs.collect(),
    }))
}
