//! Development tasks: `cargo xtask test`, `cargo xtask ci`, `cargo xtask bench NAME`.
//!
//! Each is a table with one entry a thing: [`suites`], [`checks`], [`mod@bench`], [`generated`].
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a development tool runs other programs, looks at its machine and reports"
)]

mod bench;
mod build;
mod checks;
mod context;
mod control_plane;
mod generated;
mod ignored;
mod needs;
mod process;
mod python;
mod report;
mod simulate;
mod suites;
mod tally;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::Context;

/// Development tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the test suites; installs what they need from the package registries.
    Test(suites::Arguments),
    /// Check format, lints, documentation, dependencies and generated files.
    Ci(checks::Arguments),
    /// Run a benchmark and write its figures to `docs/benchmarks.md`.
    Bench(bench::Arguments),
    /// Simulate operators on deploy branches from a seed, with all that can go wrong between them.
    Simulate(simulate::Arguments),
    /// Write the files that are made from the program: JSON Schemas and reference pages.
    Generate,
    /// Start, end or list real control planes on loopback: Kubernetes, Argo CD, Sealed Secrets.
    #[command(subcommand)]
    ControlPlane(control_plane::Task),
    /// Run a command and print what it used, as JSON.
    #[command(hide = true)]
    Measure(bench::measure::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = Context::new().and_then(|context| match cli.task {
        Task::Test(arguments) => Ok(suites::run(&context, &arguments)),
        Task::Ci(arguments) => Ok(checks::run(&context, &arguments)),
        Task::Bench(arguments) => bench::run(&context, &arguments),
        Task::Simulate(arguments) => simulate::run(&context, &arguments),
        Task::Generate => generated::write(&context).map(|()| true),
        Task::ControlPlane(task) => control_plane::run(&context, &task),
        Task::Measure(arguments) => bench::measure::run(&arguments),
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
