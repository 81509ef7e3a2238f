//! The parts of a split, put together again.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, state::join};
//!
//! let request = join::Request::default();
//! let plan = join::plan(around, &request, "parts".as_ref(), "combined.tfstate".as_ref())?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::path::Path;

use grove_state::{Part, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{parts, source::parse, write_new};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    place::Place,
    request::RequestId,
    requests::{Answer, Once},
};

/// Joins the parts of a split.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
}

/// What was joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// How many objects the state has.
    pub objects: usize,
    /// How many parts it was joined of.
    pub parts: usize,
    /// Its serial.
    pub serial: u64,
}

impl Answer for Outcome {}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work, Outcome>);

struct Work {
    needs: Needs,
    out: Place,
    outcome: Outcome,
    /// The state that is written.
    text: String,
}

/// Reads the record and the parts of a split as they are now, also where they were applied since, and joins them.
/// `directory` is what [`super::split`] wrote; `out` is a file that is not there yet.
pub fn plan<'a>(
    around: &'a Around,
    request: &Request,
    directory: &Path,
    out: &Path,
) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    let said = (request, [directory, out].map(Path::to_string_lossy));
    Once::plan(around, "state/join", id, &said, |_| {
        work(around, directory, out)
    })
    .map(Plan)
}

fn work(around: &Around, directory: &Path, out: &Path) -> Result<Work> {
    let out = Place::of(around, out);
    refuse_existing(&out)?;
    let directory = Place::of(around, directory);
    let (outcome, text) = joined(&directory).map_err(|error| directory.named(error))?;
    Ok(Work {
        needs: Needs::default(),
        out,
        outcome,
        text,
    })
}

fn refuse_existing(out: &Place) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let error = Error::usage(format!("{} is there already", out.display()));
    Err(out.named(error))
}

/// One state of all parts, with the lineage that was split and the serial after it.
fn joined(directory: &Path) -> Result<(Outcome, String)> {
    let (record, texts) = parts(directory)?;
    let parts = texts
        .iter()
        .map(|part| {
            let state: State<'_> = parse(&part.path, &part.text)?;
            Ok(Part {
                stack: part.stack.clone(),
                state,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let joined = grove_state::join(&parts, &record)?;
    let outcome = Outcome {
        objects: joined.len(),
        parts: parts.len(),
        serial: joined.serial,
    };
    Ok((outcome, joined.to_text()))
}

impl Plan<'_> {
    /// What must be agreed to: nothing, as nothing is there that could be lost.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Writes the state to its new file.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        refuse_existing(&self.out)?;
        write_new(&self.out, &self.text).map_err(|error| self.out.named(error))?;
        Ok(self.outcome)
    }
}
