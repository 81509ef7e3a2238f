//! A change of `state`, from the fleet's files to the clusters.
//!
//! Each step looks first: after an interruption the same request goes on.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, deploy::state, request::Target};
//!
//! let request = state::Request {
//!     id: None,
//!     target: Target::of("prod/uni"),
//!     change: state::Change::Maintenance,
//!     message: Some("The database moves".to_owned()),
//!     wait: Some(600),
//! };
//! let plan = state::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;

use grove_fleet::{
    Fleet, Snapshot, layout,
    model::{Instance, State},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    outcome::Outcome,
    plan,
    request::{Only, Request as Deploy},
};
use crate::{
    Around, Doing, Error, Kind, Result,
    consent::{Consent, Needs},
    fleet::{history, workspace::Workspace},
    release::{landed, remotes},
    request::{RequestId, Target, addresses, by_cluster, is_known},
};

/// Gives instances a state: writes it to their files in the fleet's work tree, commits and pushes that, and
/// deploys it over what runs. Nothing else of the fleet is shipped, no Job runs, and a hold stays.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Which instances. A revision is refused: the state is written to the work tree.
    pub target: Target,
    /// The state.
    pub change: Change,
    /// What it is for; stands in the commits and in the releases.
    #[serde(default)]
    pub message: Option<String>,
    /// How many seconds to follow the releases until they run; none does not follow them.
    #[serde(default)]
    pub wait: Option<u64>,
}

/// What instances are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Serve.
    Start,
    /// End all pods; volumes, configuration and secrets stay.
    Stop,
    /// Answer with a page and status 503 instead of the site.
    Maintenance,
}

impl Change {
    fn state(self) -> State {
        match self {
            Self::Start => State::Active,
            Self::Stop => State::Stopped,
            Self::Maintenance => State::Maintenance,
        }
    }
}

/// What a request would do first: the commit of the fleet.
pub struct Plan<'a> {
    around: &'a Around,
    needs: Needs,
    /// Each file that is edited, from the fleet's root, with its text and its new text.
    files: Vec<(String, String, String)>,
    /// Each file that has the state, with its text.
    stated: Vec<(String, String)>,
    deploy: Deploy,
}

/// Reads the fleet, whatever its findings, and edits the files that have another state. Writes nothing.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    request.target.selection.must_be_stated()?;
    if request.target.revision.is_some() {
        return Err(Error::usage(
            "the state is written to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(around, None)?;
    workspace.repository()?;
    let fleet = workspace.check().fleet;
    let instances = request.target.choose(&fleet)?;
    let state = request.change.state();
    let (mut files, mut stated) = (Vec::new(), Vec::new());
    for instance in &instances {
        let file = layout::instance(&instance.address);
        let text = text(&workspace.snapshot, &file)?;
        if instance.state == state {
            stated.push((file, text));
            continue;
        }
        let edited = grove_yaml::set(&text, &["state"], &state.name().into()).map_err(|error| {
            Error::from_error(Kind::No, &error).context(format!("`{file}` cannot be edited"))
        })?;
        files.push((file, text, edited));
    }
    files.extend(uncommitted(&workspace, &stated)?);
    if !files.is_empty() && was_carried_out(&workspace, &fleet, request, &instances)? {
        // Others gave it another state since, which stays.
        files.clear();
        stated.clear();
    }
    let subject = format!("{}: {}", addresses(&instances).join(", "), state.name());
    let message = match &request.message {
        None => subject,
        Some(text) => format!("{subject}: {text}"),
    };
    Ok(Plan {
        around,
        needs: request.target.needs(&instances),
        files,
        stated,
        deploy: Deploy {
            id: request.id.clone(),
            message: Some(message),
            only: Some(Only::Operational),
            wait: request.wait,
            ..Deploy::new(Target {
                // What else was edited in the work tree is no part of it.
                revision: Some("HEAD".to_owned()),
                selection: request.target.selection.clone(),
                expect: Some(instances.len()),
            })
        },
    })
}

/// The text of a file.
fn text(files: &Snapshot, file: &str) -> Result<String> {
    let bytes = files.bytes(file).map(|bytes| bytes.to_vec());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Error::new(Kind::No, format!("`{file}` is not text")))
}

/// Files of the work tree whose state is another in the last commit: whoever wrote it was interrupted before
/// it was committed.
fn uncommitted(
    workspace: &Workspace<'_>,
    files: &[(String, String)],
) -> Result<Vec<(String, String, String)>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let history = workspace.repository()?;
    let Ok(head) = history.resolve("HEAD") else {
        // Nothing is committed yet.
        return Ok(Vec::new());
    };
    let committed = history.snapshot(head)?;
    let stated = |text: &[u8]| {
        let root = grove_yaml::parse(text, grove_yaml::Limits::default()).root;
        root.and_then(|root| Some(root.get("state")?.as_str()?.to_owned()))
    };
    let files = files.iter().filter(|(file, text)| {
        let before = committed.bytes(file);
        before.is_some_and(|before| stated(before) != stated(text.as_bytes()))
    });
    Ok(files
        .map(|(file, text)| (file.clone(), text.clone(), text.clone()))
        .collect())
}

/// Whether a request of this name was carried out before on a cluster of the instances.
fn was_carried_out(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    request: &Request,
    instances: &[&Instance],
) -> Result<bool> {
    if request.id.is_none() {
        return Ok(false);
    }
    if is_known(workspace.around, request.id.as_ref()) {
        return Ok(true);
    }
    for (cluster, _) in by_cluster(instances) {
        workspace.around.doing(Doing::Fetching { cluster });
        let branch = remotes::open_to_change(workspace, fleet, cluster)?;
        if landed::of(&branch, request.id.as_ref())?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl<'a> Plan<'a> {
    /// What must be agreed to before the fleet is written to. What the deploy needs beside that is known once
    /// the commit is there: see [`Self::commit`].
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Writes the fleet's files, commits them and pushes that. Gives the deploy that brings it to the clusters,
    /// which is carried out with a consent of its own.
    pub fn commit(self, consent: &Consent) -> Result<plan::Plan<'a>> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        // All of them could be edited: nothing is half done where one cannot. What others changed since is not
        // what is deployed.
        let edited = self.files.iter().map(|(file, text, _)| (file, text));
        for (file, text) in edited.chain(self.stated.iter().map(|(file, text)| (file, text))) {
            history::refuse_changed(self.around, file, Some(text.as_bytes()))?;
        }
        // Since then others may have committed another state, and been interrupted before this one was committed
        // again: what is deployed is what the last commit says.
        let left = match &self.stated[..] {
            [] => Vec::new(),
            stated => uncommitted(&Workspace::open(self.around, None)?, stated)?,
        };
        for (file, _, edited) in &self.files {
            history::write(self.around, file, edited)?;
        }
        let files: BTreeSet<&str> = self
            .files
            .iter()
            .chain(&left)
            .map(|(file, ..)| file.as_str())
            .collect();
        let files: Vec<&str> = files.into_iter().collect();
        let message = self.deploy.message.as_deref().unwrap_or_default();
        history::publish(self.around, &files, message)?;
        plan::plan(self.around, &self.deploy)
    }

    /// All of it with one consent. Where the deploy needs more, it is refused, and the commit of the fleet
    /// stays.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.commit(consent)?.carry_out(consent)
    }
}
