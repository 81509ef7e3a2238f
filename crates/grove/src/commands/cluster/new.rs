//! `grove cluster new`, which is `grove new cluster`, too.

use std::collections::BTreeMap;

use clap::builder::{PossibleValue, PossibleValuesParser};
use grove_fleet::{
    layout,
    scaffold::{self, NewCluster, NewInfrastructure},
};
use grove_seal::{
    Secret,
    keys::{SEALING_BITS, new_fingerprint_key, new_key_pair},
};

use crate::{
    cli::Global,
    commands::{init, new},
    error::{CommandError, Exit, Result},
    output::{Output, ask},
    releasing::{FINGERPRINT_KEY, SEALING_KEY},
    secrets::{Place, Secrets},
    surroundings,
    workspace::Workspace,
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

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "this writes to the work tree; leave `--rev` out",
        ));
    }
    make(arguments, &Workspace::open(global)?, output)?;
    Ok(Exit::Done)
}

/// Makes it.
pub(crate) fn make(arguments: &Arguments, workspace: &Workspace, output: &Output) -> Result<()> {
    let name = &arguments.name;
    new::valid(name)?;
    let answers = Answers::of(arguments)?;
    let kept = credentials(arguments)?;
    let infrastructure = answers
        .state
        .as_ref()
        .map(|backend| infrastructure(arguments, &answers, backend))
        .transpose()?;
    let files = scaffold::cluster(NewCluster {
        name,
        provider: &answers.provider,
        domain: answers.domain.as_deref(),
        infrastructure: infrastructure.as_ref(),
    });
    let (certificate, secrets) = (layout::sealing(name), layout::cluster_secrets(name));
    let all = files
        .keys()
        .map(String::as_str)
        .chain([certificate.as_str(), secrets.as_str()]);
    init::refuse_existing(&workspace.root, all)?;
    init::refuse_unsound(&workspace.snapshot, &files, output)?;
    output.progress("making the sealing key");
    let now = surroundings::now()?;
    let pair = new_key_pair(SEALING_BITS, "sealed-secret", now)?;
    output.progress_done();
    let fleet = workspace.check()?.fleet;
    let place = Place {
        file: secrets.clone(),
        below: vec!["cluster".to_owned()],
    };
    let mut values = kept;
    values.insert(SEALING_KEY.to_owned(), pair.private);
    values.insert(FINGERPRINT_KEY.to_owned(), new_fingerprint_key());
    // The private key first: a certificate whose key is lost would seal for nobody.
    Secrets::new(workspace, &fleet).write(&place, &values)?;
    output.note(&format!("wrote {secrets}"));
    surroundings::write_atomically(&workspace.root.join(&certificate), &pair.certificate)?;
    output.note(&format!("wrote {certificate}"));
    new::write(workspace, &files, output)?;
    if infrastructure.is_some() {
        output.note(&format!(
            "next: `grove stack plan {name}`, `grove cluster up {name}`"
        ));
    } else {
        output.note(&format!("next: `grove new instance {name}/NAME`"));
    }
    Ok(())
}

/// What was said, or answered on a terminal.
struct Answers {
    provider: String,
    domain: Option<String>,
    state: Option<String>,
    region: Option<String>,
    bucket: Option<String>,
    project: Option<String>,
}

impl Answers {
    fn of(arguments: &Arguments) -> Result<Self> {
        let or_ask =
            |said: &Option<String>, question: &str, default: &str| -> Result<Option<String>> {
                match said {
                    Some(said) => Ok(Some(said.clone())),
                    None => ask(question, default),
                }
            };
        let provider = or_ask(
            &arguments.provider,
            "Whose cluster is it: aws, digitalocean, local or existing?",
            "existing",
        )?;
        let provider = provider.unwrap_or_else(|| "existing".to_owned());
        if !["aws", "digitalocean", "local", "existing", "simulated"].contains(&provider.as_str()) {
            return Err(CommandError::usage(format!("`{provider}` is no provider"))
                .hint("aws, digitalocean, local or existing"));
        }
        let domain = or_ask(&arguments.domain, "The domain of its own names?", "")?;
        let mut answers = Self {
            domain: domain.filter(|domain| !domain.is_empty()),
            state: arguments.state.clone(),
            region: arguments.region.clone(),
            bucket: arguments.bucket.clone(),
            project: arguments.project.clone(),
            provider,
        };
        if answers.provider == "existing" {
            return Ok(answers);
        }
        answers.state = or_ask(
            &arguments.state,
            "Where are states kept: s3, pg, gitlab or local?",
            "s3",
        )?;
        if matches!(answers.provider.as_str(), "aws" | "digitalocean") {
            answers.region = or_ask(&arguments.region, "The provider's region?", "")?;
        }
        match answers.state.as_deref() {
            Some("s3") => answers.bucket = or_ask(&arguments.bucket, "The bucket of states?", "")?,
            Some("gitlab") => {
                answers.project = or_ask(
                    &arguments.project,
                    "The project's address in GitLab's API?",
                    "",
                )?;
            }
            _ => {}
        }
        Ok(answers)
    }
}

fn infrastructure(
    arguments: &Arguments,
    answers: &Answers,
    backend: &str,
) -> Result<NewInfrastructure> {
    let needed = |value: &Option<String>, flag: &str| {
        let value = value.clone().filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            CommandError::usage(format!(
                "say `{flag}`, which `{backend}` or the provider needs"
            ))
        })
    };
    let mut state = vec![("backend", backend.to_owned())];
    match backend {
        "s3" => {
            state.push(("bucket", needed(&answers.bucket, "--bucket")?));
            let region = answers.region.as_ref();
            match (&arguments.endpoint, answers.provider.as_str(), region) {
                (Some(endpoint), ..) => state.push(("endpoint", endpoint.clone())),
                (None, "digitalocean", Some(region)) => {
                    state.push((
                        "endpoint",
                        format!("https://{region}.digitaloceanspaces.com"),
                    ));
                }
                (None, _, Some(region)) => state.push(("region", region.clone())),
                (None, _, None) => {}
            }
        }
        "gitlab" => state.push(("project", needed(&answers.project, "--project")?)),
        "local" => state.push(("path", arguments.path.clone())),
        _ => {}
    }
    let is_cloud = matches!(answers.provider.as_str(), "aws" | "digitalocean");
    if answers.provider == "aws" && arguments.zones.len() < 2 {
        return Err(CommandError::usage(
            "say two zones of the region with `--zone`",
        ));
    }
    if answers.provider == "digitalocean"
        && arguments.data
        && !arguments.credentials.contains(&DO_TOKEN.to_owned())
    {
        return Err(CommandError::usage(
            "managed databases need the provider's token among the secrets",
        )
        .hint(format!(
            "set {DO_TOKEN} in your environment and say `--credential {DO_TOKEN}`"
        )));
    }
    Ok(NewInfrastructure {
        state,
        credentials: arguments.credentials.clone(),
        region: if is_cloud {
            Some(needed(&answers.region, "--region")?)
        } else {
            None
        },
        zones: arguments.zones.clone(),
        kubernetes_version: Some(arguments.kubernetes_version.clone()),
        ssh_key: Some(arguments.ssh_key.clone()),
        has_data: arguments.data,
    })
}

const DO_TOKEN: &str = "DIGITALOCEAN_TOKEN";

/// The values of the credentials that are to be kept.
fn credentials(arguments: &Arguments) -> Result<BTreeMap<String, Secret>> {
    let value = |name: &String| {
        let value = surroundings::variable(name).ok_or_else(|| {
            CommandError::usage(format!("`{name}` is not set in your environment"))
        })?;
        Ok((name.clone(), Secret::new(value)))
    };
    arguments.credentials.iter().map(value).collect()
}
