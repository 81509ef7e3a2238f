//! Both sides as they are known.

use std::{collections::BTreeMap, sync::mpsc::Sender};

use grove_release::{DeployBranch, Id};
use grove_watch::{Status, fold};

use crate::{
    Around, Result,
    status::gather::{GitSide, Observed, Scope},
};

/// What is heard.
pub(super) enum News {
    /// What a cluster says, by its name.
    Cluster(String, Observed),
    /// The deploy branch of a cluster, or why it could not be read.
    Branch(String, Box<Result<DeployBranch>>),
}

/// Both sides as they are known.
pub(super) struct Heard<'a> {
    scope: &'a Scope<'a>,
    /// Who looks at the branches at once.
    ask: &'a Sender<()>,
    git: BTreeMap<String, GitSide>,
    observed: BTreeMap<String, Observed>,
    /// The commits that were looked for last, by cluster.
    looked_for: BTreeMap<String, Id>,
}

impl<'a> Heard<'a> {
    /// Nothing yet.
    pub(super) fn new(scope: &'a Scope<'a>, ask: &'a Sender<()>) -> Self {
        Self {
            scope,
            ask,
            git: BTreeMap::new(),
            observed: BTreeMap::new(),
            looked_for: BTreeMap::new(),
        }
    }

    /// What is around.
    pub(super) fn around(&self) -> &'a Around {
        self.scope.around()
    }

    /// Takes one piece of news. A commit that Argo CD has seen and nobody here has is looked for.
    pub(super) fn take(&mut self, news: News) -> Result<()> {
        let name = match news {
            News::Cluster(name, observed) => {
                self.observed.insert(name.clone(), observed);
                name
            }
            News::Branch(name, branch) => {
                match (*branch, self.git.get_mut(&name)) {
                    // What could not be read now was read before, and still is what is wanted.
                    (Err(error), Some(side)) if side.tip().is_some() => {
                        side.wanted.problem = Some(error.to_string());
                    }
                    (branch, _) => {
                        let mut clusters = self.scope.clusters.iter();
                        if let Some(cluster) = clusters.find(|cluster| cluster.name == name) {
                            let side = GitSide::read(self.scope, cluster, branch)?;
                            self.git.insert(name.clone(), side);
                        }
                    }
                }
                name
            }
        };
        if let Some(side) = self.git.get_mut(&name)
            && let Some(commit) = side.see(self.observed.get(&name))?
            && self.looked_for.insert(name, commit) != Some(commit)
        {
            self.ask.send(()).ok();
        }
        Ok(())
    }

    /// What runs; none until everybody has answered, or will not: the first picture is whole.
    pub(super) fn status(&self) -> Option<Status> {
        let all = self.scope.clusters.len();
        if self.git.len() != all || self.observed.len() != all {
            return None;
        }
        let wanted = self
            .git
            .iter()
            .map(|(name, side)| (name.clone(), side.wanted.clone()))
            .collect();
        Some(fold(self.around().now(), &wanted, &self.observed))
    }
}
