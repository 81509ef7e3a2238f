//! Sources of packages that have no wheel: commits of Git repositories, and source archives.

use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use grove_core::Requirement;
use grove_exec::{ExecError, Invocation, Variables};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::cache::Cache;
use crate::error::Error;
use crate::pins::{is_hex, is_name, is_version};
use crate::tools::Tools;

/// The script that fetches archives.
const FETCH: &str = include_str!("../../../../worker/fetch_archive.py");

/// The first moment that a wheel can state, in seconds: what a source without a time of its own is
/// built at.
const BEGINNING: u64 = 315_532_800;

/// A fetched source.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it is from, for messages.
    pub(crate) place: String,
    /// A directory or an archive.
    pub(crate) path: PathBuf,
    /// The time that a build may state, in seconds since 1970.
    pub(crate) epoch: u64,
    /// Of an archive: its SHA-256 digest. Empty for a commit, whose name is one.
    pub(crate) sha256: String,
    _directory: tempfile::TempDir,
}

/// What the script writes.
#[derive(Debug, Deserialize)]
struct Fetched {
    #[serde(default)]
    wheel: bool,
    #[serde(default)]
    archive: String,
}

impl Source {
    /// A commit of a Git repository.
    pub(crate) fn git(git: &str, rev: &str, cache: &Cache) -> Result<Self, Error> {
        check_git(git, rev)?;
        let directory = cache.scratch()?;
        let path = directory.path().join("source");
        fs::create_dir(&path)?;
        let call = |args: &[&str]| {
            Invocation::new("git")
                .hint("install Git")
                .args([
                    "-c",
                    "core.hooksPath=/dev/null",
                    "-c",
                    "core.fsmonitor=false",
                ])
                .args(["-c", "advice.detachedHead=false", "-c", "gc.auto=0"])
                .args(args)
                .cwd(&path)
                .pass(Variables::Network)
                .pass(Variables::Ssh)
                .pass(Variables::Git)
                .env("GIT_ALLOW_PROTOCOL", "https:ssh:file")
                .env("GIT_TERMINAL_PROMPT", "0")
                .timeout(Duration::from_mins(20))
                .run()
                .map_err(|error| match error {
                    ExecError::Failed { stderr, .. } => Error::Fetch {
                        git: git.to_owned(),
                        rev: rev.to_owned(),
                        reason: stderr,
                    },
                    other => other.into(),
                })
        };
        call(&["init", "--quiet", "--template="])?;
        // Servers that do not give single commits give all branches and tags.
        if call(&["fetch", "--quiet", "--depth=1", "--no-tags", "--", git, rev]).is_err() {
            let all = "+refs/*:refs/fetched/*";
            call(&["fetch", "--quiet", "--no-tags", "--", git, all])?;
        }
        call(&["checkout", "--quiet", "--detach", rev, "--"])?;
        let time = call(&["show", "--no-patch", "--format=%ct", rev, "--"])?.text()?;
        let epoch = time.trim().parse::<u64>().unwrap_or(0).max(BEGINNING);
        Ok(Self {
            place: format!("commit {rev} of {git}"),
            path,
            epoch,
            sha256: String::new(),
            _directory: directory,
        })
    }

    /// The source archive of a version in the package index, both [checked](check); `None` where the index has a wheel
    /// of it.
    pub(crate) fn archive(
        package: &str,
        version: &str,
        cache: &Cache,
        tools: &Tools,
    ) -> Result<Option<Self>, Error> {
        let directory = cache.scratch()?;
        let result = directory.path().join("result.json");
        let outcome = tools
            .script(FETCH)
            .args([package, version])
            .arg(directory.path())
            .arg(&result)
            .run()?;
        let fetched: Fetched =
            serde_json::from_slice(&fs::read(&result)?).map_err(|error| Error::Answer {
                script: "fetch_archive.py",
                reason: error.to_string(),
            })?;
        if fetched.wheel {
            return Ok(None);
        }
        if fetched.archive.is_empty() || fetched.archive.contains('/') {
            return Err(Error::NotFound {
                package: package.to_owned(),
                version: version.to_owned(),
                reason: String::from_utf8_lossy(&outcome.stderr).trim().to_owned(),
            });
        }
        let path = directory.path().join(&fetched.archive);
        let sha256 = format!("{:x}", Sha256::digest(fs::read(&path)?));
        Ok(Some(Self {
            place: fetched.archive,
            path,
            epoch: BEGINNING,
            sha256,
            _directory: directory,
        }))
    }
}

/// Of an address: one that Git would read as an option, or as a way to run a program.
fn check_git(git: &str, rev: &str) -> Result<(), Error> {
    let known = ["https://", "ssh://", "file:///"]
        .iter()
        .any(|scheme| git.starts_with(scheme));
    // `git@example.org:group/project.git`
    let short = git.split_once(':').is_some_and(|(host, path)| {
        host.split_once('@')
            .is_some_and(|(user, host)| is_name(user) && is_name(host))
            && !path.starts_with(':')
    });
    let plain = git.chars().all(|c| c.is_ascii_graphic());
    if !plain || !(known || short) {
        return Err(Error::Invalid {
            what: "the Git address",
            text: git.to_owned(),
        });
    }
    if rev.len() != 40 || !is_hex(rev) {
        return Err(Error::Invalid {
            what: "the commit",
            text: rev.to_owned(),
        });
    }
    Ok(())
}

/// Refuses a requirement that Git, pip or uv could read as something else than what it names.
pub(crate) fn check(package: &str, requirement: &Requirement) -> Result<(), Error> {
    if !is_name(package) {
        return Err(Error::Invalid {
            what: "the package",
            text: package.to_owned(),
        });
    }
    match requirement {
        Requirement::Git { git, rev } => check_git(git, rev),
        Requirement::Version(version) if is_version(version) => Ok(()),
        Requirement::Version(version) => Err(Error::Invalid {
            what: "the version",
            text: version.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_fetch_and_do_nothing_else() {
        let rev = "0123456789abcdef0123456789abcdef01234567";
        for git in [
            "https://example.org/x.git",
            "ssh://git@example.org:22/x",
            "file:///srv/x",
            "git@example.org:group/x.git",
        ] {
            assert!(check_git(git, rev).is_ok(), "{git}");
        }
        for git in [
            "ext::sh -c id",
            "--upload-pack=id",
            "http://example.org/x",
            "git://example.org/x",
            "/srv/x",
            "file://host/x",
            "-oProxyCommand=id@example.org:x",
            "a@b::c",
            "https://example.org/\nx",
            "",
        ] {
            assert!(check_git(git, rev).is_err(), "{git}");
        }
        for rev in [
            "main",
            "",
            "0123456789ABCDEF0123456789ABCDEF01234567",
            &rev[1..],
        ] {
            assert!(check_git("https://example.org/x", rev).is_err(), "{rev}");
        }
    }
}
