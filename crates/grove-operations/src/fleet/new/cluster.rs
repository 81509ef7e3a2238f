//! New clusters: their file, their secrets, and the stacks that make them.
//!
//! The private key of the cluster's Sealed Secrets controller goes to its secrets, encrypted; the
//! certificate stands beside it, so that everybody can seal.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, fleet::new::cluster};
//!
//! let request = cluster::Request {
//!     id: None,
//!     name: "prod".to_owned(),
//!     provider: cluster::Provider::default(),
//!     domain: None,
//!     infrastructure: None,
//! };
//! let plan = cluster::plan(around, &request, Vec::new())?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::{collections::BTreeMap, str::FromStr};

use grove_fleet::{
    Fleet, layout,
    scaffold::{self, Files, NewCluster, NewInfrastructure},
};
use grove_seal::{
    Secret,
    keys::{SEALING_BITS, new_fingerprint_key, new_key_pair},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, lacking, refuse_existing, refuse_unsound, valid, write};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Needs},
    files,
    fleet::workspace::Workspace,
    request::RequestId,
    requests::{Begun, Journal, Once},
    secrets::{
        names::{FINGERPRINT_KEY, SEALING_KEY},
        open::{Place, Secrets},
    },
};

/// Makes a cluster's files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Its name: lower-case letters, digits and dashes.
    pub name: String,
    /// Whose cluster it is.
    #[serde(default)]
    pub provider: Provider,
    /// The domain under which the cluster's own names are.
    #[serde(default)]
    pub domain: Option<String>,
    /// The stacks that make it; none where they are somebody else's.
    #[serde(default)]
    pub infrastructure: Option<Infrastructure>,
}

/// Where clusters come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
    /// `DigitalOcean`.
    #[serde(rename = "digitalocean")]
    DigitalOcean,
    /// kind or k3d on a machine.
    Local,
    /// Made by somebody else.
    #[default]
    Existing,
    /// None: Grove's own tests use it.
    Simulated,
}

impl Provider {
    const ALL: [Self; 5] = [
        Self::Aws,
        Self::DigitalOcean,
        Self::Local,
        Self::Existing,
        Self::Simulated,
    ];

    /// What it is called in `cluster.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::DigitalOcean => "digitalocean",
            Self::Local => "local",
            Self::Existing => "existing",
            Self::Simulated => "simulated",
        }
    }

    /// Whether it has regions.
    pub fn is_cloud(self) -> bool {
        matches!(self, Self::Aws | Self::DigitalOcean)
    }
}

impl FromStr for Provider {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|one| one.name() == text);
        found.ok_or_else(|| {
            Error::usage(format!("`{text}` is no provider"))
                .hint("aws, digitalocean, local or existing")
        })
    }
}

/// The stacks that make a cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Infrastructure {
    /// Where states are kept: `s3`, `pg`, `gitlab` or `local`.
    pub state: String,
    /// The bucket of states, of `s3`.
    #[serde(default)]
    pub bucket: Option<String>,
    /// The S3 server; Spaces for `digitalocean` and Amazon's otherwise.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The project's address in GitLab's API, of `gitlab`.
    #[serde(default)]
    pub project: Option<String>,
    /// The directory of states, of `local`.
    #[serde(default = "states")]
    pub path: String,
    /// The provider's region.
    #[serde(default)]
    pub region: Option<String>,
    /// Two zones of the region, of `aws`.
    #[serde(default)]
    pub zones: Vec<String>,
    /// The version of Kubernetes, as the provider names it.
    #[serde(default = "kubernetes_version")]
    pub kubernetes_version: String,
    /// The name of the key pair for nodes, of `aws`.
    #[serde(default = "ssh_key")]
    pub ssh_key: String,
    /// Whether it has managed databases, too.
    #[serde(default)]
    pub data: bool,
}

fn states() -> String {
    "../states".to_owned()
}

fn kubernetes_version() -> String {
    "1.34".to_owned()
}

fn ssh_key() -> String {
    "operators".to_owned()
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    needs: Needs,
    workspace: Workspace<'a>,
    fleet: Fleet,
    name: String,
    files: Files,
    credentials: Vec<(String, Secret)>,
    /// What the request was about to write before it was interrupted.
    before: Option<Files>,
}

/// Says what would be written. `credentials` are kept, encrypted, among the cluster's secrets: the variables
/// that its stacks find in their environment, each with its value.
pub fn plan<'a>(
    around: &'a Around,
    request: &Request,
    credentials: Vec<(String, Secret)>,
) -> Result<Plan<'a>> {
    let names: Vec<String> = credentials.iter().map(|(name, _)| name.clone()).collect();
    let said = (request, names);
    let id = request.id.as_ref();
    Once::plan(around, "fleet/new/cluster", id, &said, move |begun| {
        work(around, request, credentials.clone(), begun)
    })
    .map(Plan)
}

fn work<'a>(
    around: &'a Around,
    request: &Request,
    credentials: Vec<(String, Secret)>,
    begun: &Begun,
) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, None)?;
    let name = &request.name;
    valid(name)?;
    let names: Vec<String> = credentials.iter().map(|(name, _)| name.clone()).collect();
    let infrastructure = request
        .infrastructure
        .as_ref()
        .map(|infrastructure| infrastructure.new_for(request.provider, names))
        .transpose()?;
    let files = scaffold::cluster(NewCluster {
        name,
        provider: request.provider.name(),
        domain: request.domain.as_deref(),
        infrastructure: infrastructure.as_ref(),
    });
    let before: Option<Files> = begun.ground();
    refuse_existing(
        &workspace.root,
        lacking(&workspace.root, &files, before.as_ref()),
    )?;
    if before.is_none() {
        let (certificate, secrets) = (layout::sealing(name), layout::cluster_secrets(name));
        refuse_existing(&workspace.root, [certificate.as_str(), secrets.as_str()])?;
    }
    refuse_unsound(around, &workspace.snapshot, &files)?;
    let fleet = workspace.check().fleet;
    Ok(Work {
        around,
        before,
        needs: Needs::default(),
        workspace,
        fleet,
        name: name.clone(),
        files,
        credentials,
    })
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What would be written, but for the secrets and the certificate: path from the fleet's root → text. None
    /// where it was written before by this request.
    pub fn files(&self) -> Option<&Files> {
        self.0.open().map(|work| &work.files)
    }

    /// Makes the sealing key, and writes everything.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0.carry_out(consent, Work::carry_out)
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent, journal: &Journal<'_>) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let (secrets, certificate) = (
            layout::cluster_secrets(&self.name),
            layout::sealing(&self.name),
        );
        journal.begin(&self.files);
        // Of a request that was interrupted both are there, or what is there of them is of no use.
        if !self.workspace.root.join(&certificate).exists() {
            self.make_key(&secrets, &certificate)?;
        }
        let root = &self.workspace.root;
        write(
            self.around,
            journal,
            root,
            &self.files,
            self.before.as_ref(),
        )?;
        let mut files = vec![secrets, certificate];
        files.extend(self.files.into_keys());
        Ok(Outcome { files })
    }

    /// Makes the sealing key, and writes it with all secrets of the cluster.
    fn make_key(&self, secrets: &str, certificate: &str) -> Result<()> {
        let around = self.around;
        let root = &self.workspace.root;
        around.doing(Doing::MakingSealingKey);
        let pair = new_key_pair(SEALING_BITS, "sealed-secret", around.now())?;
        around.progress_done();
        let place = Place {
            file: secrets.to_owned(),
            below: vec!["cluster".to_owned()],
        };
        let mut values: BTreeMap<String, Secret> = self.credentials.iter().cloned().collect();
        values.insert(SEALING_KEY.to_owned(), pair.private);
        values.insert(FINGERPRINT_KEY.to_owned(), new_fingerprint_key());
        // The private key first: a certificate whose key is lost would seal for nobody.
        Secrets::new(&self.workspace, &self.fleet).write(&place, &values)?;
        around.note(&format!("wrote {}", place.file));
        files::write_atomically(&root.join(certificate), &pair.certificate)?;
        around.note(&format!("wrote {certificate}"));
        Ok(())
    }
}

/// The variable with the token of `DigitalOcean`.
const DO_TOKEN: &str = "DIGITALOCEAN_TOKEN";

impl Infrastructure {
    /// What is written of it for a provider.
    fn new_for(&self, provider: Provider, credentials: Vec<String>) -> Result<NewInfrastructure> {
        let state = self.state(provider)?;
        if provider == Provider::Aws && self.zones.len() < 2 {
            return Err(Error::usage("say two zones of the region with `--zone`"));
        }
        if provider == Provider::DigitalOcean
            && self.data
            && !credentials.contains(&DO_TOKEN.to_owned())
        {
            return Err(Error::usage(
                "managed databases need the provider's token among the secrets",
            )
            .hint(format!(
                "set {DO_TOKEN} in your environment and say `--credential {DO_TOKEN}`"
            )));
        }
        Ok(NewInfrastructure {
            state,
            credentials,
            region: if provider.is_cloud() {
                Some(self.needed(self.region.as_ref(), "--region")?)
            } else {
                None
            },
            zones: self.zones.clone(),
            kubernetes_version: Some(self.kubernetes_version.clone()),
            ssh_key: Some(self.ssh_key.clone()),
            has_data: self.data,
        })
    }

    /// `state`: its keys and values.
    fn state(&self, provider: Provider) -> Result<Vec<(&'static str, String)>> {
        let mut state = vec![("backend", self.state.clone())];
        match self.state.as_str() {
            "s3" => {
                state.push(("bucket", self.needed(self.bucket.as_ref(), "--bucket")?));
                match (&self.endpoint, provider, &self.region) {
                    (Some(endpoint), ..) => state.push(("endpoint", endpoint.clone())),
                    (None, Provider::DigitalOcean, Some(region)) => {
                        state.push((
                            "endpoint",
                            format!("https://{region}.digitaloceanspaces.com"),
                        ));
                    }
                    (None, _, Some(region)) => state.push(("region", region.clone())),
                    (None, _, None) => {}
                }
            }
            "gitlab" => state.push(("project", self.needed(self.project.as_ref(), "--project")?)),
            "local" => state.push(("path", self.path.clone())),
            _ => {}
        }
        Ok(state)
    }

    fn needed(&self, value: Option<&String>, flag: &str) -> Result<String> {
        let value = value.cloned().filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            Error::usage(format!(
                "say `{flag}`, which `{}` or the provider needs",
                self.state
            ))
        })
    }
}
