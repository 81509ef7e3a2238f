//! What is wrong with a fleet.
//!
//! ```
//! # let world = grove_example::World::deployed();
//! # let around = &world.around();
//! use grove_operations::check;
//!
//! for finding in check::read(around, &check::Request::default())?.findings {
//!     println!("{}: {}", finding.rule, finding.message);
//! }
//! # Ok::<(), grove_operations::Error>(())
//! ```

use grove_check::{Released, Severity, Summary};
use grove_fleet::Snapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Doing, Result,
    fleet::workspace::Workspace,
    release::{records, remotes},
};

/// Checks the fleet: every file of it, and how they fit together. Nothing is rendered, and no key is needed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Checks against what was released, too: fetches the deploy branches.
    pub released: bool,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Sorted by file, place and rule.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub summary: Counts,
    /// What a terminal shows beside them.
    #[serde(skip)]
    pub shown: Shown,
}

/// One thing that is wrong: what [`grove_check::Finding`] says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The id of the rule, in kebab case; never changes its meaning.
    pub rule: String,
    /// Whether nothing is rendered or deployed while it stands; else it is worth a change, and everything
    /// works.
    pub severity: Weight,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where: the first is the place to mend, the others clash with it or explain it.
    pub locations: Vec<Place>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Nothing is rendered or deployed while it stands.
    Error,
    /// Worth a change; everything works.
    Warning,
}

/// A place in a file of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file, from the fleet's root, with `/`.
    pub path: String,
    /// The bytes that are meant; an empty span at 0 means the file as a whole.
    pub span: Span,
    /// The first character.
    pub start: Position,
    /// Behind the last character.
    pub end: Position,
    /// What this place has to do with it; may be empty.
    pub label: String,
}

/// A range of bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// A place as an editor shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Findings of severity error.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
}

/// What a terminal shows of a check: lines of the fleet's files, and how much was looked at.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The findings, as [`grove_check::text`] takes them.
    pub findings: Vec<grove_check::Finding>,
    /// The files that they are in.
    pub snapshot: Snapshot,
    /// How many clusters there are.
    pub clusters: usize,
    /// How many instances there are.
    pub instances: usize,
    /// How many distributions there are.
    pub distributions: usize,
}

/// Checks the fleet. Findings are no error.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let mut checked = workspace.check();
    if request.released {
        let mut released = Released::default();
        for cluster in checked.fleet.clusters.keys() {
            around.doing(Doing::Fetching { cluster });
            let branch = remotes::open(&workspace, &checked.fleet, cluster)?;
            records::released(&branch, &mut released)?;
        }
        around.progress_done();
        checked = workspace.check_against(Some(released));
    }
    let Summary { errors, warnings } = Summary::new(&checked.findings);
    Ok(Outcome {
        findings: checked.findings.iter().map(Finding::from).collect(),
        summary: Counts { errors, warnings },
        shown: Shown {
            snapshot: workspace.snapshot,
            clusters: checked.fleet.clusters.len(),
            instances: checked.fleet.instances.len(),
            distributions: checked.fleet.distributions.len(),
            findings: checked.findings,
        },
    })
}

impl From<&grove_check::Finding> for Finding {
    fn from(finding: &grove_check::Finding) -> Self {
        Self {
            rule: finding.rule.to_owned(),
            severity: match finding.severity {
                Severity::Error => Weight::Error,
                Severity::Warning => Weight::Warning,
            },
            message: finding.message.clone(),
            locations: finding.locations.iter().map(Place::from).collect(),
            hint: finding.hint.clone(),
        }
    }
}

impl From<&grove_check::Location> for Place {
    fn from(location: &grove_check::Location) -> Self {
        let position = |at: grove_yaml::Position| Position {
            line: at.line,
            column: at.column,
        };
        Self {
            path: location.path.clone(),
            span: Span {
                start: location.span.start,
                end: location.span.end,
            },
            start: position(location.start),
            end: position(location.end),
            label: location.label.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use grove_check::Report;

    use super::*;

    #[test]
    fn an_outcome_says_what_the_report_for_scripts_says() {
        let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/broken");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let around = Around::new(&fleet, Path::new("/nowhere"), Path::new("/nowhere"), now);
        let outcome = read(&around, &Request::default()).unwrap();
        let mut report = serde_json::to_value(Report::new(&outcome.shown.findings)).unwrap();
        report.as_object_mut().unwrap().remove("version");
        assert_eq!(serde_json::to_value(&outcome).unwrap(), report);
        assert!(outcome.summary.errors > 0);
    }
}
