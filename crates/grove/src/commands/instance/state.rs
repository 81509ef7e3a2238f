//! A change of `state`, from the fleet's file to the cluster.

use grove_fleet::{layout, model::State};

use crate::{
    cli::Global,
    commands::{
        deploy,
        selection::{Agreement, Selection},
    },
    error::{CommandError, Exit, Result},
    fleet_commit,
    following::Wait,
    output::Output,
    releasing::Remotes,
    surroundings,
    workspace::Workspace,
};

/// What every change of state needs.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Change {
    /// What it is for; stands in the commits and in the releases.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    remotes: Remotes,
}

/// Gives instances a state. Each step looks first: after an interruption the same command goes on.
pub(super) fn change(change: &Change, state: State, global: &Global, output: &Output) -> Result {
    change.selection.must_be_stated()?;
    if global.rev.is_some() {
        return Err(CommandError::usage(
            "the state is written to the work tree; leave `--rev` out",
        ));
    }
    let workspace = Workspace::open(global)?;
    workspace.repository()?;
    let fleet = workspace.check()?.fleet;
    let instances = change.selection.select(&fleet)?;
    change.agreement.ask(&instances, output)?;

    let mut files = Vec::new();
    for instance in instances.iter().filter(|instance| instance.state != state) {
        let file = layout::instance(&instance.address);
        let path = workspace.root.join(&file);
        let text = fs_err::read_to_string(&path)?;
        let text = grove_yaml::set(&text, &["state"], &state.name().into()).map_err(|error| {
            CommandError::from_error(Exit::No, &error).context(format!("`{file}` cannot be edited"))
        })?;
        files.push((file, path, text));
    }
    // All of them can be edited: nothing is half done where one cannot.
    for (_, path, text) in &files {
        surroundings::write_atomically(path, text)?;
    }
    let names: Vec<String> = instances
        .iter()
        .map(|instance| instance.address.to_string())
        .collect();
    let subject = format!("{}: {}", names.join(", "), state.name());
    let message = match &change.message {
        None => subject,
        Some(text) => format!("{subject}: {text}"),
    };
    let files: Vec<&str> = files.iter().map(|(file, ..)| file.as_str()).collect();
    fleet_commit::commit(&workspace.root, &files, &message, output)?;

    let mut global = global.clone();
    // What else was edited in the work tree is no part of it.
    global.rev = Some("HEAD".to_owned());
    let deploy = deploy::Arguments::operational(
        message,
        Agreement {
            expect: Some(instances.len()),
        },
        change.selection.clone(),
        change.wait.clone(),
        change.remotes.clone(),
    );
    deploy::run(&deploy, &global, output)
}
