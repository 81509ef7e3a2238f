//! `grove cluster new`, which is `grove new cluster`, too.

use clap::builder::{PossibleValue, PossibleValuesParser};
use grove_operations::fleet::new::{
    cluster::{self, Infrastructure, Provider},
    valid,
};
use grove_seal::Secret;

use crate::{
    around,
    error::{Error, Exit, Result},
    global::Global,
    output::Output,
    surroundings,
    terminal::{self, ask},
};

/// Where clusters come from.
fn providers() -> PossibleValuesParser {
    let shown = ["aws", "digitalocean", "local", "existing"].map(PossibleValue::new);
    let all = shown
        .into_iter()
        .chain([PossibleValue::new("simulated").hide(true)]);
    PossibleValuesParser::new(all.collect::<Vec<_>>())
}

/// A cluster: its file, its secrets, and the stacks that make it.
///
/// The private key of its Sealed Secrets controller goes to the cluster's secrets, encrypted; the
/// certificate stands beside it, so that everybody can seal. With `--state`, or where you are asked, it
/// gets the stacks that Grove has for its provider, and `grove cluster up` makes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its name: lower-case letters, digits and dashes.
    name: String,
    /// Whose cluster it is; `existing` where nobody is asked.
    #[arg(long, value_parser = providers())]
    provider: Option<String>,
    /// The domain under which the cluster's own names are.
    #[arg(long)]
    domain: Option<String>,
    /// Where the states of its stacks are kept.
    #[arg(long, value_name = "BACKEND", value_parser = ["s3", "pg", "gitlab", "local"])]
    state: Option<String>,
    /// The bucket of states, of `s3`.
    #[arg(long, requires = "state")]
    bucket: Option<String>,
    /// The S3 server; Spaces for `digitalocean` and Amazon's otherwise.
    #[arg(long, requires = "state", value_name = "URL")]
    endpoint: Option<String>,
    /// The project's address in GitLab's API, of `gitlab`.
    #[arg(long, requires = "state", value_name = "URL")]
    project: Option<String>,
    /// The directory of states, of `local`.
    #[arg(
        long,
        requires = "state",
        value_name = "DIR",
        default_value = "../states"
    )]
    path: String,
    /// The provider's region.
    #[arg(long)]
    region: Option<String>,
    /// Two zones of the region, of `aws`.
    #[arg(long = "zone", value_name = "ZONE", value_delimiter = ',')]
    zones: Vec<String>,
    /// The version of Kubernetes, as the provider names it.
    #[arg(long, value_name = "VERSION", default_value = "1.34")]
    kubernetes_version: String,
    /// The name of the key pair for nodes, of `aws`.
    #[arg(long, value_name = "NAME", default_value = "operators")]
    ssh_key: String,
    /// Give it managed databases, too.
    #[arg(long, requires = "state")]
    data: bool,
    /// A variable of your environment to keep, encrypted, as a credential of its stacks; may be given
    /// several times.
    #[arg(long = "credential", value_name = "VARIABLE")]
    credentials: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(Error::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    let around = around::of(global, output, &[])?;
    let name = &arguments.name;
    valid(name)?;
    let request = answers(arguments, global)?;
    let is_made = request.infrastructure.is_some();
    let plan = cluster::plan(&around, &request, credentials(arguments)?)?;
    let consent = terminal::consent(plan.needs(), output)?;
    plan.carry_out(&consent)?;
    if is_made {
        output.note(&format!(
            "next: `grove stack plan {name}`, `grove cluster up {name}`"
        ));
    } else {
        output.note(&format!("next: `grove new instance {name}/NAME`"));
    }
    Ok(Exit::Done)
}

/// What was said, or answered on a terminal.
fn answers(arguments: &Arguments, global: &Global) -> Result<cluster::Request> {
    let or_ask = |said: &Option<String>, question: &str, default: &str| {
        said.clone().or_else(|| ask(question, default))
    };
    let provider = or_ask(
        &arguments.provider,
        "Whose cluster is it: aws, digitalocean, local or existing?",
        "existing",
    );
    let provider: Provider = provider.as_deref().unwrap_or("existing").parse()?;
    let domain = or_ask(&arguments.domain, "The domain of its own names?", "");
    let mut state = arguments.state.clone();
    let mut region = arguments.region.clone();
    let mut bucket = arguments.bucket.clone();
    let mut project = arguments.project.clone();
    if provider != Provider::Existing {
        let question = "Where are states kept: s3, pg, gitlab or local?";
        state = or_ask(&state, question, "s3");
        if provider.is_cloud() {
            region = or_ask(&region, "The provider's region?", "");
        }
        match state.as_deref() {
            Some("s3") => bucket = or_ask(&bucket, "The bucket of states?", ""),
            Some("gitlab") => {
                let question = "The project's address in GitLab's API?";
                project = or_ask(&project, question, "");
            }
            _ => {}
        }
    }
    Ok(cluster::Request {
        id: global.request_id(),
        name: arguments.name.clone(),
        provider,
        domain: domain.filter(|domain| !domain.is_empty()),
        infrastructure: state.map(|state| Infrastructure {
            state,
            bucket,
            endpoint: arguments.endpoint.clone(),
            project,
            path: arguments.path.clone(),
            region,
            zones: arguments.zones.clone(),
            kubernetes_version: arguments.kubernetes_version.clone(),
            ssh_key: arguments.ssh_key.clone(),
            data: arguments.data,
        }),
    })
}

/// The values of the credentials that are to be kept.
fn credentials(arguments: &Arguments) -> Result<Vec<(String, Secret)>> {
    let value = |name: &String| {
        let value = surroundings::variable(name)
            .ok_or_else(|| Error::usage(format!("`{name}` is not set in your environment")))?;
        Ok((name.clone(), Secret::new(value)))
    };
    arguments.credentials.iter().map(value).collect()
}
