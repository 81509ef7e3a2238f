//! `grove logs`.

use clap_complete::ArgValueCandidates;
use grove_operations::jobs::logs;
use serde_json::json;

use crate::{
    around, candidates,
    error::{Exit, Result},
    global::Global,
    options::Reach,
    output::{Output, is_json},
};

/// Show what the pods of an instance wrote.
///
/// Each line begins with its pod. A service is a workload's name, such as `lms` or `cms-worker`, or
/// an init task's, such as `lms-migrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove logs prod/uni\n\
    \x20 grove logs prod/uni lms --tail 200\n\
    \x20 grove logs prod/uni lms --follow\n\
    \x20 grove logs prod/uni lms-migrate")]
pub(crate) struct Arguments {
    /// The instance, as `cluster/instance`.
    #[arg(add = ArgValueCandidates::new(candidates::instances))]
    instance: String,
    /// Only pods of this service or init task.
    service: Option<String>,
    /// At most this many lines of each pod, the last ones.
    #[arg(long, value_name = "N", default_value_t = 50)]
    tail: i64,
    /// What the container wrote before it was last restarted.
    #[arg(long)]
    previous: bool,
    /// Go on with what they write, and with pods that start meanwhile, until it is interrupted.
    #[arg(long, short, conflicts_with = "previous")]
    follow: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[&arguments.reach])?;
    let request = logs::Request {
        revision: global.rev.clone(),
        instance: arguments.instance.clone(),
        service: arguments.service.clone(),
        tail: arguments.tail,
        previous: arguments.previous,
    };
    if arguments.follow {
        match logs::follow(&around, &request, |line| {
            if is_json(output) {
                output.json_line(&json!(line))
            } else {
                output.print(&format!("{}: {}\n", line.pod, line.line))
            }
        })? {}
    }
    let found = logs::read(&around, &request)?;
    output.outcome(&found, || {
        let lines = found.pods.iter().flat_map(|pod| {
            let lines = pod.lines.iter();
            lines.map(move |line| format!("{}: {line}\n", pod.pod))
        });
        lines.collect()
    })?;
    Ok(Exit::Done)
}
