//! Asking a program which version it is.

use std::fmt;
use std::time::Duration;

use crate::{ExecError, Invocation};

/// A version as numbers, `1.32.4`; compared number by number. What follows the numbers (`-rc1`)
/// is dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u64>);

impl Version {
    /// A version from its numbers.
    pub fn new(numbers: impl Into<Vec<u64>>) -> Self {
        Self(numbers.into())
    }

    /// The first version in `text`: numbers with at least one dot between them.
    pub fn first_in(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|word| word.trim_matches('.'))
            .filter(|word| word.contains('.'))
            .find_map(|word| {
                word.split('.')
                    .map(|number| number.parse().ok())
                    .collect::<Option<Vec<u64>>>()
            })
            .map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&numbers.join("."))
    }
}

/// The version that `program` prints when it is called with `args`; an error where it is older
/// than `least`.
pub fn probe(
    program: &str,
    args: &[&str],
    least: &Version,
    hint: &str,
) -> Result<Version, ExecError> {
    let outcome = Invocation::new(program)
        .args(args)
        .hint(hint)
        .timeout(Duration::from_secs(20))
        .output_limit(1 << 20)
        .run()?;
    // Some programs print their version to standard error.
    let text = [&outcome.stdout[..], &outcome.stderr[..]].concat();
    let found =
        Version::first_in(&String::from_utf8_lossy(&text)).ok_or_else(|| ExecError::NoVersion {
            program: program.to_owned(),
        })?;
    if found < *least {
        return Err(ExecError::TooOld {
            program: program.to_owned(),
            found,
            needed: least.clone(),
            hint: Some(hint.to_owned()),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_out_of_sentences() {
        for (text, version) in [
            ("git version 2.39.5", Some("2.39.5")),
            ("sops 3.11.0 (latest)", Some("3.11.0")),
            ("Client Version: v1.32.4-rc1", Some("1.32.4")),
            ("Python 3.11.7", Some("3.11.7")),
            ("no number 7 here.", None),
            ("99999999999999999999.1 then 1.2", Some("1.2")),
        ] {
            let found = Version::first_in(text).map(|version| version.to_string());
            assert_eq!(found.as_deref(), version, "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::new([2, 9]) < Version::new([2, 10]));
        assert!(Version::new([2]) < Version::new([2, 0, 1]));
    }

    #[test]
    fn an_old_program_is_named_with_both_versions() {
        let error = probe(
            "sh",
            &["-c", "echo tool 1.2.3"],
            &Version::new([1, 3]),
            "get a newer one",
        );
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh` is version 1.2.3, at least 1.3 is needed"
        );
        assert_eq!(error.hint().as_deref(), Some("get a newer one"));
    }
}
