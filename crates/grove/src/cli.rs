//! The command line: the list of commands. Each command's own options stand in its file under
//! `commands/`.

use clap::{Parser, Subcommand};

use crate::{commands as c, global::Global};

/// Many Open edX instances on many Kubernetes clusters, from one Git repository.
///
/// A fleet repository says what should run. Grove checks it, renders it with the real Tutor,
/// seals its secrets and commits plain YAML to a deploy repository, from which Argo CD deploys.
/// Every deploy is a release; a rollback points back to an older one and builds nothing.
#[derive(Debug, Parser)]
#[command(
    name = "grove",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done; 1 findings or the answer is no; 2 wrong usage; \
    3 another program or a remote failed; 4 refused; 5 the cluster did not become healthy; \
    6 out of time; 70 a bug of Grove's."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What Grove can be asked. The text that help shows for each stands at its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(c::demo::Arguments),
    Init(c::init::Arguments),
    New(c::new::Arguments),
    Check(c::check::Arguments),
    Explain(c::explain::Arguments),
    Rule(c::rule::Arguments),
    Schema(c::schema::Arguments),
    Lock(c::lock::Arguments),
    Secret(c::secret::Arguments),
    Data(c::data::Arguments),
    Seal(c::seal::Arguments),
    Image(c::image::Arguments),
    Render(c::render::Arguments),
    Diff(c::diff::Arguments),
    Deploy(c::deploy::Arguments),
    History(c::history::Arguments),
    Show(c::show::Arguments),
    Rollback(c::rollback::Arguments),
    Hold(c::hold::Arguments),
    Unhold(c::unhold::Arguments),
    Freeze(c::freeze::Arguments),
    Unfreeze(c::unfreeze::Arguments),
    Instance(c::instance::Arguments),
    Status(c::status::Arguments),
    Watch(c::watch::Arguments),
    Run(c::run::Arguments),
    Do(c::do_job::Arguments),
    Shell(c::shell::Arguments),
    Logs(c::logs::Arguments),
    Stack(c::stack::Arguments),
    State(c::state::Arguments),
    Cluster(c::cluster::Arguments),
    Eject(c::eject::Arguments),
    Bundle(c::bundle::Arguments),
    Doctor(c::doctor::Arguments),
    Completions(c::completions::Arguments),
    Man(c::man::Arguments),
    #[command(hide = true)]
    Sandbox(c::sandbox::Arguments),
}
