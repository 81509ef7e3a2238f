//! Where a value of an instance comes from, and what it overrode.
//!
//! ```
//! use grove_operations::fleet::explain;
//!
//! # let world = grove_example::World::deployed();
//! # let around = &world.around();
//! let request = explain::Request {
//!     revision: None,
//!     instance: "alpha/uni".to_owned(),
//!     path: "config.TEST_VALUE".to_owned(),
//! };
//! let outcome = explain::read(around, &request)?;
//! assert!(!outcome.layers.is_empty());
//! # Ok::<(), grove_operations::Error>(())
//! ```

use grove_fleet::{
    layer::{self, LayerValue},
    load::{self, Given},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{find, workspace::Workspace};
use crate::{Around, Result};

/// Asks where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// `cluster/instance`.
    pub instance: String,
    /// The value, as `config.PLATFORM_NAME`; everything where nothing is said. A key that holds dots stands
    /// in double quotes: `domains."shop.uni.example"`.
    #[serde(default)]
    pub path: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// `cluster/instance`.
    pub instance: String,
    /// The path that was asked for.
    pub path: String,
    /// The value after merging; none where a layer took it away.
    pub value: Option<Value>,
    /// The layers that say something of it, the weakest first: the last one that is not overridden gave the
    /// value.
    pub layers: Vec<Layer>,
    /// The outputs of stacks that the value names.
    pub outputs: Vec<Output>,
}

/// What one layer says of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// The layer, in words: `fleet defaults`, `group uni`, `instance`.
    pub layer: String,
    /// The file, from the fleet's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What it says; null takes away.
    pub value: Value,
    /// What became of it.
    pub effect: Effect,
}

/// What became of a layer's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is the value, or its keys are part of it.
    Used,
    /// A later layer replaced it or took it away.
    Overridden,
    /// It took the value away.
    Removed,
}

/// A reference to an output, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// `stack.output`.
    pub output: String,
    /// The file that has its value, from the fleet's root; none where there is no such stack.
    pub file: Option<String>,
    /// Its value, where it has one that may be shown.
    pub value: Option<Value>,
    /// Why it has none.
    pub why: Option<String>,
}

/// Says where a value comes from. Findings of the fleet are no reason not to.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let documents = load::documents(&workspace.snapshot);
    let address = find::address(&request.instance)?;
    let explanation = layer::explain(&documents, &address, &request.path)?;
    let fleet = load::fleet(&documents);
    let given = explanation
        .value
        .as_ref()
        .map(|value| load::given(&fleet, &address, value))
        .unwrap_or_default();
    Ok(Outcome {
        instance: explanation.instance.to_string(),
        path: explanation.path,
        value: explanation.value,
        layers: explanation.layers.into_iter().map(Layer::from).collect(),
        outputs: given.into_iter().map(Output::from).collect(),
    })
}

impl From<LayerValue> for Layer {
    fn from(said: LayerValue) -> Self {
        Self {
            layer: said.layer,
            file: said.place.file,
            line: said.place.line,
            column: said.place.column,
            value: said.value,
            effect: match said.effect {
                layer::Effect::Used => Effect::Used,
                layer::Effect::Overridden => Effect::Overridden,
                layer::Effect::Removed => Effect::Removed,
            },
        }
    }
}

impl From<Given> for Output {
    fn from(given: Given) -> Self {
        Self {
            output: given.output,
            file: given.file,
            value: given.value,
            why: given.why,
        }
    }
}
