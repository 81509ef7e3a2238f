//! New groups: settings that instances share.
//!
//! ```
//! # let world = grove_example::World::new();
//! # let around = &world.on_disk();
//! use grove_operations::{consent::Consent, fleet::new::group};
//!
//! let request = group::Request {
//!     id: None,
//!     name: "universities".to_owned(),
//! };
//! let plan = group::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok::<(), grove_operations::Error>(())
//! ```

use grove_fleet::scaffold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, valid};
use crate::{Around, Result, request::RequestId};

/// Makes a group.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Its name: lower-case letters, digits and dashes.
    pub name: String,
}

/// Says what would be written.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Plan::of(around, "fleet/new/group", id, request, |_| {
        valid(&request.name)?;
        Ok(scaffold::group(&request.name))
    })
}
