//! What must hold of a deploy branch, whatever happens to those who write to it.

use std::collections::{BTreeMap, BTreeSet};

use super::MemoryRemote;
use crate::{DeployBranch, Error, Id, Landed, RequestId, View, layout};

/// Looks at each commit that comes to a cluster's branch.
///
/// What holds for every branch is checked here: history only grows, a release's number follows that of
/// the one before, records are never changed, the newest record names the tree that is there, the second
/// reference names the newest commit, and no request makes two commits. What was meant is known to the caller alone: [`Step`] says what a commit
/// did.
pub struct Audit {
    remote: MemoryRemote,
    cluster: String,
    tip: Option<Id>,
    commits: BTreeSet<Id>,
    requests: BTreeMap<RequestId, Id>,
}

/// What one commit did.
#[derive(Clone, Debug)]
pub struct Step {
    /// The commit.
    pub landed: Landed,
    /// The instances that it changed, by name; `_cluster` is what instances share.
    pub instances: BTreeMap<String, Changed>,
    /// Other files and directories at the root or in `apps/` that came, changed or went.
    pub others: Vec<String>,
}

/// What a commit did to an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The numbers of the releases that it brought.
    pub releases: Vec<u32>,
    /// The records of commands that it brought, by file name.
    pub runs: Vec<String>,
    /// Whether the objects, or files in `apps/`, changed.
    pub objects: bool,
    /// Other files below `releases/<instance>/` that came or changed, as `hold.yaml`.
    pub written: Vec<String>,
    /// Files below `releases/<instance>/` and `apps/` that went.
    pub removed: Vec<String>,
}

/// Why an [`Audit`] failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Something that must hold does not.
    #[error("commit {}: {what}", commit.short())]
    Broken {
        /// The commit that broke it.
        commit: Id,
        /// What is wrong.
        what: String,
    },
    /// The branch could not be read.
    #[error(transparent)]
    Unreadable(#[from] Error),
}

impl Audit {
    /// Of a branch as it is; what came before is not looked at, but for its requests.
    pub fn new(remote: &MemoryRemote, cluster: &str) -> Result<Self, Error> {
        let branch = remote.look(cluster)?;
        let before = branch.commits(usize::MAX)?;
        Ok(Self {
            remote: remote.clone(),
            cluster: cluster.to_owned(),
            tip: branch.tip(),
            commits: before.iter().map(|landed| landed.commit).collect(),
            requests: before
                .into_iter()
                .filter_map(|landed| Some((landed.message.request?, landed.commit)))
                .collect(),
        })
    }

    /// Whether the branch has a commit, as far as it was looked at.
    pub fn has(&self, commit: Id) -> bool {
        self.commits.contains(&commit)
    }

    /// The commit of a request, as far as the branch was looked at.
    pub fn of_request(&self, request: &RequestId) -> Option<Id> {
        self.requests.get(request).copied()
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// Looks at what came since the last time, the oldest first.
    pub fn look(&mut self) -> Result<Vec<Step>, AuditError> {
        if self.remote.tip(&self.cluster) == self.tip {
            return Ok(Vec::new());
        }
        let branch = self.remote.look(&self.cluster)?;
        let (tip, mark) = (branch.tip(), self.remote.mark(&self.cluster));
        if mark != tip {
            let what = "the second reference does not name it".to_owned();
            let commit = tip.unwrap_or_else(Id::empty_tree);
            return Err(AuditError::Broken { commit, what });
        }
        let mut fresh = Vec::new();
        let mut next = branch.tip();
        while next != self.tip {
            let Some(commit) = next else {
                let what = "the history lacks what it had before".to_owned();
                let commit = self.tip.unwrap_or_else(Id::empty_tree);
                return Err(AuditError::Broken { commit, what });
            };
            let landed = branch.commit_at(commit)?;
            next = landed.parent;
            fresh.push(landed);
        }
        fresh.reverse();
        let mut steps = Vec::new();
        for landed in fresh {
            let commit = landed.commit;
            let broken = |what: String| AuditError::Broken { commit, what };
            if let Some(request) = &landed.message.request
                && let Some(first) = self.requests.insert(request.clone(), commit)
            {
                let first = first.short();
                return Err(broken(format!("the request {request} landed as {first}")));
            }
            steps.push(step(&branch, landed)?.map_err(broken)?);
            self.commits.insert(commit);
            self.tip = Some(commit);
        }
        Ok(steps)
    }
}

/// What a commit did, or what it must not have done.
fn step(branch: &DeployBranch, landed: Landed) -> Result<Result<Step, String>, Error> {
    let after = branch.view_at(landed.commit)?;
    let before = match landed.parent {
        Some(parent) => branch.view_at(parent)?,
        None => branch.view_of_nothing()?,
    };
    let mut step = Step {
        landed,
        instances: BTreeMap::new(),
        others: Vec::new(),
    };
    let mut names = before.instances()?;
    names.extend(after.instances()?);
    names.insert(layout::SHARED.to_owned());
    for name in names {
        match changed(&before, &after, &name)? {
            Ok(changed) if changed == Changed::default() => {}
            Ok(changed) => {
                step.instances.insert(name, changed);
            }
            Err(what) => return Ok(Err(format!("{name}: {what}"))),
        }
    }
    for directory in ["", "apps"] {
        let (was, is) = (before.entries(directory)?, after.entries(directory)?);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names {
            let path = format!("{directory}/{name}");
            let path = path.trim_start_matches('/');
            let is_of_instances = layout::instance_of(path).is_some()
                || matches!(path, "instances" | "releases" | "apps");
            if was.get(name) != is.get(name) && !is_of_instances {
                step.others.push(path.to_owned());
            }
        }
    }
    Ok(Ok(step))
}

fn changed(
    before: &View<'_>,
    after: &View<'_>,
    name: &str,
) -> Result<Result<Changed, String>, Error> {
    let mut changed = Changed::default();
    let directory = layout::releases(name);
    let mut is_touched = false;
    for path in layout::paths(name) {
        let (was, is) = (before.entry(&path)?, after.entry(&path)?);
        is_touched |= was != is;
        if path != directory {
            changed.objects |= was != is;
            if was.is_some() && is.is_none() {
                changed.removed.push(path);
            }
        }
    }
    if !is_touched {
        return Ok(Ok(changed));
    }
    let (was, is) = (before.entries(&directory)?, after.entries(&directory)?);
    changed.removed.extend(
        was.keys()
            .filter(|file| !is.contains_key(*file))
            .map(|file| format!("{directory}/{file}")),
    );
    for (file, id) in &is {
        let old = was.get(file);
        if old == Some(id) || file == "runs" {
            continue;
        }
        match layout::record_number(file) {
            Some(number) if old.is_none() => changed.releases.push(number),
            Some(number) => return Ok(Err(format!("the record {number:04} was changed"))),
            None => changed.written.push(file.clone()),
        }
    }
    let runs = layout::runs(name);
    let (was, is) = (before.entries(&runs)?, after.entries(&runs)?);
    if was.iter().any(|(file, id)| is.get(file) != Some(id)) {
        return Ok(Err("the record of a command was changed".to_owned()));
    }
    changed
        .runs
        .extend(is.into_keys().filter(|file| !was.contains_key(file)));

    let mut numbers = after.releases(name)?;
    numbers.reverse();
    if !(1..)
        .zip(&numbers)
        .all(|(expected, number)| expected == *number)
    {
        return Ok(Err(format!("its releases are {numbers:?}")));
    }
    if before.releases(name)?.len() + changed.releases.len() != numbers.len() {
        return Ok(Err("a record is gone".to_owned()));
    }
    if !is_of_newest(after, name)? {
        return Ok(Err(
            "its objects are not those of its newest release".to_owned()
        ));
    }
    Ok(Ok(changed))
}

/// Whether the objects that are there are those of the newest release; so it is where there is none yet.
fn is_of_newest(view: &View<'_>, name: &str) -> Result<bool, Error> {
    let tree = |path: &str| Ok::<_, Error>(view.tree_id(path)?.unwrap_or_else(Id::empty_tree));
    if name == layout::SHARED {
        return Ok(match view.shared_latest()? {
            Some(newest) => {
                tree(layout::CLUSTER)? == newest.tree && tree(layout::CHARTS)? == newest.charts
            }
            None => true,
        });
    }
    Ok(match view.latest(name)? {
        Some(newest) => tree(&layout::objects(name))? == newest.tree,
        None => true,
    })
}
