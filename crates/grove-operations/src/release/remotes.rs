//! Where the deploy branches are.

use std::path::PathBuf;

use grove_fleet::Fleet;
use grove_release::{DeployBranch, Remote, create_remote, is_missing};

use crate::{
    Around, Error, Result,
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

/// Fetches the deploy branch of a cluster.
pub(crate) fn open(
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
/// branch has nothing on it; [`make`] makes the repository before the first commit.
pub(crate) fn open_or_begin(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    cluster: &str,
) -> Result<DeployBranch> {
    let around = workspace.around;
    let remote = remote(workspace, fleet, cluster)?;
    if !is_missing(&remote)? {
        return open(workspace, fleet, cluster);
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
