//! Where the deploy branches are.

use std::path::PathBuf;

use grove_fleet::Fleet;
use grove_release::{DeployBranch, Gone, Remote, create_remote, is_missing};

use crate::{
    Around, Error, Result,
    consent::{Need, Needs},
    fleet::workspace::{Workspace, base},
};

/// The remote of a cluster.
pub(crate) fn remote(workspace: &Workspace<'_>, fleet: &Fleet, cluster: &str) -> Result<Remote> {
    let around = workspace.around;
    // A pattern of the surroundings begins where the user is, one of the fleet at the fleet.
    let (pattern, base) = match &around.deploy_remote {
        Some(pattern) => (pattern, around.directory.clone()),
        None => (&fleet.deploy_remote, base(&workspace.root)?),
    };
    Ok(Remote::parse(
        &pattern.replace("{cluster}", cluster),
        &base,
    )?)
}

/// Fetches the deploy branch of a cluster for a look. Where it is gone, that is said.
pub(crate) fn open(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
) -> Result<DeployBranch> {
    let branch = fetch(workspace, fleet, cluster)?;
    tell(workspace.around, &branch)?;
    Ok(branch)
}

/// Fetches the deploy branch of a cluster, to change what is released there. One that is gone is refused: what
/// it lacks would look as if it had never been released.
pub(crate) fn open_to_change(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
) -> Result<DeployBranch> {
    let branch = fetch(workspace, fleet, cluster)?;
    match branch.gone()? {
        Some(gone) if gone != (Gone::Missing { last: None }) => Err(branch.error_of(gone).into()),
        _ => {
            tell(workspace.around, &branch)?;
            Ok(branch)
        }
    }
}

/// Fetches the deploy branch of a cluster, to release something there. Where it is missing in a repository
/// that is there, its first commit must be agreed to. Where the repository is missing and `create` says so, the
/// branch has nothing on it; [`make`] makes the repository, a local path, before the first commit.
pub(crate) fn open_to_release(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
    create: bool,
    needs: &mut Needs,
) -> Result<DeployBranch> {
    let mut branch = if create {
        fetch_or_begin(workspace, fleet, cluster)?
    } else {
        fetch(workspace, fleet, cluster)?
    };
    match branch.gone()? {
        Some(Gone::Missing { last }) => {
            tell(workspace.around, &branch)?;
            needs.extend([Need::FirstRelease {
                cluster: cluster.to_owned(),
                remote: branch.remote().to_string(),
                branch: branch.name().to_owned(),
                last: last.map(|last| last.to_string()),
            }]);
            // Nothing is written before it was agreed to.
            branch.begin_anew();
        }
        Some(gone) => return Err(branch.error_of(gone).into()),
        None => tell(workspace.around, &branch)?,
    }
    Ok(branch)
}

/// Says what is wrong with a branch that is not what it was.
fn tell(around: &Around, branch: &DeployBranch) -> Result<()> {
    match (branch.gone()?, branch.rewritten()) {
        (None, None) => {}
        (None, Some(lost)) => around.warn(&format!(
            "{} was rewritten: its history lacks {}, where it was last seen",
            branch.name(),
            lost.short()
        )),
        (Some(Gone::Missing { last: None }), _) => around.note(&format!(
            "{} is not in {}, which is not empty: nothing was released on {} yet, or someone deleted it",
            branch.name(),
            branch.remote(),
            branch.cluster()
        )),
        (Some(gone), _) => {
            let error = branch.error_of(gone);
            around.warn(&error.to_string());
            if let Some(hint) = error.hint() {
                around.note(&hint);
            }
        }
    }
    Ok(())
}

/// What is wrong with a branch that is gone, in a line; none where nothing tells that it was there.
pub(crate) fn trouble(branch: &DeployBranch) -> Result<Option<String>> {
    Ok(branch
        .gone()?
        .filter(|gone| *gone != (Gone::Missing { last: None }))
        .map(|gone| branch.error_of(gone).to_string()))
}

/// Whether an error says that a deploy branch is gone.
pub(crate) fn is_gone(error: &Error) -> bool {
    use grove_release::Error::{BranchGone, BranchMissing, BranchReplaced};
    matches!(
        error.cause::<grove_release::Error>(),
        Some(BranchGone { .. } | BranchMissing { .. } | BranchReplaced { .. })
    )
}

/// Fetches the deploy branch of a cluster.
pub(crate) fn fetch(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
) -> Result<DeployBranch> {
    let around = workspace.around;
    if let Some(branches) = &around.instead.branches {
        return branches.open(cluster);
    }
    let remote = remote(workspace, fleet, cluster)?;
    DeployBranch::open(&around.git(), &remote, cluster, &caches(around)?).map_err(of(cluster))
}

/// Fetches the deploy branch of a cluster, whose repository must be a local path. Where that is missing, the
/// branch has nothing on it.
pub(crate) fn fetch_or_begin(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
) -> Result<DeployBranch> {
    let around = workspace.around;
    let remote = remote(workspace, fleet, cluster)?;
    if !is_missing(&remote)? {
        return fetch(workspace, fleet, cluster);
    }
    DeployBranch::begin(&around.git(), &remote, cluster, &caches(around)?).map_err(of(cluster))
}

/// Makes the repository of a deploy branch where it is missing and a local path; says so.
pub(crate) fn make(around: &Around, branch: &DeployBranch) -> Result<()> {
    if create_remote(&around.git(), branch.remote(), branch.name())? {
        around.note(&format!("made the deploy repository {}", branch.remote()));
    }
    Ok(())
}

/// Says of which cluster a branch could not be opened.
fn of(cluster: &str) -> impl Fn(grove_release::Error) -> Error {
    move |error| Error::from(error).context(format!("cannot open the deploy branch of {cluster}"))
}

/// Where clones of deploy branches are kept.
pub(crate) fn caches(around: &Around) -> Result<PathBuf> {
    Ok(around.cache_directory()?.join("deploy-v1"))
}
