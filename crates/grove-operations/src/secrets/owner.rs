//! Whose a secret is, and in which file the secrets of an owner stand.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::secrets::owner;
//!
//! let request = owner::Request {
//!     owner: "prod/uni".to_owned(),
//!     cluster_only: false,
//! };
//! let outcome = owner::read(around, &request)?;
//! # Ok(())
//! # }
//! ```

use grove_fleet::{Fleet, layout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::open::Place;
use crate::{
    Around, Error, Result,
    fleet::{find, workspace::Workspace},
};

/// Asks where the secrets of an owner stand in the work tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `cluster/instance`, `cluster` (for all of its instances), or `group:NAME`.
    pub owner: String,
    /// Secrets of the cluster itself, which no instance may read.
    #[serde(default)]
    pub cluster_only: bool,
}

/// Where the secrets of an owner stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The SOPS file, from the fleet's root; it may not be there yet.
    pub file: String,
    /// The keys that lead to the values.
    pub below: Vec<String>,
    /// The file with the private key that the fleet publishes, from its root: examples and demos have one.
    pub published_key: Option<String>,
}

/// Says where the secrets of an owner stand.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, None)?;
    let fleet = workspace.check().fleet;
    let place = place(&workspace, &fleet, &request.owner, request.cluster_only)?;
    Ok(Outcome {
        file: place.file,
        below: place.below,
        published_key: fleet.published_key,
    })
}

/// Where the secrets of an owner are.
pub(super) fn place(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    owner: &str,
    cluster_only: bool,
) -> Result<Place> {
    if let Some(group) = owner.strip_prefix("group:") {
        if workspace.snapshot.bytes(&layout::group(group)).is_none() {
            return Err(Error::usage(format!("the fleet has no group `{group}`"))
                .hint(format!("`grove new group {group}` makes it")));
        }
        return Ok(Place {
            file: layout::group_secrets(group),
            below: Vec::new(),
        });
    }
    if owner.contains('/') {
        let address = find::address(owner)?;
        find::find(fleet, &address)?;
        return Ok(Place {
            file: layout::instance_secrets(&address),
            below: Vec::new(),
        });
    }
    if !fleet.clusters.contains_key(owner) {
        return Err(Error::usage(format!("the fleet has no cluster `{owner}`"))
            .hint("an owner is `cluster/instance`, `cluster`, or `group:NAME`"));
    }
    let below = if cluster_only { "cluster" } else { "instances" };
    Ok(Place {
        file: layout::cluster_secrets(owner),
        below: vec![below.to_owned()],
    })
}
