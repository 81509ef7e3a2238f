//! New groups: settings that instances share.

use grove_fleet::scaffold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, valid};
use crate::{Around, Result, fleet::workspace::Workspace, request::RequestId};

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
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, None)?;
    valid(&request.name)?;
    Plan::of(&workspace, scaffold::group(&request.name))
}
