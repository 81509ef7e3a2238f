//! `grove history`.

use std::{collections::BTreeMap, fmt::Write as _};

use grove_cluster::argo::clean;
use grove_fleet::Address;
use grove_release::{DeployBranch, Record, Run};

use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{Exit, Result},
    freezing,
    output::Output,
    releasing::{Remotes, release_name},
    workspace::{Workspace, is_json},
};

/// List the releases of instances.
///
/// The newest stands first: its name, time, source, author and what it was for. Without a
/// selection, every instance is listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove history prod/uni\n\
    \x20 grove history @canary -n 3\n\
    \x20 grove history prod/uni --runs")]
pub(crate) struct Arguments {
    /// At most this many releases of each instance.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// List the commands that were run once (`grove run`) instead.
    #[arg(long)]
    runs: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let mut branches: BTreeMap<&str, DeployBranch> = BTreeMap::new();
    let mut rows = Vec::new();
    for instance in arguments.selection.select(&fleet)? {
        let cluster = instance.address.cluster.as_str();
        if !branches.contains_key(cluster) {
            output.progress(&format!("fetching the deploy branch of {cluster}"));
            branches.insert(
                cluster,
                arguments.remotes.open(&workspace, &fleet, cluster)?,
            );
        }
        let Some(branch) = branches.get(cluster) else {
            continue;
        };
        let view = branch.view()?;
        let name = &instance.address.instance;
        if arguments.runs {
            let runs = view.runs(name, arguments.limit)?;
            if is_json(output) {
                rows.push(serde_json::json!({"instance": instance.address, "runs": runs}));
                continue;
            }
            output.progress_done();
            for run in runs {
                output.print(&line(&instance.address, &run))?;
            }
            continue;
        }
        let hold = view.hold(name)?;
        let freeze = freezing::in_force(&view, &instance.address)?;
        let numbers = view.releases(name)?;
        let records: Vec<Record> = numbers
            .into_iter()
            .take(arguments.limit)
            .map(|number| view.record(name, number))
            .collect::<std::result::Result<_, _>>()?;
        if is_json(output) {
            rows.push(serde_json::json!({
                "instance": instance.address, "hold": hold, "freeze": freeze, "releases": records,
            }));
            continue;
        }
        output.progress_done();
        for (index, record) in records.iter().enumerate() {
            let mut line = format!(
                "{}  {}  {}  {}",
                release_name(cluster, record),
                record.time,
                record
                    .source
                    .commit
                    .map_or_else(|| "local".to_owned(), |commit| commit.short()),
                record.author.split(" <").next().unwrap_or_default(),
            );
            if let Some(of) = record.rollback_of {
                let _written = write!(line, "  rollback to {of:04}");
            }
            if let Some(message) = &record.message {
                let _written = write!(line, "  {}", message.lines().next().unwrap_or_default());
            }
            if index == 0
                && let Some(hold) = &hold
            {
                let _written = write!(line, "  [held: {}]", hold.reason);
            }
            if index == 0
                && let Some(freeze) = &freeze
            {
                let _written = write!(line, "  [{}]", freezing::described(freeze));
            }
            output.print(&format!("{line}\n"))?;
        }
        if records.is_empty() {
            output.print(&format!("{}: never released\n", instance.address))?;
        }
    }
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "instances": rows}))?;
    }
    Ok(Exit::Done)
}

/// A command that was run, in a line.
fn line(address: &Address, run: &Run) -> String {
    let how = match run.exit_code {
        Some(code) => format!("exit code {code}"),
        None => "did not end".to_owned(),
    };
    let command = clean(&run.command.join(" "));
    format!(
        "{address}  {}  {}  {}  {how}  {command}\n",
        run.time,
        run.author.split(" <").next().unwrap_or_default(),
        run.service
    )
}
