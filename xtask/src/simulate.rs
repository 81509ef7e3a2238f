//! The simulation of operators, from one seed: to repeat a failure, or for as many steps as one has time for.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use anyhow::Result;

use crate::{context::Context, process};

/// Options of `cargo xtask simulate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Begin with this seed, as a failure prints it; else with one that nobody chose.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Take so many steps.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    steps: u64,
}

/// Runs it, with optimisation.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<bool> {
    let mut command = process::cargo(context);
    command
        .args(["test", "--release", "--package", "grove-operations"])
        .args(["--test", "simulation", "--"])
        .args([
            "--ignored",
            "--exact",
            "many_steps_from_one_seed",
            "--nocapture",
        ])
        .env("GROVE_SIMULATE_STEPS", arguments.steps.to_string());
    let seed = arguments
        .seed
        .unwrap_or_else(|| RandomState::new().build_hasher().finish());
    command.env("GROVE_SIMULATE_SEED", seed.to_string());
    process::watch(&mut command, |_| ())
}
