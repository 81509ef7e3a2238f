//! What this machine has of what Grove needs.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::machine;
//!
//! let outcome = machine::read(around);
//! assert!(!outcome.is_lacking());
//! # Ok(())
//! # }
//! ```

use grove_exec::sandbox::FLOOR;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Around;

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each of it.
    pub items: Vec<Item>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// What it is.
    pub name: String,
    /// Whether Grove cannot do without it.
    pub needed: bool,
    /// What is there, in words.
    pub found: Option<String>,
    /// Why it is not there.
    pub problem: Option<String>,
}

impl Outcome {
    /// Whether something is not there that is needed.
    pub fn is_lacking(&self) -> bool {
        let mut items = self.items.iter();
        items.any(|item| item.needed && item.found.is_none())
    }
}

impl Item {
    fn new(name: &str, needed: bool, found: Result<String, String>) -> Self {
        let (found, problem) = match found {
            Ok(found) => (Some(found), None),
            Err(problem) => (None, Some(problem)),
        };
        Self {
            name: name.to_owned(),
            needed,
            found,
            problem,
        }
    }
}

/// Looks for the programs that Grove calls, what can be confined, and a place for the cache. Changes nothing.
pub fn read(around: &Around) -> Outcome {
    let mut items: Vec<Item> = [
        ("git", &["--version"][..], true),
        ("python3", &["--version"][..], true),
        ("sops", &["--version", "--disable-version-check"][..], false),
        ("tofu", &["version"][..], false),
    ]
    .into_iter()
    .map(|(name, arguments, needed)| {
        let found = grove_exec::Invocation::new(name)
            .args(arguments)
            .run()
            .and_then(grove_exec::Outcome::text)
            .map(|text| text.lines().next().unwrap_or_default().to_owned());
        Item::new(name, needed, found.map_err(|error| error.to_string()))
    })
    .collect();
    items.push(Item::new(
        "kubectl or kustomize",
        true,
        grove_tutor::Kustomizer::find()
            .map(|found| found.version().to_owned())
            .map_err(|error| error.to_string()),
    ));
    items.push(Item::new("sandbox", true, confines(around)));
    items.push(Item::new(
        "cache",
        true,
        around
            .cache()
            .map(|cache| cache.root.display().to_string())
            .map_err(|error| error.to_string()),
    ));
    Outcome { items }
}

/// What this machine can confine. What is below the floor is a problem: nothing is rendered then.
fn confines(around: &Around) -> Result<String, String> {
    let sandbox = grove_exec::Sandbox {
        launcher: around.launcher.clone(),
        ..grove_exec::Sandbox::default()
    };
    let report = sandbox.probe().map_err(|error| error.to_string())?;
    let lacking = report.below_floor();
    if !lacking.is_empty() {
        let lacking: Vec<String> = lacking
            .iter()
            .map(|one| format!("{} (needs {})", one.name(), one.needs()))
            .collect();
        let lacking = lacking.join(", ");
        return Err(format!(
            "nothing is rendered: this machine cannot confine {lacking}"
        ));
    }
    let floor: Vec<&str> = FLOOR.iter().map(|one| one.name()).collect();
    let more: Vec<&str> = [
        (report.user_namespace, "user"),
        (report.network_namespace, "network"),
        (report.ipc_namespace, "IPC"),
    ]
    .into_iter()
    .filter_map(|(there, name)| there.then_some(name))
    .collect();
    Ok(if more.is_empty() {
        format!("confines {}, without namespaces", floor.join(", "))
    } else {
        format!(
            "confines {}, and has namespaces: {}",
            floor.join(", "),
            more.join(", ")
        )
    })
}
