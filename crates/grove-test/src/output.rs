//! What a command said.

use std::fmt;

use crate::Filters;

/// What a command wrote and how it ended. Its [`Display`](fmt::Display) is a stable text for
/// snapshots: the exit code, stdout and stderr, filtered.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; nothing where a signal ended the command.
    pub code: Option<i32>,
    /// Stdout as it was written; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Stderr, likewise.
    pub stderr: String,
    /// What [`Display`](fmt::Display) takes out.
    pub(crate) filters: Filters,
}

impl Output {
    /// Adds a replacement; see [`Filters::with`].
    #[must_use]
    pub fn filter(mut self, pattern: &str, replacement: &str) -> Self {
        self.filters = self.filters.with(pattern, replacement);
        self
    }

    /// Gives the output on if the exit code is 0.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[must_use]
    #[track_caller]
    pub fn success(self) -> Self {
        self.exits(0)
    }

    /// Gives the output on if the exit code is `code`.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[must_use]
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "expected exit code {code}:\n{self}"
        );
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(formatter, "exit code: {code}")?,
            None => writeln!(formatter, "ended by a signal")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(
                    formatter,
                    "----- {name} -----\n{}",
                    self.filters.apply(text)
                )?;
                if !text.ends_with('\n') {
                    writeln!(formatter, "\n[no newline at the end]")?;
                }
            }
        }
        Ok(())
    }
}
