//! A new distribution: which Tutor, which plugins.

use std::collections::BTreeMap;

use grove_fleet::scaffold::{self, NewDistribution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::{Plan, valid};
use crate::{Around, Error, Result, fleet::workspace::Workspace, request::RequestId};

/// The Open edX release where none is named.
pub const RELEASE: &str = "verawood";
/// Tutor's version where none is named.
pub const TUTOR: &str = "22.0.3";
/// The plugins where none is named.
pub const PLUGINS: [&str; 2] = ["tutor-mfe==22.1.0", "tutor-indigo==22.0.0"];

/// Makes a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Its name; a new set is a new name, so it ends in a number: `verawood-1`.
    pub name: String,
    /// The Open edX release, in lower case; [`RELEASE`] where nothing is said.
    #[serde(default = "release")]
    pub release: String,
    /// Tutor's version; [`TUTOR`] where nothing is said.
    #[serde(default = "tutor")]
    pub tutor: String,
    /// Plugins' packages and versions, as `tutor-mfe==22.1.0`; [`PLUGINS`] where nothing is said.
    #[serde(default = "plugins")]
    pub plugins: Vec<String>,
}

fn release() -> String {
    RELEASE.to_owned()
}

fn tutor() -> String {
    TUTOR.to_owned()
}

fn plugins() -> Vec<String> {
    PLUGINS.map(str::to_owned).to_vec()
}

/// Makes the text of its files.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let workspace = Workspace::open(around, None)?;
    valid(&request.name)?;
    let plugins = request
        .plugins
        .iter()
        .map(|plugin| {
            let (package, version) = plugin
                .split_once("==")
                .ok_or_else(|| Error::usage(format!("`{plugin}` is not `PACKAGE==VERSION`")))?;
            Ok((package.to_owned(), version.to_owned()))
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    let files = scaffold::distribution(NewDistribution {
        name: &request.name,
        release: &request.release,
        tutor: &request.tutor,
        plugins: &plugins,
    });
    Plan::new(&workspace, files)
}
