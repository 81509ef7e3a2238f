//! New instances, with their identity, which never changes.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, fleet::new::instance};
//!
//! let request = instance::Request {
//!     id: None,
//!     instance: "prod/uni".to_owned(),
//!     client: None,
//!     environment: "staging".to_owned(),
//!     groups: Vec::new(),
//!     ring: None,
//!     distribution: None,
//!     host: Some("learn.uni.example".to_owned()),
//!     platform_name: "Example University".to_owned(),
//! };
//! let plan = instance::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use grove_fleet::{
    model::{Environment, Identity},
    scaffold::{self, Files, NewInstance},
};
use grove_seal::keys::new_token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, valid};
use crate::{
    Around, Error, Result,
    fleet::{
        find::{address, find_cluster},
        workspace::Workspace,
    },
    request::RequestId,
};

/// Makes an instance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// Where, as `cluster/instance`.
    pub instance: String,
    /// Whom it belongs to; the instance's name where nothing is said.
    #[serde(default)]
    pub client: Option<String>,
    /// What it is for: `production`, `staging`, `development` or `sandbox`.
    pub environment: String,
    /// Groups whose settings it shares.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Its ring.
    #[serde(default)]
    pub ring: Option<String>,
    /// Its distribution, where no earlier layer names one.
    #[serde(default)]
    pub distribution: Option<String>,
    /// The LMS's host; Studio and the MFEs get `studio.` and `apps.` in front of it. Where nothing is said,
    /// it is the instance's name below the cluster's domain.
    #[serde(default)]
    pub host: Option<String>,
    /// The site's name.
    pub platform_name: String,
}

/// Says what would be written. Its secrets are made later.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Plan::of(around, "fleet/new/instance", id, request, |workspace| {
        files(request, workspace)
    })
}

fn files(request: &Request, workspace: &Workspace<'_>) -> Result<Files> {
    let address = address(&request.instance)?;
    valid(&address.instance)?;
    let fleet = workspace.check().fleet;
    let cluster = find_cluster(&fleet, &address.cluster)?;
    let environment = Environment::from_name(&request.environment)
        .ok_or_else(|| Error::usage(format!("`{}` is not an environment", request.environment)))?;
    let lms = match (&request.host, &cluster.domain) {
        (Some(host), _) => host.clone(),
        (None, Some(domain)) => format!("{}.{domain}", address.instance),
        (None, None) => {
            return Err(Error::usage("say the LMS's host with `--host`")
                .hint("a cluster with a `domain` gives its instances hosts below it"));
        }
    };
    let groups: Vec<&str> = request.groups.iter().map(String::as_str).collect();
    let identity = Identity {
        namespace: address.instance.clone(),
        id: new_token(24).expose().to_owned(),
    };
    Ok(scaffold::instance(NewInstance {
        address: &address,
        client: request.client.as_deref().unwrap_or(&address.instance),
        environment,
        groups: &groups,
        ring: request.ring.as_deref(),
        distribution: request.distribution.as_deref(),
        identity: &identity,
        lms: &lms,
        plugins: &["mfe", "indigo"],
        platform_name: &request.platform_name,
    }))
}
