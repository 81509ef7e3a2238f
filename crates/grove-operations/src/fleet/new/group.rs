//! A new group: settings that instances share.

use grove_fleet::scaffold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::{Plan, valid};
use crate::{Around, Result, fleet::workspace::Workspace, request::RequestId};

/// Makes a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Its name: lower-case letters, digits and dashes.
    pub name: String,
}

/// Makes the text of its files.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let workspace = Workspace::open(around, None)?;
    valid(&request.name)?;
    Plan::new(&workspace, scaffold::group(&request.name))
}
