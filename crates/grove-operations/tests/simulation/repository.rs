//! The repository of the fleet: one line of commits, and a work tree that all operators share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use grove_check::{Checked, Context, Severity, check};
use grove_fleet::{File, Snapshot};
use grove_operations::{
    Checker, Error, Kind, Result,
    fleet::history::{Files, History},
};
use grove_release::{Ancestry, Git, Id, Order, Published, Revision};

use crate::fleet::Fleet;

/// Where others see commits.
const UPSTREAM: &str = "origin/main";

/// A commit of the fleet.
#[derive(Clone)]
pub(crate) struct Commit {
    pub(crate) id: Id,
    pub(crate) fleet: Arc<Fleet>,
    files: Snapshot,
}

/// A file of the work tree that a verb wrote.
pub(crate) struct Written {
    pub(crate) path: String,
    pub(crate) before: Option<Arc<[u8]>>,
    pub(crate) after: Arc<[u8]>,
}

/// What goes wrong once with whoever writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// It is killed before its next write but so many; a commit and its push are writes as well.
    Killed(u64),
    /// The fleet's upstream is not reached.
    PushLost,
}

/// Shared by all who look at it.
pub(crate) struct Repository(Mutex<State>);

struct State {
    commits: Vec<Commit>,
    /// How many of them the upstream has.
    pushed: usize,
    work_tree: Snapshot,
    trouble: Option<Trouble>,
    is_dead: bool,
    written: Vec<Written>,
    /// What a check of files says: no rule looks at the clock here, or finds in what was released what an
    /// operation would refuse. By where the bytes of the files lie, which stay there with the files beside.
    known: BTreeMap<Vec<usize>, (Snapshot, Arc<Checked>)>,
}

impl Repository {
    /// A fleet, and the files of its secrets.
    pub(crate) fn new(fleet: Fleet, secrets: &BTreeMap<String, String>) -> Self {
        let mut files = fleet.files();
        for (path, text) in secrets {
            files = files.with(path, text);
        }
        Self(Mutex::new(State {
            work_tree: files.clone(),
            commits: vec![Commit {
                id: id(0),
                fleet: Arc::new(fleet),
                files,
            }],
            pushed: 1,
            trouble: None,
            is_dead: false,
            written: Vec::new(),
            known: BTreeMap::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest commit that others see.
    pub(crate) fn upstream(&self) -> usize {
        self.state().pushed - 1
    }

    /// The newest commit here.
    pub(crate) fn head(&self) -> Commit {
        let state = self.state();
        state.commits.last().expect("there is a first one").clone()
    }

    /// The fleet of a commit, by its place in the line.
    pub(crate) fn fleet(&self, at: usize) -> Arc<Fleet> {
        Arc::clone(&self.state().commits[at].fleet)
    }

    /// Someone pushes what is committed here, merges a change of the fleet, and pulls it. Files that are edited in
    /// the work tree and in the change are in the way: then nothing is merged.
    pub(crate) fn merge(&self, fleet: Fleet) -> bool {
        let mut state = self.state();
        let files = fleet.files();
        let head = state.commits.last().expect("there is a first one").clone();
        let mut merged = head.files.clone();
        let mut work_tree = state.work_tree.clone();
        let of_fleet = |path: &&String| !path.ends_with(".sops.yaml") || *path == ".sops.yaml";
        let before = head.fleet.files();
        let paths = before.files.keys().chain(files.files.keys());
        for path in paths.filter(of_fleet) {
            if before.bytes(path) == files.bytes(path) {
                continue;
            }
            if head.files.bytes(path) != state.work_tree.bytes(path) {
                return false;
            }
            for tree in [&mut merged, &mut work_tree] {
                match files.files.get(path) {
                    Some(file) => tree.files.insert(path.clone(), file.clone()),
                    None => tree.files.remove(path),
                };
            }
        }
        let id = id(state.commits.len());
        state.commits.push(Commit {
            id,
            fleet: Arc::new(fleet),
            files: merged,
        });
        state.pushed = state.commits.len();
        state.work_tree = work_tree;
        true
    }

    /// Someone commits the secrets of the work tree, and pushes.
    pub(crate) fn commit_secrets(&self) -> usize {
        let mut state = self.state();
        let head = state.commits.last().expect("there is a first one").clone();
        let paths = changed(&head.files, &state.work_tree);
        let paths = paths.into_iter().filter(|path| path.ends_with("sops.yaml"));
        let paths: Vec<String> = paths.collect();
        if !paths.is_empty() {
            state.commit(paths.iter().map(String::as_str));
        }
        state.pushed = state.commits.len();
        paths.len()
    }

    /// Lets something go wrong with whoever writes next.
    pub(crate) fn arm(&self, trouble: Option<Trouble>) {
        let mut state = self.state();
        state.trouble = trouble;
        state.is_dead = false;
    }

    /// Whether whoever wrote last was killed.
    pub(crate) fn was_killed(&self) -> bool {
        self.state().is_dead
    }

    /// What verbs wrote since this was asked last.
    pub(crate) fn written(&self) -> Vec<Written> {
        std::mem::take(&mut self.state().written)
    }

    /// A file of the work tree.
    pub(crate) fn file(&self, path: &str) -> Option<Arc<[u8]>> {
        self.state().work_tree.bytes(path).cloned()
    }
}

impl State {
    fn edited(&self) -> Vec<String> {
        let head = self.commits.last().expect("there is a first one");
        changed(&head.files, &self.work_tree)
    }

    /// Fails where whoever writes is killed before this write.
    fn tick(&mut self) -> Result<()> {
        match &mut self.trouble {
            Some(Trouble::Killed(0)) => self.is_dead = true,
            Some(Trouble::Killed(left)) => *left -= 1,
            _ => {}
        }
        if self.is_dead {
            return Err(Error::new(Kind::Bug, "killed"));
        }
        Ok(())
    }

    fn commit<'p>(&mut self, paths: impl Iterator<Item = &'p str>) {
        let head = self.commits.last().expect("there is a first one").clone();
        let (mut files, mut fleet) = (head.files, (*head.fleet).clone());
        for path in paths {
            if let Some(file) = self.work_tree.files.get(path) {
                if let File::Bytes(bytes) = file {
                    fleet.read(path, &String::from_utf8_lossy(bytes));
                }
                files.files.insert(path.to_owned(), file.clone());
            }
        }
        self.commits.push(Commit {
            id: id(self.commits.len()),
            fleet: Arc::new(fleet),
            files,
        });
    }
}

/// The name of a commit.
fn id(at: usize) -> Id {
    let name = format!("{:040x}", at + 1);
    name.parse().expect("it has as many digits as a name")
}

fn changed(one: &Snapshot, other: &Snapshot) -> Vec<String> {
    let paths = one.files.keys().chain(other.files.keys());
    let mut changed: Vec<String> = paths
        .filter(|path| one.bytes(path) != other.bytes(path))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    changed
}

impl Checker for Repository {
    fn check(&self, files: &Snapshot, _: &Context) -> Checked {
        let mut state = self.state();
        let place = files.files.iter().map(|(path, file)| match file {
            File::Bytes(bytes) => bytes.as_ptr().addr(),
            _ => path.len(),
        });
        let (_, checked) = state.known.entry(place.collect()).or_insert_with(|| {
            let checked = check(files, &Context::default());
            let errors = checked.findings.iter();
            let mut errors = errors.filter(|finding| finding.severity == Severity::Error);
            assert_eq!(errors.next(), None, "the fleet is sound");
            (files.clone(), Arc::new(checked))
        });
        Checked {
            fleet: checked.fleet.clone(),
            findings: checked.findings.clone(),
        }
    }
}

/// The repository as someone has it.
#[derive(Clone)]
pub(crate) struct Checkout {
    pub(crate) repository: Arc<Repository>,
    /// The place in the line of the commit that is checked out in a clone that nobody writes to; none of the
    /// work tree that all share.
    pub(crate) at: Option<usize>,
}

impl Checkout {
    fn head(&self, state: &State) -> usize {
        self.at.unwrap_or(state.commits.len() - 1)
    }

    fn find(&self, state: &State, commit: Id) -> Option<usize> {
        let known = &state.commits[..=self.head(state)];
        known.iter().position(|known| known.id == commit)
    }
}

impl Files for Checkout {
    fn work_tree(&self) -> Result<Snapshot> {
        let state = self.repository.state();
        Ok(match self.at {
            Some(at) => state.commits[at].files.clone(),
            None => state.work_tree.clone(),
        })
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let state = self.repository.state();
        Ok(state.work_tree.bytes(path).map(|bytes| bytes.to_vec()))
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        assert_eq!(self.at, None, "{path} is written where nobody writes");
        let mut state = self.repository.state();
        state.tick()?;
        let after: Arc<[u8]> = content.into();
        let before = state.work_tree.bytes(path).cloned();
        let file = File::Bytes(Arc::clone(&after));
        state.work_tree.files.insert(path.to_owned(), file);
        state.written.push(Written {
            path: path.to_owned(),
            before,
            after,
        });
        Ok(())
    }

    fn commit(&self, paths: &[&str], _: &str) -> Result<()> {
        assert_eq!(self.at, None, "it is committed where nobody writes");
        let mut state = self.repository.state();
        let edited = state.edited();
        let is_edited = |path: &&str| edited.iter().any(|edited| edited == path);
        if paths.iter().any(is_edited) {
            state.tick()?;
            state.commit(paths.iter().copied());
        }
        if state.pushed < state.commits.len() {
            state.tick()?;
            if let Some(Trouble::PushLost) = state
                .trouble
                .take_if(|trouble| matches!(trouble, Trouble::PushLost))
            {
                return Err(Error::new(Kind::Tool, "the fleet cannot be pushed"));
            }
            state.pushed = state.commits.len();
        }
        Ok(())
    }

    fn history(&self) -> Option<Arc<dyn History>> {
        Some(Arc::new(self.clone()))
    }
}

impl History for Checkout {
    fn resolve(&self, revision: &str) -> Result<Id> {
        let state = self.repository.state();
        if revision == "HEAD" {
            return Ok(state.commits[self.head(&state)].id);
        }
        let commit: Id = revision.parse().expect("a commit");
        match self.find(&state, commit) {
            Some(_) => Ok(commit),
            None => Err(Error::usage(format!("no commit {revision}"))),
        }
    }

    fn snapshot(&self, commit: Id) -> Result<Snapshot> {
        let state = self.repository.state();
        let at = self.find(&state, commit).expect("it was resolved");
        Ok(state.commits[at].files.clone())
    }

    fn revision(&self, _: &Git) -> Result<Revision> {
        let state = self.repository.state();
        Ok(Revision {
            head: Some(state.commits[self.head(&state)].id),
            branch: Some("main".to_owned()),
            changed: match self.at {
                Some(_) => Vec::new(),
                None => state.edited(),
            },
        })
    }

    fn published(&self, _: &Git, commit: Id) -> Result<Published> {
        let state = self.repository.state();
        let at = self.find(&state, commit);
        let is_pushed = at.is_some_and(|at| at < state.pushed);
        Ok(if is_pushed {
            Published::Yes(UPSTREAM.to_owned())
        } else {
            Published::No(UPSTREAM.to_owned())
        })
    }

    fn order(&self, source: Id, running: Option<Id>) -> Result<Order> {
        let Some(running) = running else {
            return Ok(Order::First);
        };
        let state = self.repository.state();
        let ancestry = match (self.find(&state, source), self.find(&state, running)) {
            (Some(source), Some(running)) if source >= running => return Ok(Order::Newer),
            (Some(_), Some(_)) => Ancestry::Before,
            _ => Ancestry::Unknown,
        };
        Ok(Order::Stale {
            source,
            running,
            ancestry,
        })
    }
}
