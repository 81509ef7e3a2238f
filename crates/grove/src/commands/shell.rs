//! `grove shell`.

use std::io::IsTerminal as _;

use clap_complete::ArgValueCandidates;
use grove_exec::{Invocation, Variables};
use grove_operations::jobs::shell::{self, Pod};

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    options::{Branches, Reach},
    output::Output,
    surroundings, terminal,
};

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
    branches: Branches,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.reach, &arguments.branches])?;
    let request = shell::Request {
        id: surroundings::request_id(),
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
        service: arguments.service.clone(),
        command: arguments.command.clone(),
        limit: arguments.limit,
    };
    let plan = shell::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent, |pod| connect(arguments, pod))?;
    Ok(match outcome.ended.exit_code.map(u8::try_from) {
        Some(Ok(0)) => Exit::Done,
        Some(Ok(code)) => Exit::Command(code),
        _ => Exit::Command(1),
    })
}

/// Hands the terminal over. Gives the exit code of what ran in the pod.
fn connect(arguments: &Arguments, pod: &Pod) -> Result<i32> {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut kubectl = Invocation::new("kubectl")
        .args(["exec", "--context", &pod.context])
        .args(["--namespace", &pod.namespace, "--container", &pod.container])
        .arg("--stdin")
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
    kubectl = kubectl.arg(&pod.name).arg("--");
    kubectl = if arguments.command.is_empty() {
        kubectl.args(["sh", "-c", SHELL])
    } else {
        kubectl.args(&arguments.command)
    };
    Ok(kubectl.interact()?.code().unwrap_or(1))
}
