//! What happened last, for whoever looks into a failure.

use std::collections::VecDeque;

/// How many steps are remembered.
const LAST: usize = 30;

/// The last steps of a world. Where it ends by a panic, they are printed with the seed.
pub(crate) struct Trace {
    seed: u64,
    step: u32,
    last: VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            step: 0,
            last: VecDeque::with_capacity(LAST + 1),
        }
    }

    /// Begins a step.
    pub(crate) fn next(&mut self) {
        self.step += 1;
    }

    /// Says what is done.
    pub(crate) fn say(&mut self, what: String) {
        self.last.push_back(format!("{:>4} {what}", self.step));
        if self.last.len() > LAST {
            self.last.pop_front();
        }
    }

    /// Adds what came of it.
    pub(crate) fn add(&mut self, what: String) {
        self.say(format!("     {what}"));
    }
}

impl Drop for Trace {
    #[expect(clippy::print_stderr, reason = "it is for whoever reads the failure")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for line in &self.last {
            eprintln!("{line}");
        }
        let Self { seed, step, .. } = self;
        eprintln!("seed {seed}, step {step}: `cargo xtask simulate --seed {seed} --steps {step}`");
    }
}
