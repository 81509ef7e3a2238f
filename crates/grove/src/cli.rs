//! The command line: global options and the list of commands. Each command's own options stand in
//! its file under `commands/`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    commands as c,
    output::{Colour, Format},
};

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
    3 another program or a remote failed; 4 refused; 5 not healthy; 6 out of time; 70 a bug."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The fleet: a directory with `grove.yaml`, or a bare Git repository with `--rev`.
    ///
    /// Default: the nearest directory above this one that has a `grove.yaml`.
    #[arg(long, global = true, value_name = "DIR", env = "GROVE_FLEET")]
    pub(crate) fleet: Option<PathBuf>,
    /// Read the fleet at this Git revision instead of the files of the work tree.
    #[arg(long, global = true, value_name = "REV")]
    pub(crate) rev: Option<String>,
    /// How results are written to stdout.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colour,
    /// Say nothing on stderr but warnings and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the main path on an example: check, render, deploy, change, roll back.
    Demo(c::demo::Arguments),
    /// Make a new fleet.
    Init(c::init::Arguments),
    /// Make a new cluster, distribution, group or instance.
    New(c::new::Arguments),
    /// Check the fleet and show what is wrong with it.
    Check(c::check::Arguments),
    /// Show where a value comes from and what it overrode.
    Explain(c::explain::Arguments),
    /// Show what a finding means and how to mend it.
    Rule(c::rule::Arguments),
    /// Print the JSON Schema of a kind of file.
    Schema(c::schema::Arguments),
    /// Resolve a distribution to exact, hashed packages.
    Lock(c::lock::Arguments),
    /// Set, edit, show or generate secrets.
    Secret(c::secret::Arguments),
    /// Render instances to plain YAML, without secrets.
    Render(c::render::Arguments),
    /// Show what a deploy would change, object by object.
    Diff(c::diff::Arguments),
    /// Release instances: check, render, seal, and commit to the deploy repository.
    Deploy(c::deploy::Arguments),
    /// List the releases of instances.
    History(c::history::Arguments),
    /// Show one release.
    Show(c::show::Arguments),
    /// Go back to an older release, and hold the instance there.
    Rollback(c::rollback::Arguments),
    /// Keep instances at the release they run.
    Hold(c::hold::Arguments),
    /// Let held instances follow the fleet again.
    Unhold(c::unhold::Arguments),
    /// Check that this machine has what Grove needs.
    Doctor(c::doctor::Arguments),
    /// Print a shell's completion script.
    Completions(c::completions::Arguments),
    /// Write the manual pages.
    Man(c::man::Arguments),
    /// Restrict this process, then become another program.
    #[command(hide = true)]
    Sandbox(c::sandbox::Arguments),
}
