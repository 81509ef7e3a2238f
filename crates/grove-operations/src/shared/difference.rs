//! What a release of what a cluster's instances share would change.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::shared::difference;
//!
//! let request = difference::Request {
//!     cluster: "prod".to_owned(),
//!     revision: None,
//! };
//! let outcome = difference::read(around, &request, None)?;
//! # Ok(())
//! # }
//! ```

use std::{collections::BTreeMap, path::Path};

use grove_release::{Diff, diff};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bundle,
    change::SharedChange,
    charts::objects,
    render::{self, Released},
};
use crate::{
    Around, Doing, Result,
    fleet::{find::find_cluster, workspace::Workspace},
    release::remotes,
};

/// Compares the fleet with the running release of what a cluster's instances share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The cluster's name.
    pub cluster: String,
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
}

/// What would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The cluster's name.
    pub cluster: String,
    /// What changes of the files.
    pub diff: SharedChange,
    /// What the charts make of it, by part; empty where nothing changes, or where there is no `helm` on
    /// this machine.
    pub charts: BTreeMap<String, Diff>,
}

/// Renders what is shared and compares it with what runs. `lock` names another bundle than the one that
/// Grove carries.
///
/// Where `helm` is on PATH, charts that travel with the deploy tree are rendered as they run and as they
/// would, and their objects are compared, too. Secrets that a chart makes anew at each rendering are left
/// out.
pub fn read(around: &Around, request: &Request, lock: Option<&Path>) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let cluster = find_cluster(&fleet, &request.cluster)?;
    let mut tree = render::render(&workspace, &fleet, cluster, &bundle::open(around, lock)?)?;
    around.doing(Doing::Fetching {
        cluster: &cluster.name,
    });
    let branch = remotes::open(&workspace, &fleet, &cluster.name)?;
    let before = match branch.view()?.shared_latest()? {
        Some(record) => {
            let before = Released::read(&branch, &record)?;
            render::keep(&mut tree, &record, &before, &[]);
            before
        }
        None => Released::default(),
    };
    let after = Released::of(&tree);
    let changes = SharedChange::between(&before, &after);
    let mut charts = BTreeMap::new();
    if !changes.is_empty() {
        if grove_exec::find("helm").is_some() {
            for part in tree.parts.keys() {
                around.doing(Doing::RenderingPart { part });
                let (old, new) = (objects(&before, part)?, objects(&after, part)?);
                charts.insert(part.clone(), diff(&old, &new));
            }
        } else {
            around.progress_done();
            around.note("`helm` is not on PATH: what the charts make of this is not shown");
        }
    }
    around.progress_done();
    Ok(Outcome {
        cluster: cluster.name.clone(),
        diff: changes,
        charts,
    })
}
