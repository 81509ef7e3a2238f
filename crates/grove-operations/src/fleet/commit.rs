//! Commits to the fleet that commands make themselves.

use std::path::Path;

use grove_exec::{Invocation, Variables};

use crate::{Around, Error, Result};

/// Commits files, by their paths from `directory`, and pushes the branch where it has an upstream: a deploy
/// takes nothing else. Other changes of the work tree are left as they are.
pub(crate) fn commit(
    directory: &Path,
    files: &[&str],
    message: &str,
    around: &Around,
) -> Result<()> {
    if !files.is_empty() {
        git(directory, &[&["add", "--all", "--"], files].concat())?;
        let words = ["diff", "--cached", "--name-only", "--"];
        // Others may have committed the same meanwhile.
        if !git(directory, &[&words, files].concat())?.is_empty() {
            let words = ["commit", "--quiet", "-m", message, "--"];
            git(directory, &[&words, files].concat())?;
            around.note(&format!("committed: {message}"));
        }
    }
    let ahead = ["rev-list", "--count", "@{upstream}..HEAD"];
    let Ok(ahead) = git(directory, &ahead) else {
        // A fleet that is nowhere else.
        return Ok(());
    };
    if ahead.trim() != "0" {
        git(directory, &["push", "--quiet"]).map_err(|error| {
            error
                .context("the fleet cannot be pushed")
                .hint("`git pull --rebase`, then run the same command again: it goes on from here")
        })?;
        around.note("pushed");
    }
    Ok(())
}

/// Runs Git in a directory of the fleet, with the user's own settings.
pub(crate) fn git(directory: &Path, words: &[&str]) -> Result<String> {
    let ran = Invocation::new("git")
        .args(words.iter().copied())
        .cwd(directory)
        .pass(Variables::Git)
        .pass(Variables::Ssh)
        .pass(Variables::Network)
        .pass_env("GIT_AUTHOR_*")
        .pass_env("GIT_COMMITTER_*")
        .run()
        .map_err(Error::from)?;
    Ok(ran.text()?)
}
