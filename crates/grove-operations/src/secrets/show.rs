//! Which secrets an instance has, and the value of one.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, secrets::show};
//! # fn example(around: &Around) -> Result<()> {
//! let request = show::Request {
//!     revision: None,
//!     instance: "prod/uni".to_owned(),
//! };
//! for row in show::read(around, &request)?.secrets {
//!     let value = show::open(around, &request, &row.name)?;
//!     assert!(!value.expose().is_empty());
//! }
//! # Ok(())
//! # }
//! ```

use grove_fleet::{Fleet, model::Instance};
use grove_seal::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::open::Secrets;
use crate::{
    Around, Error, Result,
    fleet::{find, workspace::Workspace},
};

/// Asks for the secrets of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// `cluster/instance`.
    pub instance: String,
}

/// The names of an instance's secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each of them, by name.
    pub secrets: Vec<Row>,
}

/// One secret of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The SOPS file that it comes from, from the fleet's root.
    pub file: String,
}

/// Lists the names of an instance's secrets, which needs no key.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let secrets = instance(&fleet, request)?.secrets.iter();
    let rows = secrets.map(|(name, reference)| Row {
        name: name.clone(),
        file: reference.file.clone(),
    });
    Ok(Outcome {
        secrets: rows.collect(),
    })
}

/// The value of one secret of the instance; a key must be there that opens its file.
pub fn open(around: &Around, request: &Request, name: &str) -> Result<Secret> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let instance = instance(&fleet, request)?;
    let reference = instance.secrets.get(name).ok_or_else(|| {
        Error::usage(format!("{} has no secret `{name}`", instance.address))
            .hint("without a name, the names are listed")
    })?;
    Secrets::new(&workspace, &fleet).value(reference)
}

fn instance<'f>(fleet: &'f Fleet, request: &Request) -> Result<&'f Instance> {
    find::find(fleet, &find::address(&request.instance)?)
}
