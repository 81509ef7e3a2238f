//! Where the deploy branches are.

use std::path::PathBuf;

use grove_fleet::Fleet;
use grove_release::{DeployBranch, Remote, branch_name, create_remote};

use crate::{
    Around, Error, Result,
    fleet::workspace::{Workspace, base},
};

/// The remote of a cluster.
pub fn remote(workspace: &Workspace<'_>, fleet: &Fleet, cluster: &str) -> Result<Remote> {
    let around = workspace.around;
    // A pattern of the surroundings begins where the user is, one of the fleet at the fleet.
    let (pattern, base) = match &around.deploy_remote {
        Some(pattern) => (pattern, around.directory.clone()),
        None => (&fleet.deploy_remote, base(&workspace.root)?),
    };
    Ok(Remote::parse(&pattern.replace("{cluster}", cluster), &base)?)
}

/// Makes the deploy repository of a cluster where it is missing and a local path; says so.
pub fn create(workspace: &Workspace<'_>, fleet: &Fleet, cluster: &str) -> Result<()> {
    let around = workspace.around;
    let remote = remote(workspace, fleet, cluster)?;
    if create_remote(&around.git(), &remote, &branch_name(cluster))? {
        around.note(&format!("made the deploy repository {remote}"));
    }
    Ok(())
}

/// Fetches the deploy branch of a cluster.
pub fn open(workspace: &Workspace<'_>, fleet: &Fleet, cluster: &str) -> Result<DeployBranch> {
    let around = workspace.around;
    if let Some(branches) = &around.instead.branches {
        return branches.open(cluster);
    }
    let remote = remote(workspace, fleet, cluster)?;
    DeployBranch::open(&around.git(), &remote, cluster, &caches(around)?).map_err(|error| {
        Error::from(error).context(format!("cannot open the deploy branch of {cluster}"))
    })
}

/// Where clones of deploy branches are kept.
pub fn caches(around: &Around) -> Result<PathBuf> {
    Ok(around.cache_directory()?.join("deploy-v1"))
}
