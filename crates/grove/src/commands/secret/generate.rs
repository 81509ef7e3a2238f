//! `grove secret generate`.

use grove_operations::secrets::generate::{self, Outcome, Request};

use crate::{
    around,
    error::{Exit, Result},
    global::Global,
    options::Instances,
    output::Output,
    terminal,
};

/// Make the secrets that Tutor and the plugins declare and that do not exist yet.
///
/// Asks Tutor and the enabled plugins which secrets they declare, makes each that is missing, and
/// writes them to the instance's own file. An existing value is never touched, and none is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret generate prod/uni\n\
    \x20 grove secret generate --all --dry-run")]
pub(crate) struct Arguments {
    /// List what would be made, and make nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    instances: Instances,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    global.must_be_work_tree()?;
    let around = around::of(global, output, &[])?;
    let mut request = Request {
        id: global.request_id(),
        ..Request::default()
    };
    if arguments.dry_run {
        // Nothing is touched, so how many instances there are does not matter.
        request.target.selection = arguments.instances.selection.request();
        show(&generate::plan(&around, &request)?.outcome(), output)?;
        return Ok(Exit::Done);
    }
    request.target = terminal::target(&around, &arguments.instances, global, output)?;
    let plan = generate::plan(&around, &request)?;
    let consent = terminal::consent(plan.needs(), output)?;
    show(&plan.carry_out(&consent)?, output)?;
    Ok(Exit::Done)
}

fn show(outcome: &Outcome, output: &Output) -> Result<()> {
    let verb = if outcome.dry_run {
        "would make"
    } else {
        "made"
    };
    let line = |(address, names): (&String, &std::collections::BTreeSet<String>)| {
        if names.is_empty() {
            return format!("{address}: nothing is missing\n");
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{address}: {verb} {}\n", names.join(", "))
    };
    output.outcome(outcome, || outcome.generated.iter().map(line).collect())
}
