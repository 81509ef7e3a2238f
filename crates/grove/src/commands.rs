//! One file a command.

pub(crate) mod bundle;
pub(crate) mod check;
pub(crate) mod cluster;
pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod do_job;
pub(crate) mod doctor;
pub(crate) mod eject;
pub(crate) mod explain;
pub(crate) mod freeze;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod image;
pub(crate) mod init;
pub(crate) mod init_task;
pub(crate) mod instance;
pub(crate) mod lock;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod render;
pub(crate) mod rollback;
pub(crate) mod rule;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod shell;
pub(crate) mod show;
pub(crate) mod stack;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod unfreeze;
pub(crate) mod unhold;
pub(crate) mod watch;

use crate::{
    cli::{Cli, Command},
    error::Result,
    output::Output,
};

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli, output: &Output) -> Result {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(arguments) => demo::run(arguments, global, output),
        Command::Init(arguments) => init::run(arguments, global, output),
        Command::New(arguments) => new::run(arguments, global, output),
        Command::Check(arguments) => check::run(arguments, global, output),
        Command::Explain(arguments) => explain::run(arguments, global, output),
        Command::Rule(arguments) => rule::run(arguments, output),
        Command::Schema(arguments) => schema::run(arguments, output),
        Command::Lock(arguments) => lock::run(arguments, global, output),
        Command::Data(arguments) => data::run(arguments, global, output),
        Command::Secret(arguments) => secret::run(arguments, global, output),
        Command::Seal(arguments) => seal::run(arguments, global, output),
        Command::Image(arguments) => image::run(arguments, global, output),
        Command::Render(arguments) => render::run(arguments, global, output),
        Command::Diff(arguments) => diff::run(arguments, global, output),
        Command::Deploy(arguments) => deploy::run(arguments, global, output),
        Command::History(arguments) => history::run(arguments, global, output),
        Command::Show(arguments) => show::run(arguments, global, output),
        Command::Rollback(arguments) => rollback::run(arguments, global, output),
        Command::Hold(arguments) => hold::run(arguments, global, output),
        Command::Unhold(arguments) => unhold::run(arguments, global, output),
        Command::Freeze(arguments) => freeze::run(arguments, global, output),
        Command::Unfreeze(arguments) => unfreeze::run(arguments, global, output),
        Command::Instance(arguments) => instance::run(arguments, global, output),
        Command::Status(arguments) => status::run(arguments, global, output),
        Command::Watch(arguments) => watch::run(arguments, global, output),
        Command::Run(arguments) => run::run(arguments, global, output),
        Command::Do(arguments) => do_job::run(arguments, global, output),
        Command::Shell(arguments) => shell::run(arguments, global, output),
        Command::Logs(arguments) => logs::run(arguments, global, output),
        Command::Stack(arguments) => stack::run(arguments, global, output),
        Command::State(arguments) => state::run(arguments, global, output),
        Command::Cluster(arguments) => cluster::run(arguments, global, output),
        Command::Eject(arguments) => eject::run(arguments, global, output),
        Command::Bundle(arguments) => bundle::run(arguments, global, output),
        Command::Doctor(arguments) => doctor::run(arguments, global, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
    }
}
