//! Applying stacks in their order, and keeping what they give in the fleet.
//!
//! It goes level by level: what a stack needs to be agreed to is known once those that it reads from are
//! applied. Where the last apply of a stack could not write its state, that is put into the back end first, with
//! a consent of its own. A plan that [`super::plan`] kept is carried out, and refused where inputs or state changed
//! since; without one, a plan is made. What is unchanged is stepped over.
//!
//! ```no_run
//! use grove_operations::{
//!     Around, Result,
//!     consent::{Consent, Need},
//!     stacks::apply,
//! };
//!
//! fn everything_that_destroys_nothing(around: &Around, request: &apply::Request) -> Result<apply::Outcome> {
//!     let mut apply = apply::begin(around, request)?;
//!     while let Some(level) = apply.next()? {
//!         let agreed = level.needs().iter().filter(|need| !matches!(need, Need::Destroys { .. }));
//!         let consent = Consent::to(agreed.cloned().collect());
//!         level.carry_out(&consent)?;
//!     }
//!     Ok(apply.outcome())
//! }
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
    vec,
};

use grove_stack::{Graph, plan::Changes, root::Blocked, stack::Address};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    all::{Stacks, blocked_error},
    bounds::Bounds,
    runner::{Head, Options, Planned, Ready, Runner},
    select::StackSelection,
    standing::Standing,
    unwritten::Unwritten,
};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Need, Needs},
    request::RequestId,
    requests::{Answer, Stepwise},
    threads,
};

/// Applies stacks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    pub id: Option<RequestId>,
    /// The fleet's revision, which must be none: outputs are written to the files of its work tree.
    pub revision: Option<String>,
    /// Which stacks. Nothing said is refused: say `all`.
    pub selection: StackSelection,
    /// Apply what is unchanged, too.
    pub force: bool,
    /// Destroy everything of the selected stacks.
    pub destroy: bool,
    /// How many minutes one apply may take.
    pub timeout: u64,
    /// How much is done at once.
    pub bounds: Bounds,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            id: None,
            revision: None,
            selection: StackSelection::default(),
            force: false,
            destroy: false,
            timeout: 120,
            bounds: Bounds::default(),
        }
    }
}

/// How stacks are applied.
#[derive(Clone, Debug)]
pub struct How {
    /// Apply what is unchanged, too.
    pub force: bool,
    /// Destroy everything of them.
    pub destroy: bool,
    /// How long one apply may take.
    pub limit: Duration,
    /// How much is done at once.
    pub bounds: Bounds,
}

/// What was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// What became of each stack, level by level; of those that failed nothing is said here.
    pub stacks: Vec<Row>,
    /// Stacks that were not selected and read what is another now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Stale>,
    /// Why others failed or were not tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Error>,
}

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its address.
    pub stack: String,
    /// In a word.
    pub state: Standing,
    /// What its plan changed, where one was carried out.
    pub changes: Option<Changes>,
    /// The serial of its state after that.
    pub serial: Option<u64>,
    /// Whether it gives something else now.
    pub outputs_changed: bool,
}

/// A stack that gives something else now, and who should be planned for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// Its address.
    pub stack: String,
    /// The addresses of those that read it.
    pub readers: Vec<String>,
}

/// Stacks that are being applied.
pub struct Apply<'a> {
    stacks: Stacks<'a>,
    runner: Runner,
    graph: Graph,
    how: How,
    selected: BTreeSet<Address>,
    /// Levels that are still to come.
    levels: vec::IntoIter<Vec<Address>>,
    /// What was planned of the level that is at hand.
    pending: Vec<Pending>,
    /// Stacks of that level whose last apply could not write their states.
    unwritten: Vec<(Ready, Unwritten)>,
    /// The others, and those whose states are written now: they are planned next.
    waiting: Option<Vec<Ready>>,
    /// Stacks that failed, and those at hand until they are applied: what reads them is not tried.
    failed: BTreeSet<Address>,
    rows: Vec<Row>,
    failures: Vec<Error>,
    /// The request; none where stacks are applied as a part of another.
    asked: Option<Stepwise>,
    /// What came of it before.
    first: Option<Outcome>,
}

impl Answer for Outcome {
    fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }
}

/// A stack with its plan, or why there is none.
struct Pending {
    ready: Ready,
    planned: Result<Planned>,
    need: Option<Need>,
}

/// Opens the fleet and finds the order of its stacks.
pub fn begin<'a>(around: &'a Around, request: &Request) -> Result<Apply<'a>> {
    let _entered = around.enter()?;
    request.selection.must_be_stated()?;
    let id = request.id.as_ref();
    let (asked, first) = Stepwise::begin(around, "stacks/apply", id, request)?;
    let stacks = Stacks::open(around, request.revision.as_deref())?;
    let selected = match first {
        Some(_) => Vec::new(),
        None => request.selection.select(&stacks.fleet)?,
    };
    let how = How {
        force: request.force,
        destroy: request.destroy,
        limit: Duration::from_secs(request.timeout.saturating_mul(60)),
        bounds: request.bounds.clone(),
    };
    let mut apply = Apply::of(stacks, &selected, how)?;
    (apply.asked, apply.first) = (Some(asked), first);
    Ok(apply)
}

impl<'a> Apply<'a> {
    /// Begins with stacks that are open. Refuses to destroy what others still read.
    pub fn of(stacks: Stacks<'a>, selected: &[Address], how: How) -> Result<Self> {
        stacks.must_be_writable()?;
        let graph = stacks.graph();
        let chosen: BTreeSet<Address> = selected.iter().cloned().collect();
        if how.destroy {
            must_be_last(&stacks, &graph, &chosen)?;
        }
        let mut levels = stacks.levels(selected)?;
        if how.destroy {
            levels.reverse();
        }
        Ok(Self {
            runner: stacks.runner()?,
            stacks,
            graph,
            how,
            selected: chosen,
            levels: levels.into_iter(),
            pending: Vec::new(),
            unwritten: Vec::new(),
            waiting: None,
            failed: BTreeSet::new(),
            rows: Vec::new(),
            failures: Vec::new(),
            asked: None,
            first: None,
        })
    }

    /// Plans the next level, all of it before any of it is applied; none where all are done. The level
    /// before is over: where it was not carried out it was left alone, with all that reads from it.
    ///
    /// Where the last apply of stacks could not write their states, these come first, as a level of their
    /// own: a plan is made on a state that has all that is there.
    #[expect(
        clippy::should_implement_trait,
        reason = "a level borrows what is applied, and can fail"
    )]
    pub fn next(&mut self) -> Result<Option<Level<'_, 'a>>> {
        let _entered = self.stacks.workspace.around.enter()?;
        self.leave();
        let ready = if let Some(ready) = self.waiting.take() {
            ready
        } else {
            let Some(addresses) = self.levels.next() else {
                return Ok(None);
            };
            let ready = self.part_unwritten(addresses)?;
            if !self.unwritten.is_empty() {
                self.waiting = Some(ready);
                return Ok(Some(Level::new(self, Vec::new())));
            }
            ready
        };
        let (around, runner, how) = (self.stacks.workspace.around, &self.runner, &self.how);
        self.pending = threads::each(how.bounds.threads(), ready, |mut ready| {
            around.doing(Doing::Planning {
                stack: &ready.address.to_string(),
            });
            let planned = fresh(runner, &mut ready, how)
                .map_err(|error| runner.explain(&ready.address, error));
            Pending::of(ready, planned)
        });
        around.progress_done();
        let proposals = self.pending.iter().filter_map(Pending::proposal).collect();
        Ok(Some(Level::new(self, proposals)))
    }

    /// The stacks of a level that there is something to do for, without those whose states are not written.
    fn part_unwritten(&mut self, addresses: Vec<Address>) -> Result<Vec<Ready>> {
        self.failed.extend(addresses.iter().cloned());
        let mut written = Vec::new();
        for address in addresses {
            if let Some(ready) = self.prepare(&address)? {
                match self.runner.unwritten(&ready)? {
                    None => written.push(ready),
                    Some(unwritten) => self.unwritten.push((ready, unwritten)),
                }
            }
        }
        Ok(written)
    }

    /// What became of everything so far.
    pub fn outcome(self) -> Outcome {
        self.end().0
    }

    /// What became of everything so far, and the stacks with what they give now.
    pub fn end(mut self) -> (Outcome, Stacks<'a>) {
        self.leave();
        let changed = self.rows.iter().filter(|row| row.outputs_changed);
        let stale = changed
            .map(|row| Stale {
                stack: row.stack.clone(),
                readers: self.readers(&row.stack),
            })
            .filter(|stale| !stale.readers.is_empty())
            .collect();
        let outcome = Outcome {
            stacks: self.rows,
            stale,
            failures: self.failures,
        };
        if let Some(first) = self.first {
            return (first, self.stacks);
        }
        if let Some(asked) = self.asked
            && self.levels.len() == 0
        {
            asked.end(&outcome);
        }
        (outcome, self.stacks)
    }

    /// Stacks that read from one and were not selected.
    fn readers(&self, stack: &str) -> Vec<String> {
        let others = self
            .graph
            .iter()
            .filter(|(reader, _)| !self.selected.contains(reader));
        others
            .filter(|(_, reads)| reads.iter().any(|read| read.to_string() == stack))
            .map(|(reader, _)| reader.to_string())
            .collect()
    }

    /// The stack that failed for which another is not tried: one that it reads, or, where they are destroyed,
    /// one that reads it and would be left without.
    fn waits_for(&self, address: &Address) -> Option<String> {
        if self.how.destroy {
            let mut readers = self.graph.iter();
            return readers
                .find(|(reader, reads)| self.failed.contains(*reader) && reads.contains(address))
                .map(|(reader, _)| format!("it is read by `{reader}`"));
        }
        let mut reads = self.graph.reads(address);
        reads
            .find(|read| self.failed.contains(*read))
            .map(|read| format!("it reads `{read}`"))
    }

    /// A stack that there is something to do for; what is said of others, is said.
    fn prepare(&mut self, address: &Address) -> Result<Option<Ready>> {
        let stack = self.stacks.get(address)?;
        if let Some(why) = self.waits_for(address) {
            let error = Error::refused(format!("`{address}` was not tried: {why}, which failed"));
            self.failures.push(error);
            return Ok(None);
        }
        let state = match self.stacks.root(stack)? {
            Err(Blocked::Stated) => Standing::Stated,
            Err(blocked) => {
                self.failures.push(blocked_error(address, &blocked));
                return Ok(None);
            }
            Ok(root) => {
                let known = stack.outputs.as_ref().map(|outputs| &outputs.inputs);
                if known != Some(&root.digest) || self.how.destroy || self.how.force {
                    return self.stacks.ready(address, root).map(Some);
                }
                Standing::Unchanged
            }
        };
        self.failed.remove(address);
        self.rows.push(Row {
            stack: address.to_string(),
            state,
            changes: None,
            serial: None,
            outputs_changed: false,
        });
        Ok(None)
    }

    /// Ends a level of which nothing is carried out.
    fn leave(&mut self) {
        self.unwritten.clear();
        let failed = mem::take(&mut self.pending)
            .into_iter()
            .filter_map(|pending| pending.planned.err());
        self.failures.extend(failed);
    }

    /// Puts states into their back ends that the last apply could not write, where that was agreed to.
    fn recover(&mut self, consent: &Consent, refused: &mut BTreeMap<String, Error>) {
        let mut agreed = Vec::new();
        for (ready, unwritten) in mem::take(&mut self.unwritten) {
            let refused = refused.remove(&ready.address.to_string());
            let needs = Needs::from_iter([unwritten.need(&ready.address)]);
            match refused.map_or_else(|| needs.met_by(consent), Err) {
                Ok(()) => agreed.push((ready, unwritten)),
                Err(error) => self.failures.push(error),
            }
        }
        let runner = &self.runner;
        let threads = self.how.bounds.threads();
        let recovered = threads::each(threads, agreed, |(mut ready, unwritten)| {
            let recovered = runner
                .recover(&mut ready, &unwritten)
                .map_err(|error| runner.explain(&ready.address, error));
            (ready, recovered)
        });
        let waiting = self.waiting.get_or_insert_default();
        for (ready, recovered) in recovered {
            match recovered {
                Ok(()) => waiting.push(ready),
                Err(error) => self.failures.push(error),
            }
        }
        waiting.sort_by(|one, other| one.address.cmp(&other.address));
    }

    /// Applies what was agreed to of the level that is at hand.
    fn carry_out(&mut self, consent: &Consent, mut refused: BTreeMap<String, Error>) {
        if !self.unwritten.is_empty() {
            return self.recover(consent, &mut refused);
        }
        let mut agreed = Vec::new();
        for Pending {
            ready,
            planned,
            need,
        } in mem::take(&mut self.pending)
        {
            let refused = refused.remove(&ready.address.to_string());
            let planned = planned.and_then(|planned| {
                refused.map_or_else(|| Needs::from_iter(need).met_by(consent), Err)?;
                Ok(planned)
            });
            match planned {
                Ok(planned) => agreed.push((ready, planned)),
                Err(error) => self.failures.push(error),
            }
        }
        let (around, runner, how) = (self.stacks.workspace.around, &self.runner, &self.how);
        let applied = threads::each(how.bounds.threads(), agreed, |(mut ready, planned)| {
            around.doing(Doing::Applying {
                stack: &ready.address.to_string(),
            });
            let head = runner
                .pin(&mut ready)
                .and_then(|()| runner.apply(&planned, &ready, how.limit))
                .map_err(|error| runner.explain(&ready.address, error));
            (ready, planned, head)
        });
        around.progress_done();
        for (ready, planned, head) in applied {
            match self.keep(&ready, &planned, head) {
                Ok(row) => {
                    self.failed.remove(&ready.address);
                    self.rows.push(row);
                }
                Err(error) => self.failures.push(error),
            }
        }
    }

    /// Keeps what an apply gave.
    fn keep(&mut self, ready: &Ready, planned: &Planned, head: Result<Head>) -> Result<Row> {
        let address = &ready.address;
        let head = head?;
        let serial = head.serial;
        let destroys = self.how.destroy;
        let outputs_changed = if destroys {
            self.stacks.remove_outputs(address)?;
            true
        } else {
            self.stacks
                .write_outputs(address, head, ready.root.digest.clone())?
        };
        let changes = planned.record.changes.clone();
        Ok(Row {
            stack: address.to_string(),
            state: match (destroys, changes.is_empty()) {
                (true, _) => Standing::Destroyed,
                (false, true) => Standing::NoChanges,
                (false, false) => Standing::Applied,
            },
            changes: Some(changes),
            serial: Some(serial),
            outputs_changed,
        })
    }
}

/// Stacks that can be applied together, with their plans.
pub struct Level<'l, 'a> {
    apply: &'l mut Apply<'a>,
    proposals: Vec<Proposal>,
    needs: Needs,
    refused: BTreeMap<String, Error>,
}

/// A plan that must be agreed to before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// The stack's address.
    pub stack: String,
    /// What it changes.
    pub changes: Changes,
    /// What must be agreed to.
    pub need: Need,
}

impl<'l, 'a> Level<'l, 'a> {
    fn new(apply: &'l mut Apply<'a>, proposals: Vec<Proposal>) -> Self {
        let unwritten = apply.unwritten.iter();
        let recoveries = unwritten.map(|(ready, unwritten)| unwritten.need(&ready.address));
        let plans = proposals.iter().map(|proposal| proposal.need.clone());
        Self {
            needs: recoveries.chain(plans).collect(),
            apply,
            proposals,
            refused: BTreeMap::new(),
        }
    }

    /// What must be agreed to: plans that no one has seen, and whatever loses what is there. A level of
    /// states that the last apply could not write needs [`Need::Recover`], and has no proposals.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What must be agreed to, stack by stack in their order, with all that each plan changes.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// Leaves a stack out, and says why it failed. One that the consent does not cover is left out, too.
    pub fn refuse(&mut self, stack: &str, why: Error) {
        self.refused.insert(stack.to_owned(), why);
    }

    /// Applies the stacks of which everything was agreed to. Each of the others fails alone, and what reads
    /// from it is not tried. An error is a consent that does not name what was agreed to: nothing is applied
    /// then.
    pub fn carry_out(self, consent: &Consent) -> Result<()> {
        let _entered = self.apply.stacks.workspace.around.enter()?;
        Needs::default().met_by(consent)?;
        self.apply.carry_out(consent, self.refused);
        Ok(())
    }
}

impl Proposal {
    /// Tells what the plan would change, in notes.
    pub fn tell(&self, around: &Around) {
        around.note(&format!("{}: {}", self.stack, self.changes.counts()));
        for line in self.changes.lines() {
            around.note(&format!("  {line}"));
        }
    }
}

impl Pending {
    /// A stack with its plan, and whether that was kept and so was seen.
    fn of(ready: Ready, planned: Result<(Planned, bool)>) -> Self {
        let (planned, need) = match planned {
            Ok((planned, is_kept)) => {
                let need = need(&ready.address, &planned.record.changes, is_kept);
                (Ok(planned), need)
            }
            Err(error) => (Err(error), None),
        };
        Self {
            ready,
            planned,
            need,
        }
    }

    fn proposal(&self) -> Option<Proposal> {
        Some(Proposal {
            stack: self.ready.address.to_string(),
            changes: self.planned.as_ref().ok()?.record.changes.clone(),
            need: self.need.clone()?,
        })
    }
}

/// What must be agreed to before a plan is carried out.
fn need(address: &Address, changes: &Changes, is_kept: bool) -> Option<Need> {
    if changes.is_empty() {
        return None;
    }
    let objects: Vec<String> = changes
        .losses()
        .map(|change| change.address.clone())
        .collect();
    if !objects.is_empty() {
        return Some(Need::Destroys {
            stack: address.to_string(),
            objects,
        });
    }
    (!is_kept).then(|| Need::Apply {
        stack: address.to_string(),
        changes: changes.lines().collect(),
    })
}

/// The plan that is kept, where it is fresh, else a new one; whether it was kept.
fn fresh(runner: &Runner, ready: &mut Ready, how: &How) -> Result<(Planned, bool)> {
    let work = match Planned::kept(runner.open(ready)?) {
        Ok(planned) if planned.record.destroy == how.destroy => {
            runner.must_be_fresh(&planned, ready)?;
            return Ok((planned, true));
        }
        Ok(planned) => planned.work,
        Err(work) => work,
    };
    let options = Options {
        destroy: how.destroy,
        refresh_only: false,
        lock_timeout: how.bounds.lock_timeout,
    };
    Ok((runner.plan_in(work, ready, &options)?, false))
}

/// Refuses to destroy what others still read.
fn must_be_last(stacks: &Stacks<'_>, graph: &Graph, chosen: &BTreeSet<Address>) -> Result<()> {
    let mut readers: BTreeMap<&Address, Vec<String>> = BTreeMap::new();
    for (reader, reads) in graph.iter() {
        let is_there = stacks.get(reader)?.outputs.is_some();
        for read in reads {
            if is_there && chosen.contains(read) && !chosen.contains(reader) {
                readers.entry(read).or_default().push(format!("`{reader}`"));
            }
        }
    }
    match readers.first_key_value() {
        None => Ok(()),
        Some((read, readers)) => Err(Error::refused(format!(
            "`{read}` is read by {}, which would be left",
            readers.join(", ")
        ))
        .hint("destroy these first, or select them too")),
    }
}

#[cfg(test)]
mod tests;
