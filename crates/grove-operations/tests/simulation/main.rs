//! Three operators with the verbs that write, and all that can go wrong between them, the fleet's files, two
//! deploy branches and two API servers, from a seed: what is written is what was asked for, once, and what is said
//! is what was written.
//!
//! Not simulated, since what they do is another program's, or waits by a real clock:
//!
//! - stacks, `cluster up` and `cluster down`: OpenTofu has the state, and decides what an apply does;
//! - `cluster bootstrap`: the manifests of others, fetched and followed until their pods run;
//! - `do` and `secret generate`: Tutor and its plugins say which jobs and secrets there are; likewise rotations of
//!   what Tutor makes;
//! - `seal rotate`: a key of 4,096 bits takes longer than a thousand steps;
//! - `data apply` and `data remove`: what they do is the program's in their Job, and its note in the deploy branch.
//!   The Job itself is made and followed as that of `run`;
//! - Jobs that go on beyond a look at them, and freezes that Argo CD brings to a cluster.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a simulation that fails must fail, and say its seed"
)]

mod cluster;
mod compare;
mod fleet;
mod renderer;
mod repository;
mod request;
mod trace;
mod vault;
mod world;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use grove_operations::Around;
use grove_release::Id;
use tokio::runtime::Runtime;

use crate::world::{Counts, STEPS, World};

/// Steps in which everything happens, whatever the seed.
const MANY: u64 = 50_000;

/// All that must have happened in the end. A simulation in which something never happens proves nothing of
/// it.
const HAPPENINGS: [&str; 23] = [
    "a second user",
    "agreed",
    "back across a mark",
    "carried out since it was planned",
    "dropped",
    "ended",
    "ended the hold of a rollback",
    "gone as agreed: ingress-more.yaml",
    "gone as agreed: persistentvolumeclaim-media.yaml",
    "kept what is gone",
    "killed",
    "killed: instance stop",
    "killed: secret rotate",
    "killed: secret set",
    "landed late",
    "not agreed: deploy",
    "not agreed: rollback",
    "operated what is held",
    "rolled back to a number",
    "thawed",
    "the first user goes",
    "the user becomes a secret",
    "wrote: secret remove",
];

/// Every verb; each must have been carried out, have landed, and have been sent again once it had.
const VERBS: [&str; 15] = [
    "deploy",
    "rollback",
    "hold",
    "unhold",
    "freeze",
    "unfreeze",
    "init retry",
    "init skip",
    "cluster deploy",
    "cluster rollback",
    "deploy --only operational",
    "instance start",
    "instance stop",
    "instance maintenance",
    "run",
];

/// Verbs that write to the fleet's files alone; each must have been carried out and have written.
const OF_FILES: [&str; 4] = [
    "secret set",
    "secret remove",
    "secret rotate",
    "secret rotate --finish",
];

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let builder = builder.worker_threads(1).enable_all();
    builder.build().expect("a runtime starts")
}

/// One world; what its branches are at in the end, and how often what happened.
fn world(seed: u64, steps: u32, runtime: &Runtime) -> ([Option<Id>; 2], Counts) {
    let mut arena: Vec<OnceLock<Around>> = Vec::new();
    arena.resize_with(usize::try_from(steps).unwrap_or(0), OnceLock::new);
    let mut world = World::new(seed, &arena, runtime.handle());
    for _ in 0..steps {
        world.step();
    }
    world.end()
}

/// So many steps, in worlds of the seeds from `seed` on; adds up how often what happened.
fn simulate(counts: &mut Counts, seed: u64, steps: u64) {
    println!("seed {seed}, {steps} steps");
    let runtime = runtime();
    let (mut at, mut left) = (seed, steps);
    let (begun, mut told) = (Instant::now(), Instant::now());
    while left > 0 {
        let now = u32::try_from(left).unwrap_or(STEPS).min(STEPS);
        for (what, times) in world(at, now, &runtime).1 {
            *counts.entry(what).or_default() += times;
        }
        at = at.wrapping_add(1);
        left -= u64::from(now);
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            println!("{} steps, {:.0?}", steps - left, begun.elapsed());
        }
    }
    println!("{steps} steps, {:.1?}", begun.elapsed());
}

/// Fails where something never happened.
fn everything_happened(counts: &Counts) {
    for (what, times) in counts {
        println!("{times:>8} {what}");
    }
    let of_verbs = ["done", "landed", "said again"]
        .into_iter()
        .flat_map(|what| VERBS.map(|verb| format!("{what}: {verb}")));
    let of_files = ["done", "wrote"]
        .into_iter()
        .flat_map(|what| OF_FILES.map(|verb| format!("{what}: {verb}")));
    let never: Vec<String> = HAPPENINGS
        .into_iter()
        .map(str::to_owned)
        .chain(of_verbs)
        .chain(of_files)
        .filter(|what| !counts.contains_key(what))
        .collect();
    assert!(never.is_empty(), "never happened: {never:?}");
}

#[test]
fn three_operators_lose_nothing_and_do_nothing_twice() {
    let mut counts = Counts::new();
    simulate(&mut counts, 0, 3_000);
    for verb in VERBS.into_iter().chain(OF_FILES) {
        assert!(counts.contains_key(&format!("done: {verb}")), "{verb}");
    }
}

#[test]
fn a_seed_decides_all_that_happens() {
    let runtime = runtime();
    let once = world(100, 200, &runtime);
    assert_eq!(once, world(100, 200, &runtime));
    assert_ne!(once.0, world(101, 200, &runtime).0);
}

#[test]
#[ignore = "simulate: fifty thousand steps"]
fn many_steps_from_seeds_that_stay() {
    let mut counts = Counts::new();
    for seed in [1_000_000, 2_000_000] {
        simulate(&mut counts, seed, 25_000);
    }
    everything_happened(&counts);
}

/// From the seed that `cargo xtask simulate` asks for; in the suite from one that stays, since a change is to
/// fail for what it changed.
#[test]
#[ignore = "simulate: fifty thousand steps"]
fn many_steps_from_one_seed() {
    let mut counts = Counts::new();
    let seed = asked("GROVE_SIMULATE_SEED").unwrap_or(3_000_000);
    let steps = asked("GROVE_SIMULATE_STEPS").unwrap_or(MANY);
    simulate(&mut counts, seed, steps);
    // In few steps not everything happens.
    if steps >= MANY {
        everything_happened(&counts);
    }
}

fn asked(variable: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' own switch, set by xtask"
    )]
    let value = std::env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is no number: {value}")))
}
