//! What it takes to rotate each secret.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::secrets::classes;
//!
//! let outcome = classes::read(around, &classes::Request::default())?;
//! # Ok(())
//! # }
//! ```

use grove_fleet::rotation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Result,
    fleet::{selection::Selection, workspace::Workspace},
};

/// Asks what secrets need to be rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Whose secrets. Nothing said is refused: say `all`.
    pub selection: Selection,
    /// Which secrets, by name; all of them where none is named.
    pub names: Vec<String>,
}

/// What secrets need to be rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// By instance and name.
    pub secrets: Vec<Row>,
}

/// What is known of one secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// Its name.
    pub secret: String,
    /// What its rotation needs, in a word: `job`, `two-step`, `disruptive`, `plain`, `never` or `unknown`.
    pub class: String,
    /// The same in a sentence.
    pub meaning: String,
    /// Whether it stands between its two steps.
    pub unfinished: bool,
}

/// Says what each secret needs to be rotated.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    request.selection.must_be_stated()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let mut secrets = Vec::new();
    for instance in request.selection.select(&fleet)? {
        let unfinished = rotation::unfinished(instance);
        for (name, class) in rotation::plan(instance) {
            if !request.names.is_empty() && !request.names.contains(&name) {
                continue;
            }
            secrets.push(Row {
                instance: instance.address.to_string(),
                unfinished: unfinished.iter().any(|pair| pair.password == name),
                secret: name,
                class: class.name().to_owned(),
                meaning: class.meaning().to_owned(),
            });
        }
    }
    Ok(Outcome { secrets })
}
