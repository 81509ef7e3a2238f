//! `cargo xtask bench NAME`: benchmarks. A new one is an entry in [`BENCHES`]; its figures replace
//! its section of `docs/benchmarks.md`.

mod check;
mod cluster;
mod fleet;
pub(crate) mod measure;
mod render;
mod section;
mod split;
mod stacks;
mod status;
mod sync;

use std::path::PathBuf;

use anyhow::Result;

use crate::context::Context;

/// Options of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which benchmark.
    #[arg(value_parser = NAMES)]
    name: String,
    /// How often each side runs; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many instances, where not the benchmark's own number.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    instances: Option<u16>,
    /// Measure this `grove`, for instance an older one, instead of building it from here.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Print the figures only; leave `docs/benchmarks.md` as it is.
    #[arg(long)]
    print: bool,
}

struct Bench {
    name: &'static str,
    /// How many instances it has unless told otherwise.
    instances: usize,
    /// Gives the text of its section, in Markdown.
    run: fn(&Context, &Run) -> Result<String>,
}

/// What one run of a benchmark is about.
struct Run {
    grove: PathBuf,
    instances: usize,
    rounds: u32,
}

const NAMES: [&str; 6] = ["render", "check", "sync", "status", "split", "stacks"];

const BENCHES: [Bench; NAMES.len()] = [
    Bench {
        name: NAMES[0],
        instances: 20,
        run: render::run,
    },
    Bench {
        name: NAMES[1],
        instances: 1000,
        run: check::run,
    },
    Bench {
        name: NAMES[2],
        instances: 1,
        run: sync::run,
    },
    Bench {
        name: NAMES[3],
        instances: 1000,
        run: status::run,
    },
    Bench {
        name: NAMES[4],
        instances: 300,
        run: split::run,
    },
    Bench {
        name: NAMES[5],
        instances: 300,
        run: stacks::run,
    },
];

/// Runs one benchmark.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<bool> {
    for bench in BENCHES.iter().filter(|bench| bench.name == arguments.name) {
        let instances = arguments.instances.map_or(bench.instances, usize::from);
        let grove = match &arguments.binary {
            Some(binary) => fs_err::canonicalize(binary)?,
            None => context.release()?,
        };
        let run = Run {
            grove,
            instances,
            rounds: arguments.rounds,
        };
        let text = (bench.run)(context, &run)?;
        println!("\n{text}");
        if !arguments.print {
            section::replace(&context.root.join("docs/benchmarks.md"), bench.name, &text)?;
        }
    }
    Ok(true)
}

/// The middle one of some figures; of an even number, the upper.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
