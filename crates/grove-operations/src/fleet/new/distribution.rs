//! New distributions: which Tutor, which plugins.
//!
//! ```
//! # let world = grove_example::World::new();
//! # let around = &world.on_disk();
//! use grove_operations::{consent::Consent, fleet::new::distribution};
//!
//! let request = distribution::Request {
//!     id: None,
//!     name: "ulmo-2".to_owned(),
//!     release: "ulmo".to_owned(),
//!     tutor: "21.0.8".to_owned(),
//!     plugins: vec!["tutor-mfe==21.0.2".to_owned()],
//! };
//! let plan = distribution::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok::<(), grove_operations::Error>(())
//! ```

use std::collections::BTreeMap;

use grove_fleet::scaffold::{self, Files, NewDistribution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, valid};
use crate::{Around, Error, Result, request::RequestId};

/// Makes a distribution.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Its name; a new set is a new name, so it ends in a number: `verawood-1`.
    pub name: String,
    /// The Open edX release, in lower case.
    pub release: String,
    /// Tutor's version.
    pub tutor: String,
    /// Packages of plugins and their versions, each as `tutor-mfe==22.1.0`.
    pub plugins: Vec<String>,
}

/// Says what would be written. Exact packages are resolved by a lock.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Plan::of(around, "fleet/new/distribution", id, request, |_| {
        files(request)
    })
}

fn files(request: &Request) -> Result<Files> {
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
    Ok(scaffold::distribution(NewDistribution {
        name: &request.name,
        release: &request.release,
        tutor: &request.tutor,
        plugins: &plugins,
    }))
}
