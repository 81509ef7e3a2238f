//! How long plans take over many stacks, beside one combined plan of the same objects.

use std::{fmt::Write as _, path::Path, process::Command};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Run, measure, median};
use crate::{context::Context, tools};

/// How many objects each stack has.
const OBJECTS: usize = 20;

/// How many stacks the graph has.
const GRAPH: usize = 2000;

const NETWORK: &str = "resource \"terraform_data\" \"network\" {\n  input = \"net\"\n}\noutput \"id\" {\n  value = terraform_data.network.output\n}\n";

pub(super) fn run(context: &Context, run: &Run) -> Result<String> {
    let tofu = tools::TOFU.get(context)?;
    let directory = tempfile::tempdir()?;
    let small = directory.path().join("fleet");
    fleet(context, &small, run.instances)?;
    let grove = |root: &Path, words: &[&str]| {
        let mut command = Command::new(&run.grove);
        command
            .current_dir(root)
            .env("GROVE_CACHE_DIR", directory.path().join("cache"))
            .env("GROVE_TOFU", &tofu)
            .args(words);
        command
    };
    println!("applying {} stacks", run.instances + 1);
    let begun = std::time::Instant::now();
    let applied = grove(&small, &["--quiet", "stack", "apply", "--all", "--yes"]).output()?;
    ensure!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    let apply = begun.elapsed().as_secs_f64();

    let large = directory.path().join("large");
    fleet(context, &large, GRAPH)?;
    let combined = directory.path().join("combined");
    combine(&combined, run.instances)?;
    let init = Command::new(&tofu)
        .current_dir(&combined)
        .args(["init", "-input=false"])
        .output()?;
    ensure!(
        init.status.success(),
        "{}",
        String::from_utf8_lossy(&init.stderr)
    );

    let mut sides: [Vec<measure::Usage>; 4] = Default::default();
    for round in 1..=run.rounds {
        let unchanged = measure::measure(&grove(&small, &["--quiet", "stack", "plan", "--all"]))?;
        change(&small, round)?;
        let one = measure::measure(&grove(&small, &["--quiet", "stack", "plan", "--all"]))?;
        let graph = measure::measure(&grove(&large, &["--quiet", "stack", "graph"]))?;
        let mut plan = Command::new(&tofu);
        plan.current_dir(&combined)
            .args(["plan", "-input=false", "-detailed-exitcode"]);
        let theirs = measure::measure(&plan)?;
        println!(
            "round {round}: {:.3} s unchanged, {:.3} s with one change, {:.3} s graph; combined {:.1} s",
            unchanged.wall, one.wall, graph.wall, theirs.wall
        );
        for (side, usage) in sides.iter_mut().zip([unchanged, one, graph, theirs]) {
            side.push(usage);
        }
        restore(&small)?;
    }
    let [unchanged, one, graph, theirs] = &sides;
    let wall = |side: &[measure::Usage]| median(side.iter().map(|usage| usage.wall).collect());
    let memory =
        |side: &[measure::Usage]| median(side.iter().map(|usage| usage.largest).collect()) / 1e6;
    let (stacks, objects) = (run.instances + 1, run.instances * OBJECTS + 1);
    Ok(format!(
        "{objects} objects of OpenTofu's own `terraform_data` in {stacks} stacks with local states, and the same \
         in one state. Making the stacks took {apply:.0} s, four at a time.\n\n\
         | | wall s | largest process, MB |\n| --- | --- | --- |\n\
         | `grove stack plan --all`, nothing changed | {:.3} | {:.0} |\n\
         | `grove stack plan --all`, one stack changed: one plan runs | {:.2} | {:.0} |\n\
         | `tofu plan` of the combined state | {:.1} | {:.0} |\n\
         | `grove stack graph` of {GRAPH} stacks | {:.3} | {:.0} |\n\n\
         With one change, the combined plan takes {:.0}× as long. Terragrunt cannot be had here.\n",
        wall(unchanged),
        memory(unchanged),
        wall(one),
        memory(one),
        wall(theirs),
        memory(theirs),
        wall(graph),
        memory(graph),
        wall(theirs) / wall(one),
    ))
}

/// A fleet of one cluster: a network, and stacks that read from it.
fn fleet(context: &Context, root: &Path, stacks: usize) -> Result<()> {
    let cluster = root.join("clusters/prod");
    let write = |path: &str, text: &str| -> Result<()> {
        let path = cluster.join(path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        Ok(fs_err::write(path, text)?)
    };
    let mut entries = String::new();
    for index in 1..=stacks {
        writeln!(
            entries,
            "  site-{index:04}: {{inputs: {{name: site-{index:04}, network: {{output: network.id}}}}}}"
        )?;
        write(&format!("stacks/site-{index:04}/main.tf"), &site())?;
    }
    write("stacks/network/main.tf", NETWORK)?;
    write(
        "cluster.yaml",
        &format!(
            "provider: existing\nstate: {{backend: local, path: ../states}}\nstacks:\n{entries}"
        ),
    )?;
    let certificate = context
        .root
        .join("examples/fleet/clusters/beta/sealing.pem");
    fs_err::copy(certificate, cluster.join("sealing.pem"))?;
    fs_err::write(
        root.join("grove.yaml"),
        "version: 1\nname: bench\ndeploy: {remote: \"../deploy-{cluster}.git\"}\n",
    )?;
    Ok(())
}

/// The root module of a stack.
fn site() -> String {
    let objects = (0..OBJECTS).map(|index| {
        format!("\nresource \"terraform_data\" \"object_{index}\" {{\n  input = \"${{var.name}} {index} ${{var.network}}\"\n}}\n")
    });
    let variables =
        "variable \"name\" {\n  type = string\n}\n\nvariable \"network\" {\n  type = string\n}\n";
    format!("{variables}{}", objects.collect::<Vec<_>>().concat())
}

/// Changes one stack.
fn change(root: &Path, round: u32) -> Result<()> {
    let text = format!("{}\noutput \"round\" {{\n  value = {round}\n}}\n", site());
    Ok(fs_err::write(
        root.join("clusters/prod/stacks/site-0001/main.tf"),
        text,
    )?)
}

fn restore(root: &Path) -> Result<()> {
    Ok(fs_err::write(
        root.join("clusters/prod/stacks/site-0001/main.tf"),
        site(),
    )?)
}

/// A root module with a module for each stack, and a state in which all of it is made already.
fn combine(root: &Path, stacks: usize) -> Result<()> {
    fs_err::create_dir_all(root.join("site"))?;
    fs_err::write(root.join("site/main.tf"), site())?;
    let names: Vec<String> = (1..=stacks)
        .map(|index| format!("\"site-{index:04}\""))
        .collect();
    fs_err::write(
        root.join("main.tf"),
        format!(
            "{NETWORK}module \"sites\" {{\n  source   = \"./site\"\n  for_each = toset([{}])\n  name     = each.key\n  network  = terraform_data.network.output\n}}\n",
            names.join(", ")
        ),
    )?;
    let object = |id: String, input: String, dependencies: &[&str]| {
        json!({"schema_version": 0, "sensitive_attributes": [], "dependencies": dependencies,
            "attributes": {"id": id, "input": {"value": input, "type": "string"},
                "output": {"value": input, "type": "string"}, "triggers_replace": null}})
    };
    let resource = |module: Option<String>, name: String, object: Value| {
        let mut resource = json!({"mode": "managed", "type": "terraform_data", "name": name,
            "provider": "provider[\"terraform.io/builtin/terraform\"]", "instances": [object]});
        if let Some(module) = module {
            resource["module"] = module.into();
        }
        resource
    };
    let mut resources = vec![resource(
        None,
        "network".to_owned(),
        object("network".to_owned(), "net".to_owned(), &[]),
    )];
    for stack in 1..=stacks {
        for index in 0..OBJECTS {
            resources.push(resource(
                Some(format!("module.sites[\"site-{stack:04}\"]")),
                format!("object_{index}"),
                object(
                    format!("{stack}-{index}"),
                    format!("site-{stack:04} {index} net"),
                    &["terraform_data.network"],
                ),
            ));
        }
    }
    let state = json!({"version": 4, "terraform_version": "1.10.10", "serial": 1,
        "lineage": "0a0b0c0d-0000-4000-8000-000000000000", "resources": resources,
        "outputs": {"id": {"value": "net", "type": "string"}}, "check_results": null});
    Ok(fs_err::write(
        root.join("terraform.tfstate"),
        state.to_string(),
    )?)
}
