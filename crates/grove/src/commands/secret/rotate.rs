//! `grove secret rotate`.

use grove_fleet::layout;
use grove_operations::{
    fleet::find::address,
    secrets::{
        classes,
        rotate::{self, Outcome, Request, Step},
    },
};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::{Agreement, Instances, Reach, Remotes, Selection},
    output::{Output, is_json},
    terminal::{self, Agreed},
};

/// Give secrets other values, each as its class needs it.
///
/// `--plan` says what the class of each is. Users of databases are rotated in two steps, in which no request
/// fails: a second user is made and deployed; when every pod has it, `--finish` takes the first one away.
/// A value that somebody else makes, and one that nothing is known of, is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret rotate prod/uni --plan\n\
    \x20 grove secret rotate prod/uni --secret OPENEDX_MYSQL_PASSWORD\n\
    \x20 grove secret rotate prod/uni --finish\n\
    \x20 grove secret rotate prod/uni --secret OPENEDX_SECRET_KEY --accept")]
pub(crate) struct Arguments {
    /// Say what each secret needs, and change nothing.
    #[arg(long, conflicts_with_all = ["finish", "accept"])]
    plan: bool,
    /// The secret; may be given several times.
    #[arg(long = "secret", value_name = "NAME")]
    names: Vec<String>,
    /// Do the second step of every rotation that has had its first.
    #[arg(long)]
    finish: bool,
    /// Agree to what users will notice; with `--finish`, do not look whether the first step runs.
    #[arg(long)]
    accept: bool,
    /// How long `--finish` waits for the running release, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if arguments.plan {
        return classes(arguments, global, output);
    }
    global.must_be_work_tree()?;
    let around = around::of(global, output, &[&arguments.reach, &arguments.remotes])?;
    let names = arguments.names.clone();
    let instances = Instances {
        agreement: arguments.agreement,
        selection: arguments.selection.clone(),
    };
    let target = if names.is_empty() && !arguments.finish {
        // Refused whatever the instances are.
        instances.request(None)
    } else {
        terminal::target(&around, &instances, global, output)?
    };
    let step = if arguments.finish {
        let wait = (!arguments.accept).then_some(arguments.timeout);
        Step::Finish { names, wait }
    } else {
        Step::Begin { names }
    };
    let request = Request {
        id: global.request_id(),
        target,
        step,
    };
    let plan = rotate::plan(&around, &request)?;
    let agreed = Agreed {
        disruption: arguments.accept,
        ..Agreed::default()
    };
    let consent = terminal::consent_beside(plan.needs(), &agreed, output)?;
    show(plan.carry_out(&consent)?, output)
}

fn show(outcome: Outcome, output: &Output) -> Result {
    if outcome.rotated.is_empty() && outcome.failure.is_none() {
        output.note("nothing is to be done");
    }
    if !is_json(output) {
        for row in &outcome.rotated {
            let written: Vec<&str> = row.written.iter().map(String::as_str).collect();
            output.print(&format!(
                "{}: wrote {} to {}\n",
                row.instance,
                written.join(", "),
                layout::instance_secrets(&address(&row.instance)?)
            ))?;
            for next in &row.next {
                output.note(next);
            }
        }
    }
    if let Some(failure) = outcome.failure {
        return Err(failure);
    }
    if is_json(output) {
        output.outcome(&outcome, String::new)?;
    }
    Ok(Exit::Done)
}

fn classes(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let around = around::of(global, output, &[])?;
    let request = classes::Request {
        revision: global.rev.clone(),
        selection: arguments.selection.request(),
        names: arguments.names.clone(),
    };
    let outcome = classes::read(&around, &request)?;
    output.outcome(&outcome, || {
        let lines = outcome.secrets.iter().map(|row| {
            let unfinished = if row.unfinished {
                " — between its two steps: `--finish` when the first one runs"
            } else {
                ""
            };
            format!(
                "{}: {} is {}: {}{unfinished}\n",
                row.instance, row.secret, row.class, row.meaning
            )
        });
        lines.collect()
    })?;
    Ok(Exit::Done)
}
