//! `grove shell`.

use std::{io::IsTerminal as _, time::Duration};

use clap_complete::ArgValueCandidates;
use grove_cluster::Connection;
use grove_exec::{Invocation, Variables};
use grove_render::{Once, once};
use serde_json::{Value, json};

use crate::{
    cli::Global,
    commands::{
        candidates,
        rollback::{address, find, find_cluster},
    },
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    instance_job::{self, Ended, Step, running_release, workload},
    one_off,
    output::Output,
    releasing::Remotes,
    workspace::Workspace,
};

/// How long the pod may take to start.
const START: Duration = Duration::from_mins(5);

/// What runs where no command is given.
const SHELL: &str = "command -v bash > /dev/null 2>&1 && exec bash; exec sh";

/// A shell in a pod of its own, with what a service of the running release has.
///
/// The pod gets the image, the configuration and the secrets of the service and serves nobody; it goes when
/// the shell ends, or after `--limit`. `kubectl exec` connects the terminal. Who opened one stands in the
/// deploy repository.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove shell prod/uni\n\
    \x20 grove shell prod/uni cms -- ./manage.py cms shell")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// The workload whose image, configuration and secrets it gets.
    #[arg(default_value = "lms")]
    service: String,
    /// The command instead of a shell: program and arguments.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// After how many minutes the pod ends by itself.
    #[arg(long, value_name = "MINUTES", default_value_t = 240,
        value_parser = clap::value_parser!(u32).range(1..=1440))]
    limit: u32,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let address = address(&arguments.instance)?;
    let instance = find(&fleet, &address)?;
    let cluster = find_cluster(&fleet, &address.cluster)?;
    output.progress(&format!("fetching the deploy branch of {}", cluster.name));
    let mut branch = arguments.remotes.open(&workspace, &fleet, &cluster.name)?;
    let (record, objects) = running_release(&branch.view()?, &address)?;
    let workload = workload(&objects, &arguments.service, &address, record.release)?;
    let short: String = arguments.service.chars().take(30).collect();
    let name = instance_job::unique_name(&format!("shell-{short}"));
    let wait = [
        "sh".to_owned(),
        "-c".to_owned(),
        format!(
            "trap 'exit 0' TERM; sleep {} & wait",
            u64::from(arguments.limit) * 60
        ),
    ];
    let task = Once {
        name: &name,
        command: &wait,
        files: None,
        kept: 60,
    };
    let job = once(workload, &task).ok_or_else(|| {
        CommandError::new(
            Exit::Bug,
            format!("`{}` has no pod template", arguments.service),
        )
    })?;
    output.progress_done();
    let code = block_on(async {
        let connection = arguments.reach.connect(cluster).await?;
        let namespace = &instance.identity.namespace;
        let opened = open(arguments, &connection, namespace, &name, &job, output).await;
        let removed = one_off::end(&connection, namespace, &name).await;
        let code = opened?;
        removed?;
        Ok(code)
    })?;
    let ended = Ended {
        instance: address,
        job: name,
        release: record.release,
        step: Step {
            service: arguments.service.clone(),
            recorded: std::iter::once("shell".to_owned())
                .chain(arguments.command.iter().cloned())
                .collect(),
            ..Step::default()
        },
        exit_code: Some(code),
        reason: None,
    };
    instance_job::record(&workspace, &mut branch, &[&ended], output);
    Ok(match u8::try_from(code) {
        Ok(0) => Exit::Done,
        Ok(code) => Exit::Command(code),
        Err(_) => Exit::Command(1),
    })
}

/// Makes the pod and hands the terminal over. Gives the exit code of what ran there.
async fn open(
    arguments: &Arguments,
    connection: &Connection,
    namespace: &str,
    name: &str,
    job: &Value,
    output: &Output,
) -> Result<i32> {
    output.progress(&format!("{name}: waiting for its pod"));
    let mut job = job.clone();
    job["spec"]["activeDeadlineSeconds"] = json!(u64::from(arguments.limit) * 60 + 60);
    let pod = one_off::begin(connection, namespace, name, &[job], START, output).await?;
    output.progress_done();
    output.note(&format!(
        "{name} is yours for {} minutes and goes with this command",
        arguments.limit
    ));
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut kubectl = Invocation::new("kubectl")
        .args(["exec", "--context", connection.context()])
        .args(["--namespace", namespace, "--container", name, "--stdin"])
        .pass(Variables::Kubernetes)
        .pass(Variables::Network)
        .pass(Variables::Infrastructure)
        .hint("install kubectl; `grove run` needs none");
    if let Some(file) = &arguments.reach.kubeconfig {
        kubectl = kubectl.env("KUBECONFIG", file);
    }
    if is_terminal {
        kubectl = kubectl.arg("--tty");
    }
    kubectl = kubectl.arg(&pod).arg("--");
    kubectl = if arguments.command.is_empty() {
        kubectl.args(["sh", "-c", SHELL])
    } else {
        kubectl.args(&arguments.command)
    };
    let status = tokio::task::spawn_blocking(move || kubectl.interact())
        .await
        .map_err(|error| CommandError::new(Exit::Bug, error.to_string()))??;
    Ok(status.code().unwrap_or(1))
}
