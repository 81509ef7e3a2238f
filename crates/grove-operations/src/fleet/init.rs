//! A new fleet: `grove.yaml`, and `.sops.yaml` with who may read its secrets.

use std::path::{Path, PathBuf};

use grove_fleet::{
    Snapshot,
    scaffold::{self, Files, NewFleet},
};
use grove_seal::source::{Identities, Place, new_identity, places};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::new::files::{Outcome, refuse_existing, refuse_unsound, write};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    files::write_private,
    request::RequestId,
};

/// Where deploy trees go where nothing is said.
pub const DEPLOY_REMOTE: &str = "../deploy-{cluster}.git";

/// Makes a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The fleet's name; the directory's where nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// Where deploy trees go: a Git URL or path; `{cluster}` stands for the cluster's name.
    /// [`DEPLOY_REMOTE`] where nothing is said.
    #[serde(default = "deploy_remote")]
    pub deploy_remote: String,
    /// The age recipients (`age1…`) that may read the secrets. Where none is named, that is whoever has the
    /// age keys of this machine, where `sops` looks for them; where there is none, one is made.
    #[serde(default)]
    pub recipients: Vec<String>,
}

fn deploy_remote() -> String {
    DEPLOY_REMOTE.to_owned()
}

/// A fleet that is to be made.
pub struct Plan<'a> {
    around: &'a Around,
    request: Request,
    directory: PathBuf,
    name: String,
    needs: Needs,
}

/// Looks whether a fleet can be made in `directory`, which is made where it is missing.
pub fn plan<'a>(around: &'a Around, request: &Request, directory: &Path) -> Result<Plan<'a>> {
    let directory = around.directory.join(directory);
    let directory = match fs_err::canonicalize(&directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => directory,
        known => known?,
    };
    let name = match &request.name {
        Some(name) => name.clone(),
        None => directory
            .file_name()
            .and_then(|name| name.to_str())
            .map(|name| name.to_lowercase().replace(['_', ' ', '.'], "-"))
            .ok_or_else(|| Error::usage("say the fleet's name with `--name`"))?,
    };
    refuse_existing(&directory, ["grove.yaml", ".sops.yaml"])?;
    let plan = Plan {
        around,
        request: request.clone(),
        directory,
        name,
        needs: Needs::default(),
    };
    // Before a key is made.
    refuse_unsound(around, &Snapshot::default(), &plan.files(&[]))?;
    let mut recipients = request.recipients.iter();
    if let Some(wrong) = recipients.find(|recipient| !recipient.starts_with("age1")) {
        return Err(Error::usage(format!("`{wrong}` is not an age recipient"))
            .hint("a recipient starts with `age1`"));
    }
    Ok(plan)
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would be written.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            files: self.files(&[]).into_keys().collect(),
        }
    }

    /// Writes it. Where nobody could read the fleet's secrets, a key is made first, and told.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        fs_err::create_dir_all(&self.directory)?;
        let recipients = if self.request.recipients.is_empty() {
            own_recipients(self.around)?
        } else {
            self.request.recipients.clone()
        };
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        write(self.around, &self.directory, &self.files(&recipients))?;
        Ok(self.outcome())
    }

    fn files(&self, recipients: &[&str]) -> Files {
        scaffold::fleet(NewFleet {
            name: &self.name,
            remote: &self.request.deploy_remote,
            recipients,
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
    write_private(
        &path,
        &format!("# public key: {public}\n{}\n", private.expose()),
    )?;
    around.note(&format!(
        "made an age key in {}; keep a copy of it: without it the fleet's secrets are lost",
        path.display()
    ));
    Ok(vec![public])
}
