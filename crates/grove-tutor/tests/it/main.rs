//! Tutor itself, installed from the package index: `cargo xtask test --only tutor`.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]
#![expect(clippy::print_stdout, reason = "shown where a test fails")]

mod attacks;
mod distributions;
mod machine;
mod rendering;
mod repository;
