//! Counting tests from what test runners print.

use std::process::Command;

use anyhow::Result;

use crate::process;

/// How many tests ran, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds another's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Runs a test program, shows what it prints and adds its counts. One that fails without
    /// saying that a test did counts as one failure.
    pub(crate) fn watch(&mut self, command: &mut Command) -> Result<()> {
        let mut counted = Self::default();
        let succeeded = process::watch(command, |line| counted.read(line))?;
        if !succeeded && counted.failed == 0 {
            counted.failed = 1;
        }
        self.add(&counted);
        Ok(())
    }

    /// Reads one line: the closing lines of Rust's and of Python's test runner count.
    fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            for part in counts.split(['.', ';']) {
                match part.trim().split_once(' ') {
                    Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                    _ => {}
                }
            }
        } else if let Some(counts) = line.strip_prefix("Ran ")
            && let Some((number, rest)) = counts.split_once(' ')
            && (rest.starts_with("tests in ") || rest.starts_with("test in "))
        {
            self.passed += number.parse().unwrap_or(0);
        } else if let Some(counts) = line
            .strip_prefix("FAILED (")
            .or_else(|| line.strip_prefix("OK ("))
        {
            for part in counts.trim_end_matches(')').split(", ") {
                let Some((word, number)) = part.split_once('=') else {
                    continue;
                };
                let number: u64 = number.parse().unwrap_or(0);
                // Python's count of tests that ran holds these.
                self.passed = self.passed.saturating_sub(number);
                if matches!(word, "failures" | "errors" | "unexpected successes") {
                    self.failed += number;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> (u64, u64) {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        (tally.passed, tally.failed)
    }

    #[test]
    fn counts_what_rust_prints() {
        let lines = [
            "running 3 tests",
            "test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; \
             finished in 0.00s",
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        ];
        assert_eq!(read(&lines), (7, 1));
    }

    #[test]
    fn counts_what_python_prints() {
        assert_eq!(read(&["Ran 12 tests in 0.031s", "", "OK"]), (12, 0));
        assert_eq!(read(&["Ran 12 tests in 0.031s", "OK (skipped=2)"]), (10, 0));
        let lines = [
            "Ran 12 tests in 0.031s",
            "FAILED (failures=1, errors=2, skipped=1)",
        ];
        assert_eq!(read(&lines), (8, 3));
        assert_eq!(read(&["Ran 1 test in 0.001s", "OK"]), (1, 0));
    }
}
