//! How long `grove state split` takes for a large combined state, beside a `tofu state mv` for each part.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Run, measure, median};
use crate::{context::Context, tools};

/// How many objects each instance has.
const OBJECTS: usize = 20;

const RULES: &str = r#"version: 1
rules:
- {match: "module.instances[\"{instance}\"]", to: "instances/{instance}", as: module.instance}
- {match: module.cluster, to: cluster}
"#;

pub(super) fn run(context: &Context, run: &Run) -> Result<String> {
    let tofu = tools::TOFU.get(context)?;
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name);
    let text = serde_json::to_string(&combined(run.instances))?;
    let (size, objects) = (text.len(), run.instances * OBJECTS + 1);
    fs_err::write(path("combined.tfstate"), &text)?;
    fs_err::write(path("rules.yaml"), RULES)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=run.rounds {
        let out = format!("parts-{round}");
        let mut split = Command::new(&run.grove);
        split.current_dir(directory.path());
        split.args(["state", "split", "--from", "combined.tfstate"]);
        split.args(["--map", "rules.yaml", "--out", &out]);
        let our = measure::measure(&split)?;
        let parts = fs_err::read_dir(path(&out).join("instances"))?.count();
        ensure!(parts == run.instances, "{parts} parts");

        println!("round {round}: {:.3} s", our.wall);
        ours.push(our);
    }
    // The same by hand: each call reads and writes the whole rest of the state.
    fs_err::write(path("source.tfstate"), &text)?;
    for part in 1..=run.instances {
        let mut mv = Command::new(&tofu);
        mv.current_dir(directory.path());
        mv.args(["state", "mv", "-state=source.tfstate"]);
        mv.arg(format!("-state-out=part-{part}.tfstate"));
        mv.arg(format!("module.instances[\"site-{part:04}\"]"));
        mv.arg("module.instance");
        theirs.push(measure::measure(&mv)?);
        if part % 50 == 0 {
            println!("moved {part} of {} by hand", run.instances);
        }
    }
    let middle = |side: &[measure::Usage], figure: fn(&measure::Usage) -> f64| {
        median(side.iter().map(figure).collect())
    };
    let our = middle(&ours, |usage| usage.wall);
    let their: f64 = theirs.iter().map(|usage| usage.wall).sum();
    let memory = middle(&ours, |usage| usage.largest);
    let idle = measure::measure(Command::new(&run.grove).arg("--version"))?.largest;
    let megabytes = |bytes: f64| bytes / 1e6;
    let size = u32::try_from(size).context("the state is too large")?;
    let parts = u32::try_from(run.instances)?;
    Ok(format!(
        "{objects} objects, {:.1} MB, into {} states:\n\n\
         | | wall s | largest process, MB |\n| --- | --- | --- |\n\
         | `grove state split`, all states | {our:.3} | {:.0} ({:.1}× the file) |\n\
         | {parts} calls of `tofu state mv` | {their:.0} | {:.0} |\n\n\
         By hand it takes {:.0}× as long. A process that does nothing takes {:.0} MB.\n",
        megabytes(f64::from(size)),
        parts + 1,
        megabytes(memory),
        memory / f64::from(size),
        megabytes(middle(&theirs, |usage| usage.largest)),
        their / our,
        megabytes(idle),
    ))
}

/// A combined state: a cluster, and a module for each instance.
fn combined(instances: usize) -> Value {
    let text = "x".repeat(60);
    let object = |id: String| {
        let tags: serde_json::Map<String, Value> = (0..20)
            .map(|index| (format!("tag-{index}"), text.clone().into()))
            .collect();
        json!({"schema_version": 0, "sensitive_attributes": [], "private": "eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ==",
            "attributes": {"id": id, "input": {"value": {"tags": tags}, "type": "dynamic"}, "output": null},
            "dependencies": ["module.cluster.terraform_data.network"]})
    };
    let resource = |module: String, name: String, id: String| {
        json!({"module": module, "mode": "managed", "type": "terraform_data", "name": name,
            "provider": "provider[\"terraform.io/builtin/terraform\"]", "instances": [object(id)]})
    };
    let mut resources = vec![resource(
        "module.cluster".to_owned(),
        "network".to_owned(),
        "network".to_owned(),
    )];
    for instance in 1..=instances {
        for index in 0..OBJECTS {
            resources.push(resource(
                format!("module.instances[\"site-{instance:04}\"]"),
                format!("object-{index}"),
                format!("{instance}-{index}"),
            ));
        }
    }
    json!({"version": 4, "terraform_version": "1.10.10", "serial": 1,
        "lineage": "0a0b0c0d-0000-4000-8000-000000000000", "outputs": {}, "resources": resources})
}
