//! Files of a cluster that stacks and a bootstrap write, and their commits.

use std::path::Path;

use grove_fleet::layout;

use crate::{
    Around, Error, Result,
    fleet::commit::{commit, git},
};

/// Commits what was written of a cluster's files, and pushes it where the branch has an upstream: a deploy
/// takes nothing else.
pub(super) fn keep(around: &Around, name: &str, message: &str) -> Result<()> {
    let root = around.fleet()?;
    let files = written(root, name)?;
    if files.is_empty() {
        return Ok(());
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    commit(Path::new(top.trim()), &files, message, around)
}

/// Refuses to go on while something that was written is in no commit.
pub(super) fn must_be_kept(around: &Around, name: &str) -> Result<()> {
    let files = written(around.fleet()?, name)?;
    if files.is_empty() {
        return Ok(());
    }
    Err(
        Error::refused(format!("not committed: {}", files.join(", ")))
            .hint("commit and push it, then run this command again"),
    )
}

/// Refuses to begin while `cluster.yaml` has changes that are the user's to commit: what is written there is
/// committed, and they would be, too.
pub(super) fn refuse_edited(around: &Around, name: &str) -> Result<()> {
    let root = around.fleet()?;
    let file = layout::cluster(name);
    let now = fs_err::read_to_string(root.join(&file))?;
    let head = git(root, &["show", &format!("HEAD:./{file}")]);
    // Which cluster it is may have been written by a run that was stopped.
    let own =
        |text: &str| grove_yaml::remove(text, &["kubernetes"]).unwrap_or_else(|_| text.to_owned());
    if head.is_ok_and(|head| own(&head).trim() == own(&now).trim()) {
        return Ok(());
    }
    Err(
        Error::refused(format!("`{file}` has changes that are in no commit"))
            .hint("commit them first: this command commits what stacks give, beside them"),
    )
}

/// The files of a cluster that changed and are these operations' own, from the repository's root.
fn written(root: &Path, name: &str) -> Result<Vec<String>> {
    let directory = format!("clusters/{name}");
    let words = [
        "status",
        "--porcelain",
        "--untracked-files=all",
        "--",
        &directory,
    ];
    let changed = git(root, &words)?;
    let files = changed.lines().filter_map(|line| line.get(3..));
    Ok(files
        .map(|file| file.trim_matches('"').to_owned())
        .filter(|file| is_written(file))
        .collect())
}

/// Whether a changed file is one that stacks and a bootstrap write; what else was edited is the user's to
/// commit.
fn is_written(file: &str) -> bool {
    file.contains("/outputs/")
        || file.ends_with(".terraform.lock.hcl")
        || file.ends_with("/cluster.yaml")
}
