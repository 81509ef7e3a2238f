//! Takes out of a text what differs between two runs.

use std::path::Path;

use regex::{Captures, Regex};

/// Replacements that make a text the same on each run, applied in their order.
#[derive(Clone, Debug)]
pub struct Filters(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    pattern: Regex,
    replacement: String,
    /// Whether a match is replaced.
    applies: fn(&str) -> bool,
}

impl Filters {
    /// What every text is filtered by:
    ///
    /// | what | becomes |
    /// | --- | --- |
    /// | durations: `12 ms`, `3.4 s`, `1m 02s` | `[TIME]` |
    /// | 64 hexadecimal digits | `[SHA256]` |
    /// | 40 hexadecimal digits | `[COMMIT]` |
    /// | 7 to 12 hexadecimal digits, both letters and decimals among them | `[SHORT]` |
    #[must_use]
    pub fn common() -> Self {
        Self(Vec::new())
            .with(
                r"\b(\d+ ?h )?(\d+ ?m(in)? )?\d+(\.\d+)? ?(µs|ms|s)\b",
                "[TIME]",
            )
            .with(r"\b[0-9a-f]{64}\b", "[SHA256]")
            .with(r"\b[0-9a-f]{40}\b", "[COMMIT]")
            .with_condition(r"\b[0-9a-f]{7,12}\b", "[SHORT]", is_mixed)
    }

    /// Adds a replacement: each match of the regular expression `pattern` becomes `replacement`,
    /// in which `$1` stands for the first group.
    ///
    /// # Panics
    ///
    /// If `pattern` is no regular expression.
    #[must_use]
    pub fn with(self, pattern: &str, replacement: &str) -> Self {
        self.with_condition(pattern, replacement, |_| true)
    }

    /// Adds a replacement of a path, which goes before those that are there: a path may hold what
    /// looks like a hash.
    #[must_use]
    pub fn with_path(mut self, path: &Path, name: &str) -> Self {
        let escaped = regex::escape(&path.to_string_lossy());
        self.0.insert(0, rule(&escaped, name, |_| true));
        self
    }

    fn with_condition(
        mut self,
        pattern: &str,
        replacement: &str,
        applies: fn(&str) -> bool,
    ) -> Self {
        self.0.push(rule(pattern, replacement, applies));
        self
    }

    /// The text with every replacement made.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, rule| {
            let replace = |captures: &Captures<'_>| {
                if !(rule.applies)(&captures[0]) {
                    return captures[0].to_owned();
                }
                let mut replaced = String::new();
                captures.expand(&rule.replacement, &mut replaced);
                replaced
            };
            rule.pattern.replace_all(&text, replace).into_owned()
        })
    }
}

fn rule(pattern: &str, replacement: &str, applies: fn(&str) -> bool) -> Rule {
    let pattern = Regex::new(pattern).expect("a filter is a regular expression");
    Rule {
        pattern,
        replacement: replacement.to_owned(),
        applies,
    }
}

/// A number is no hash, and `defaced` is a word.
fn is_mixed(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_differs_between_runs_and_nothing_else() {
        let text = "\
/tmp/x1/fleet/grove.yaml:3:12 error
took 12 ms, then 3.4 s, then 1m 02s; 20 instances, 7 objects
0123456789abcdef0123456789abcdef01234567 is 0123abc; 1234567, defaced and 3e stay
sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        insta::assert_snapshot!(
            Filters::common().with_path(Path::new("/tmp/x1"), "[WORLD]").apply(text),
            @r"
        [WORLD]/fleet/grove.yaml:3:12 error
        took [TIME], then [TIME], then [TIME]; 20 instances, 7 objects
        [COMMIT] is [SHORT]; 1234567, defaced and 3e stay
        sha256:[SHA256]
        "
        );
    }
}
