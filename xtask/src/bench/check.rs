//! How long `grove check` takes on a large fleet.

use std::process::Command;

use anyhow::Result;

use super::{Run, fleet, measure, median};
use crate::context::Context;

pub(super) fn run(context: &Context, run: &Run) -> Result<String> {
    let instances = run.instances;
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("fleet");
    fleet::write(context, &root, instances)?;
    let mut command = Command::new(&run.grove);
    command.arg("--fleet").arg(&root).arg("check");
    let mut usages = Vec::new();
    for round in 1..=run.rounds {
        let usage = measure::measure(&command)?;
        println!(
            "round {round}: {:.3} s, {:.0} MB",
            usage.wall,
            usage.largest / 1e6
        );
        usages.push(usage);
    }
    let middle = |figure: fn(&measure::Usage) -> f64| median(usages.iter().map(figure).collect());
    Ok(format!(
        "| instances | wall s | CPU s | peak MB |\n\
         | --- | --- | --- | --- |\n\
         | {instances} | {:.2} | {:.2} | {:.0} |\n",
        middle(|usage| usage.wall),
        middle(|usage| usage.cpu),
        middle(|usage| usage.largest) / 1e6,
    ))
}
