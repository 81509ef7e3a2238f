//! Which suite runs a test that is ignored. The test says so where it stands, with what it needs:
//! `#[ignore = "seal: needs sops"]`. So a test moves without leaving its suite.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

/// A test that runs only where its suite is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// Its name in its program, as `rotation::a_key_goes`.
    pub(crate) name: String,
    /// The suite that it names; it may be none that there is.
    pub(crate) suite: Option<String>,
}

/// The ignored tests of a test program, in its order.
pub(crate) fn of(program: &Path) -> Result<Vec<Ignored>> {
    let list = read(program, &["--list", "--ignored"])?;
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // A list lacks the reasons. Asked to run these tests as if they were not ignored, the program runs none
    // and prints them.
    let told = read(program, &[&["--exact"], names.as_slice()].concat())?;
    Ok(pair(&names, &told))
}

/// What the program prints.
fn read(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .args(["--format=pretty", "--color=never"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{}` cannot be started", program.display()))?;
    ensure!(
        output.status.success(),
        "`{}` does not list its tests",
        program.display()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Puts a suite to each name, from lines as `test rotation::a_key_goes ... ignored, seal: needs sops`. A
/// name of which none tells has no suite.
fn pair(names: &[&str], told: &str) -> Vec<Ignored> {
    let suites: BTreeMap<&str, &str> = told
        .lines()
        .filter_map(|line| {
            let (name, reason) = line.strip_prefix("test ")?.split_once(" ... ignored, ")?;
            let (suite, _) = reason.split_once(": ")?;
            Some((name, suite))
        })
        .collect();
    names
        .iter()
        .map(|name| Ignored {
            name: (*name).to_owned(),
            suite: suites.get(name).map(|&suite| suite.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_begins_with_the_suite() {
        let told = "
running 4 tests
test a ... ignored, seal: needs sops: the real one
test b ... ignored
test c ... ignored, needs sops
test m::a ... ignored, main-path: needs kustomize

test result: ok. 0 passed; 0 failed; 4 ignored; 0 measured; 1 filtered out; finished in 0.00s
";
        let found = pair(&["a", "b", "c", "m::a", "not told"], told);
        let suites: Vec<_> = found.iter().map(|test| test.suite.as_deref()).collect();
        assert_eq!(suites, [Some("seal"), None, None, Some("main-path"), None]);
        assert_eq!(found[3].name, "m::a");
    }
}
