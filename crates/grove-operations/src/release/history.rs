//! The releases of instances, and the commands that were run once in them.
//!
//! ```
//! # let world = grove_example::World::deployed();
//! # let around = &world.around();
//! use grove_operations::{fleet::selection::Selection, release::history};
//!
//! let request = history::Request {
//!     selection: Selection::of("alpha/uni"),
//!     ..history::Request::default()
//! };
//! let history = history::read(around, &request)?;
//! for row in &history.instances {
//!     if let history::Row::Releases { instance, releases, .. } = row {
//!         println!("{instance} runs {:?}", releases.first().map(|record| record.release));
//!     }
//! }
//! # Ok::<(), grove_operations::Error>(())
//! ```

use grove_fleet::{Address, Fleet, model::Instance};
use grove_release::{Freeze, Hold, Objects, Record, Run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{frozen, remotes};
use crate::{
    Around, Doing, Error, Result,
    fleet::{
        find::{address, find_cluster},
        selection::Selection,
        workspace::Workspace,
    },
    request::by_cluster,
};

/// Asks for the newest releases of instances, or for the newest commands that were run in them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances; all of them where nothing is said.
    pub selection: Selection,
    /// At most this many of each instance.
    pub limit: usize,
    /// Commands that were run once instead of releases.
    pub runs: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            revision: None,
            selection: Selection::default(),
            limit: 10,
            runs: false,
        }
    }
}

/// What there is of each instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// In the order of their addresses.
    pub instances: Vec<Row>,
    /// Why those after them are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Error>,
}

/// What there is of one instance, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Row {
    /// Its releases.
    Releases {
        /// `cluster/instance`.
        instance: String,
        /// The hold that keeps it.
        hold: Option<Hold>,
        /// The freeze that is in force.
        freeze: Option<Freeze>,
        /// Their records.
        releases: Vec<Record>,
    },
    /// The commands that were run in it.
    Runs {
        /// `cluster/instance`.
        instance: String,
        /// Who ran what.
        runs: Vec<Run>,
    },
}

/// Reads the deploy branches.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instances = request.selection.select(&fleet)?;
    let mut outcome = Outcome::default();
    let read = read_all(
        &workspace,
        &fleet,
        request,
        &instances,
        &mut outcome.instances,
    );
    around.progress_done();
    outcome.failure = read.err();
    Ok(outcome)
}

fn read_all(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    request: &Request,
    instances: &[&Instance],
    rows: &mut Vec<Row>,
) -> Result<()> {
    let around = workspace.around;
    for (cluster, instances) in by_cluster(instances) {
        around.doing(Doing::Fetching { cluster });
        let branch = remotes::open(workspace, fleet, cluster)?;
        let view = branch.view()?;
        for instance in instances {
            let Address { instance: name, .. } = &instance.address;
            let address = instance.address.to_string();
            if request.runs {
                rows.push(Row::Runs {
                    instance: address,
                    runs: view.runs(name, request.limit)?,
                });
                continue;
            }
            let numbers = view.releases(name)?.into_iter().take(request.limit);
            rows.push(Row::Releases {
                instance: address,
                hold: view.hold(name)?,
                freeze: frozen::in_force(&view, &instance.address, around.now())?,
                releases: numbers
                    .map(|number| view.record(name, number))
                    .collect::<std::result::Result<_, _>>()?,
            });
        }
    }
    Ok(())
}

/// Asks for one release.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShowRequest {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// `cluster/instance@N`, or `cluster/instance` for the release that runs.
    pub release: String,
    /// Its objects, too.
    pub objects: bool,
}

/// One release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// What it was made of.
    pub record: Record,
    /// Its objects by file name, where they were asked for; secrets are encrypted there.
    #[schemars(with = "Option<std::collections::BTreeMap<String, Value>>")]
    pub objects: Option<Objects>,
}

/// Reads one release.
pub fn show(around: &Around, request: &ShowRequest) -> Result<Shown> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let (name, number) = match request.release.split_once('@') {
        None => (request.release.as_str(), None),
        Some((name, number)) => {
            let number = number
                .parse()
                .map_err(|_| Error::usage(format!("`{number}` is not the number of a release")))?;
            (name, Some(number))
        }
    };
    let address = address(name)?;
    // An instance that left the fleet still has its releases; only the cluster must be known.
    find_cluster(&fleet, &address.cluster)?;
    let branch = remotes::open(&workspace, &fleet, &address.cluster)?;
    let view = branch.view()?;
    let record = match number {
        Some(number) => view.record(&address.instance, number)?,
        None => view
            .latest(&address.instance)?
            .ok_or_else(|| Error::usage(format!("{address} was never released")))?,
    };
    let objects = request
        .objects
        .then(|| branch.objects_of(record.tree))
        .transpose()?;
    Ok(Shown { record, objects })
}
