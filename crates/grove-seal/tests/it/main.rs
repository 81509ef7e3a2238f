//! Secrets against the real `sops` and `kubeseal`, which `cargo xtask test --only seal` builds.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod kubeseal;
mod sops;

use std::ffi::OsString;

/// The program that a variable names.
fn program(variable: &str) -> OsString {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' own switch, set by xtask"
    )]
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set"))
}

/// Cases that are the same in every run, so that a failure can be seen again.
fn cases<S: proptest::strategy::Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}
