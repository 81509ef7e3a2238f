//! Where a fleet's repository stands, and what others can see of it.

use super::Source;
use crate::{Error, Id, git::Git};

/// The state of the repository that holds a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The commit that is checked out; none before the first one.
    pub head: Option<Id>,
    /// The branch that is checked out, as `main`; none where `HEAD` is detached.
    pub branch: Option<String>,
    /// Files of the fleet that differ from `head` or are not in it, from the repository's root.
    pub changed: Vec<String>,
}

/// Whether others can fetch a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The repository knows no remote branch.
    NoUpstream,
    /// The remote branch of this name (`origin/main`) has it.
    Yes(String),
    /// This remote branch should have it and does not.
    No(String),
}

impl Source {
    /// Reads where the repository stands. The index is not written.
    pub fn revision(&self, git: &Git) -> Result<Revision, Error> {
        let repo = self.repository();
        let head = repo.head().map_err(|error| self.broken(&error))?;
        let branch = head.referent_name().map(|name| name.shorten().to_string());
        let head = head.id().map(|id| id.detach().into());
        let changed = match repo.workdir() {
            Some(root) => {
                let scope = format!(":(top,literal){}", self.directory());
                let text = git.text(
                    root,
                    // Nothing is locked or refreshed on the way.
                    &["--no-optional-locks"],
                    "status",
                    &[
                        "--porcelain=v1",
                        "-z",
                        "--no-renames",
                        "--untracked-files=all",
                        "--ignore-submodules=all",
                        "--",
                        &scope,
                    ],
                )?;
                // Two letters, a space, the path.
                text.split('\0')
                    .filter_map(|entry| entry.get(3..))
                    .map(str::to_owned)
                    .collect()
            }
            None => Vec::new(),
        };
        Ok(Revision {
            head,
            branch,
            changed,
        })
    }

    /// Whether the fleet's upstream has `commit`, as far as the last fetch or push told: the upstream
    /// of the branch that is checked out; else (a detached `HEAD`, as in CI) the remote's main branch
    /// where the clone knows it, and any remote branch where it does not.
    pub fn published(&self, git: &Git, commit: Id) -> Result<Published, Error> {
        let repo = self.repository();
        let directory = repo.git_dir().to_owned();
        let list = |arguments: &[&str]| -> Result<Vec<String>, Error> {
            let mut all = vec!["--format=%(refname)%00%(upstream)"];
            all.extend(arguments);
            let text = git.text(&directory, &["--git-dir=."], "for-each-ref", &all)?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        let head = repo.head_name().map_err(|error| self.broken(&error))?;
        let upstream = match head {
            Some(name) => list(&["--", &name.to_string()])?
                .iter()
                .find_map(|line| line.split_once('\0'))
                .map(|(_, upstream)| upstream.to_owned()),
            None => None,
        };
        // Where no branch says it, the remote's own main branch does: any other one may be a pull
        // request that nobody agreed to.
        let upstream = match upstream.filter(|upstream| !upstream.is_empty()) {
            Some(upstream) => Some(upstream),
            None => list(&["--format=%(symref)", "--", "refs/remotes/*/HEAD"])?
                .into_iter()
                .find(|main| !main.is_empty()),
        };
        let contains = format!("--contains={commit}");
        if let Some(upstream) = upstream {
            let has = list(&[&contains, "--", &upstream])?;
            let name = shorten(&upstream);
            return Ok(if has.is_empty() {
                Published::No(name)
            } else {
                Published::Yes(name)
            });
        }
        let refs = |lines: Vec<String>| {
            lines
                .iter()
                .filter_map(|line| line.split('\0').next())
                .map(shorten)
                .find(|name| !name.ends_with("/HEAD"))
        };
        let Some(some) = refs(list(&["--", "refs/remotes/"])?) else {
            return Ok(Published::NoUpstream);
        };
        Ok(match refs(list(&[&contains, "--", "refs/remotes/"])?) {
            Some(name) => Published::Yes(name),
            None => Published::No(some),
        })
    }
}

/// A reference's name as people say it.
fn shorten(reference: &str) -> String {
    reference
        .trim_start_matches("refs/remotes/")
        .trim_start_matches("refs/heads/")
        .to_owned()
}
