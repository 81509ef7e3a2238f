//! New fleets: `grove.yaml`, and who may read the fleet's secrets.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, fleet::new::fleet};
//!
//! let request = fleet::Request {
//!     id: None,
//!     name: None,
//!     deploy_remote: "git@git.acme.example:deploy-{cluster}.git".to_owned(),
//!     recipients: Vec::new(),
//! };
//! let plan = fleet::plan(around, &request, "acme".as_ref())?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::path::{Path, PathBuf};

use grove_fleet::{
    Snapshot,
    scaffold::{self, Files, NewFleet},
};
use grove_seal::source::{Identities, Place, new_identity, places};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, refuse_existing, refuse_unsound, write};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    files, place,
    request::RequestId,
    requests::{Begun, Journal, Once},
};

/// Makes a fleet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Its name; the directory's where nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// Where deploy trees go: a Git URL or path; `{cluster}` stands for the cluster's name.
    pub deploy_remote: String,
    /// Age recipients (`age1…`) that may read the secrets. Where none is stated, those whose private keys
    /// are found where `sops` looks for them; where there is none either, one is made.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    needs: Needs,
    request: Request,
    name: String,
    directory: PathBuf,
    /// What the request was about to write before it was interrupted.
    before: Option<Files>,
}

/// Says what would be written to a directory, which must be there. A relative one begins at
/// [`Around::directory`].
pub fn plan<'a>(around: &'a Around, request: &Request, directory: &Path) -> Result<Plan<'a>> {
    let place = place::Place::of(around, directory);
    let directory = fs_err::canonicalize(&*place).map_err(|error| place.named(error.into()))?;
    let said = (request, directory.to_string_lossy());
    let id = request.id.as_ref();
    Once::plan(around, "fleet/new/fleet", id, &said, |begun| {
        work(around, request, directory.clone(), begun)
    })
    .map(Plan)
}

fn work<'a>(
    around: &'a Around,
    request: &Request,
    directory: PathBuf,
    begun: &Begun,
) -> Result<Work<'a>> {
    let name = match &request.name {
        Some(name) => name.clone(),
        None => directory
            .file_name()
            .and_then(|name| name.to_str())
            .map(|name| name.to_lowercase().replace(['_', ' ', '.'], "-"))
            .ok_or_else(|| Error::usage("say the fleet's name with `--name`"))?,
    };
    let before: Option<Files> = begun.ground();
    if before.is_none() {
        refuse_existing(&directory, ["grove.yaml", ".sops.yaml"])?;
    }
    let plan = Work {
        around,
        needs: Needs::default(),
        request: request.clone(),
        name,
        directory,
        before,
    };
    // Before a key is made.
    refuse_unsound(around, &Snapshot::default(), &plan.files(&[]))?;
    let recipients = &request.recipients;
    if let Some(wrong) = recipients.iter().find(|one| !one.starts_with("age1")) {
        return Err(Error::usage(format!("`{wrong}` is not an age recipient"))
            .hint("a recipient starts with `age1`"));
    }
    Ok(plan)
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Makes a key where there is none, and writes the files.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let recipients = if self.request.recipients.is_empty() {
            own_recipients(self.around)?
        } else {
            self.request.recipients.clone()
        };
        let files = self.files(&recipients);
        write(
            self.around,
            journal,
            &self.directory,
            &files,
            self.before.as_ref(),
        )?;
        Ok(Outcome {
            files: files.into_keys().collect(),
        })
    }

    fn files(&self, recipients: &[String]) -> Files {
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        scaffold::fleet(NewFleet {
            name: &self.name,
            remote: &self.request.deploy_remote,
            recipients: &recipients,
        })
    }
}

/// The recipients whose private keys are on this machine; a new one where there is none.
fn own_recipients(around: &Around) -> Result<Vec<String>> {
    let mut identities = Identities::default();
    let mut usual = None;
    for place in places(|name| around.variable(name), around.home.as_deref()) {
        match place {
            Place::Text { variable, text } => identities.add(variable, text.expose())?,
            Place::File { path, .. } => {
                if let Ok(text) = fs_err::read_to_string(&path) {
                    identities.add(&path.display().to_string(), &text)?;
                }
                usual = Some(path);
            }
            Place::Command { .. } => {}
        }
    }
    if !identities.is_empty() {
        return Ok(identities.recipients());
    }
    let path = usual.ok_or_else(|| {
        Error::usage("no age key was found, and there is no place for a new one")
            .hint("say who may read the secrets with `--recipient age1…`")
    })?;
    let (private, public) = new_identity();
    files::write_private(
        &path,
        &format!("# public key: {public}\n{}\n", private.expose()),
    )?;
    around.note(&format!(
        "made an age key in {}; keep a copy of it: without it the fleet's secrets are lost",
        path.display()
    ));
    Ok(vec![public])
}
