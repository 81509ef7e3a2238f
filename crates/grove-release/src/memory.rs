//! A deploy remote that lives in this process, for tests and simulations.
//!
//! Only what lies below [`crate::DeployBranch`] is another: objects are in a map and a branch is an id,
//! where else there are a repository and the program `git`. What a commit is, how a push that lost a race
//! is put on top of the others' work, what is a conflict, and what an error leaves open: all of it is the
//! same code. No file is touched, no process is started, no clock is read, nothing sleeps.
//!
//! What goes wrong is decided by the caller, see [`Fault`], so that a run can be repeated.
//!
//! ```
//! use grove_release::{
//!     Author, Changes, DeployBranch, Draft, Message,
//!     memory::{Audit, Fault, MemoryRemote},
//!     refuse,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let remote = MemoryRemote::new("example");
//! let mut audit = Audit::new(&remote, "prod")?;
//! let mut branch = DeployBranch::open_in_memory(&remote, "prod")?;
//! let mut changes = Changes::default();
//! changes.unhold("uni");
//! changes.write("note", "anything");
//! let draft = Draft {
//!     changes,
//!     message: Message {
//!         subject: "an example".to_owned(),
//!         request: Some("example-1".parse()?),
//!         ..Message::default()
//!     },
//!     author: Author { name: "Ada".to_owned(), email: "ada@acme.example".to_owned() },
//!     time: "2026-01-02T03:04:05Z".parse()?,
//! };
//!
//! // It lands, and nobody can be asked whether it did.
//! remote.inject(Fault::AnswerLost);
//! remote.inject(Fault::FetchFails);
//! assert!(branch.commit(draft.clone(), refuse).is_err());
//!
//! // The same request again finds the first one.
//! let mut branch = DeployBranch::open_in_memory(&remote, "prod")?;
//! let outcome = branch.commit(draft, refuse)?;
//! assert!(!outcome.pushed && outcome.landed.is_some());
//! assert_eq!(audit.look()?.len(), 1);
//! # Ok(())
//! # }
//! ```

mod audit;
mod branch;
mod objects;
mod random;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    DeployBranch, Draft, Error, Id,
    git::{Remote, Seen},
    layout,
};
use objects::Objects;

pub use audit::{Audit, AuditError, Changed, Step};
pub use random::Random;

pub(crate) use branch::MemoryBranch;

/// A deploy remote in memory. Clones are the same remote; it is gone with the last of them and of the
/// branches that were opened.
///
/// All that was ever written to it stays in memory, also commits that no branch has: a long simulation
/// begins with a new one from time to time.
#[derive(Clone)]
pub struct MemoryRemote(Arc<Shared>);

struct Shared {
    address: Remote,
    objects: Objects,
    state: Mutex<State>,
}

/// What others see of the remote, and what is about to happen to it.
#[derive(Default)]
struct State {
    /// The commit of each branch, by its short name.
    branches: BTreeMap<String, Id>,
    /// The commit that the second reference of each branch names, by the branch's short name.
    marks: BTreeMap<String, Id>,
    faults: VecDeque<Fault>,
    late: Vec<LatePush>,
}

/// A push that has not arrived yet.
struct LatePush {
    branch: String,
    commit: Id,
    seen: Seen,
    overtakes: bool,
}

/// Something that goes wrong once, in the next fetch or push that is tried.
///
/// What is meant for fetches and what is meant for pushes are two queues; of each, one is used up by one
/// try.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The next fetch does not reach the remote.
    FetchFails,
    /// The next push does not reach the remote.
    PushLost,
    /// The next push is carried out as always, and nobody hears of it: neither that it landed nor that it
    /// lost a race.
    AnswerLost,
    /// The remote turns the next push away because it is busy with another one, which then comes to
    /// nothing: a lost race without a winner.
    TurnedAway,
    /// Another writer's commit lands just before the next push, if the branch is then still where that
    /// writer saw it.
    Overtaken {
        /// Where it was; none where there was no branch.
        base: Option<Id>,
        /// What the other writer commits.
        draft: Box<Draft>,
    },
    /// The next push is on its way when its sender gives it up. It arrives together with the next one that
    /// is tried, or when [`MemoryRemote::arrive`] says so; it lands if the branch is then still where its
    /// sender saw it.
    Late {
        /// Whether it arrives just before that next push, which then loses the race; else just after it.
        overtakes: bool,
    },
}

impl MemoryRemote {
    /// An empty remote. Messages name it `memory:NAME`.
    pub fn new(name: &str) -> Self {
        Self(Arc::new(Shared {
            address: Remote::in_memory(name),
            objects: Objects::default(),
            state: Mutex::default(),
        }))
    }

    /// Lets something go wrong, after what is to go wrong already.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// What is still to go wrong; late pushes that are on their way are not counted.
    pub fn faults(&self) -> usize {
        self.state().faults.len()
    }

    /// Lets nothing more go wrong. Late pushes that are on their way still arrive.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Lets the late pushes arrive that are on their way, in the order in which they were sent. Gives the
    /// commits of those that landed.
    pub fn arrive(&self) -> Vec<Id> {
        self.state().arrive(|_| true)
    }

    /// How many late pushes are on their way.
    pub fn late(&self) -> usize {
        self.state().late.len()
    }

    /// The newest commit of a cluster's branch, as the remote has it; none where there is no branch.
    pub fn tip(&self, cluster: &str) -> Option<Id> {
        let branch = layout::branch_name(cluster);
        self.state().branches.get(&branch).copied()
    }

    /// The commit that the second reference of a cluster's branch names; none where there is none.
    pub fn mark(&self, cluster: &str) -> Option<Id> {
        self.state()
            .marks
            .get(&layout::branch_name(cluster))
            .copied()
    }

    /// Makes a cluster's branch another commit, or takes it away, as someone does who forces a push or
    /// deletes a branch. The second reference stays.
    pub fn force(&self, cluster: &str, commit: Option<Id>) {
        let (branch, mut state) = (layout::branch_name(cluster), self.state());
        match commit {
            Some(commit) => drop(state.branches.insert(branch, commit)),
            None => drop(state.branches.remove(&branch)),
        }
    }

    /// How many objects are in memory, and how many bytes they have.
    pub fn size(&self) -> (usize, usize) {
        self.0.objects.size()
    }

    /// Opens a cluster's branch for a look, or for a writer who has no bad luck: no fault happens to it.
    pub fn look(&self, cluster: &str) -> Result<DeployBranch, Error> {
        DeployBranch::opened_in_memory(MemoryBranch::new(self.clone(), cluster, true))
    }

    pub(crate) fn branch(&self, cluster: &str) -> MemoryBranch {
        MemoryBranch::new(self.clone(), cluster, false)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the next fault for fetches, or the next one for pushes.
    fn fault(&mut self, is_wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let place = self.faults.iter().position(is_wanted)?;
        self.faults.remove(place)
    }

    /// What there is of a branch.
    fn seen(&self, branch: &str) -> Seen {
        Seen {
            tip: self.branches.get(branch).copied(),
            mark: self.marks.get(branch).copied(),
            is_empty: self.branches.is_empty() && self.marks.is_empty(),
        }
    }

    /// Makes `commit` the branch, and what its second reference names, if both are as they were seen; says
    /// whether they were.
    fn swap(&mut self, branch: &str, commit: Id, seen: Seen) -> bool {
        let now = self.seen(branch);
        if (now.tip, now.mark) != (seen.tip, seen.mark) {
            return false;
        }
        self.branches.insert(branch.to_owned(), commit);
        self.marks.insert(branch.to_owned(), commit);
        true
    }

    /// Lets those late pushes arrive that `is_due` picks; gives the commits that landed.
    fn arrive(&mut self, is_due: impl Fn(&LatePush) -> bool) -> Vec<Id> {
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(is_due);
        self.late = late;
        let due: Vec<LatePush> = due;
        due.into_iter()
            .filter(|push| self.swap(&push.branch, push.commit, push.seen))
            .map(|push| push.commit)
            .collect()
    }
}
