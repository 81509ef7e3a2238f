//! Three operators, two clusters, and what happens between them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

use grove_fleet::Address;
use grove_operations::{
    Around, Branches, Checker, Clock, Error, Instead, Kind, Result, Token,
    consent::{Consent, Need, Needs},
    deploy,
    fleet::selection::Selection,
    release::{freeze, hold, init, rollback},
    request::Target,
    shared,
};
use grove_release::{
    Author, DeployBranch, Id, RequestId,
    memory::{Audit, Fault, MemoryRemote, Random, Step},
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Handle;

use crate::{
    fleet::{CLUSTERS, Copy, Fleet, addresses},
    renderer::{Plain, TASK},
    request::{Plan, Request},
    trace::Trace,
};

/// How many steps one world has: what a remote in memory was told stays in memory.
pub(crate) const STEPS: u32 = 400;
/// How many plans someone has at most.
const PLANS: usize = 5;
/// How many operators there are.
const OPERATORS: usize = 3;

/// How often what happened.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Where what is around each plan lies, for as long as the world is there.
pub(crate) type Arena = [OnceLock<Around>];

/// A clock that moves when it is told to.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).expect("a time of this century")
    }
}

/// Opens the branches of the remote in memory.
struct Remote(MemoryRemote);

impl Branches for Remote {
    fn open(&self, cluster: &str) -> Result<DeployBranch> {
        Ok(DeployBranch::open_in_memory(&self.0, cluster)?)
    }
}

/// Someone who works on the fleet.
struct Operator<'a> {
    /// The fleet as this one saw it last.
    copy: Copy,
    /// Plans that are not carried out yet, the oldest first.
    plans: VecDeque<Kept<'a>>,
}

/// A plan that waits.
struct Kept<'a> {
    request: RequestId,
    token: Token,
    /// The clusters on which the request was carried out before it was planned.
    known: BTreeSet<&'static str>,
    plan: Plan<'a>,
}

/// What is known of a request.
pub(crate) struct Sent {
    pub(crate) request: Request,
    /// Who planned it, as `Name <address>`.
    pub(crate) authors: BTreeSet<String>,
    /// How often it was carried out.
    pub(crate) times: u32,
    /// The fleets with which it was planned.
    pub(crate) fleets: Vec<Arc<Fleet>>,
    /// What its plans needed.
    pub(crate) needed: Vec<Needs>,
    /// What was agreed to.
    pub(crate) agreed: Vec<Needs>,
    /// What the first outcome said of each instance that its commit changed.
    pub(crate) said: BTreeMap<String, Value>,
}

pub(crate) struct World<'a> {
    pub(crate) random: Random,
    pub(crate) trace: Trace,
    pub(crate) counts: Counts,
    pub(crate) remote: MemoryRemote,
    audits: BTreeMap<&'static str, Audit>,
    /// What each request did on each cluster.
    pub(crate) landed: BTreeMap<(RequestId, &'static str), Step>,
    pub(crate) sent: BTreeMap<RequestId, Sent>,
    /// The reason of each hold by hand.
    pub(crate) holds: BTreeMap<Address, String>,
    clock: Arc<Hand>,
    fleet: Fleet,
    /// The fleet as it is; none since it was edited.
    copy: Option<Copy>,
    operators: Vec<Operator<'a>>,
    arena: &'a Arena,
    used: usize,
    base: Around,
}

impl<'a> World<'a> {
    pub(crate) fn new(seed: u64, arena: &'a Arena, runtime: &Handle) -> Self {
        let remote = MemoryRemote::new("simulation");
        let clock = Arc::new(Hand(AtomicI64::new(1_767_323_045)));
        let nowhere = Path::new("/nonexistent");
        let fleet = Fleet::new();
        let copy = fleet.copy();
        let mut base = Around::new(nowhere, nowhere, nowhere, Timestamp::UNIX_EPOCH);
        base.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        base.runtime = Some(runtime.clone());
        base.instead = Instead {
            files: None,
            checker: None,
            branches: Some(Arc::new(Remote(remote.clone()))),
            renderer: Some(Arc::new(Plain)),
        };
        let audit = |cluster| Audit::new(&remote, cluster).expect("the remote is empty");
        Self {
            random: Random::new(seed),
            trace: Trace::new(seed),
            counts: Counts::new(),
            audits: CLUSTERS.map(|cluster| (cluster, audit(cluster))).into(),
            remote,
            landed: BTreeMap::new(),
            sent: BTreeMap::new(),
            holds: BTreeMap::new(),
            clock,
            operators: (0..OPERATORS)
                .map(|_| Operator {
                    copy: copy.clone(),
                    plans: VecDeque::new(),
                })
                .collect(),
            fleet,
            copy: Some(copy),
            arena,
            used: 0,
            base,
        }
    }

    /// Counts what happened.
    pub(crate) fn count(&mut self, what: &str) {
        match self.counts.get_mut(what) {
            Some(times) => *times += 1,
            None => {
                self.counts.insert(what.to_owned(), 1);
            }
        }
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(end as u64)).unwrap_or(0)
    }

    /// One thing that someone does.
    pub(crate) fn step(&mut self) {
        self.trace.next();
        let operator = self.index(OPERATORS);
        match self.random.below(40) {
            0..4 => {
                let what = self.fleet.edit(&mut self.random);
                self.copy = None;
                self.trace.say(&format!("the fleet: {what}"));
            }
            4..7 => {
                let copy = self.copy.get_or_insert_with(|| self.fleet.copy());
                self.operators[operator].copy = copy.clone();
                self.trace.say(&format!("{operator} pulls"));
            }
            7..11 => self.inject(),
            11 => {
                let arrived = self.remote.arrive().len();
                self.trace.say(&format!("{arrived} late pushes land"));
                for _ in 0..arrived {
                    self.count("landed late");
                }
            }
            12..16 => self.wait(),
            16 => {
                let plans = std::mem::take(&mut self.operators[operator].plans);
                self.trace
                    .say(&format!("{operator} is killed with {} plans", plans.len()));
                for _ in &plans {
                    self.count("killed");
                }
            }
            17..29 if !self.operators[operator].plans.is_empty() => self.carry_out(operator),
            _ => self.plan(operator),
        }
        self.look();
    }

    fn wait(&mut self) {
        let limit = if self.random.one_in(4) { 7200 } else { 90 };
        let seconds = i64::try_from(self.random.below(limit)).unwrap_or(0);
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
        self.trace.say(&format!("{seconds} seconds go by"));
    }

    fn inject(&mut self) {
        let fault = match self.random.below(7) {
            0 => Fault::FetchFails,
            1 => Fault::PushLost,
            2 => Fault::AnswerLost,
            3 => Fault::Late { overtakes: true },
            4 => Fault::Late { overtakes: false },
            5 => {
                // Lost with its answer, and nobody can be asked.
                self.remote.inject(Fault::AnswerLost);
                Fault::FetchFails
            }
            _ => {
                if self.random.one_in(8) {
                    for _ in 0..12 {
                        self.remote.inject(Fault::TurnedAway);
                    }
                }
                Fault::TurnedAway
            }
        };
        self.trace.say(&format!("to come: {fault:?}"));
        self.remote.inject(fault);
    }

    /// Someone plans something: something new, or what was sent before.
    fn plan(&mut self, operator: usize) {
        let request = self.any_request();
        let Some(place) = self.arena.get(self.used) else {
            return;
        };
        let token = Token::new();
        let author = Author {
            name: format!("Operator {operator}"),
            email: format!("{operator}@acme.example"),
        };
        let copy = &self.operators[operator].copy;
        let mut own = self.base.clone();
        own.instead.files = Some(Arc::clone(&copy.files));
        own.instead.checker = Some(Arc::clone(&copy.checker) as Arc<dyn Checker>);
        own.author = Some(author.clone());
        own.token = token.clone();
        let around: &'a Around = place.get_or_init(|| own);
        self.used += 1;
        let id = request.id().clone();
        let fleet = Arc::clone(&copy.fleet);
        let tips = self.tips();
        let planned = request.plan(around);
        assert_eq!(tips, self.tips(), "a plan wrote something");
        let verb = request.verb();
        let sent = self.sent.entry(id.clone()).or_insert_with(|| Sent {
            request,
            authors: BTreeSet::new(),
            times: 0,
            fleets: Vec::new(),
            needed: Vec::new(),
            agreed: Vec::new(),
            said: BTreeMap::new(),
        });
        if !sent.fleets.iter().any(|known| Arc::ptr_eq(known, &fleet)) {
            sent.fleets.push(fleet);
        }
        sent.authors.insert(author.to_string());
        let landed = self.landed.keys().filter(|(landed, _)| *landed == id);
        let known = landed.map(|(_, cluster)| *cluster).collect();
        match planned {
            Ok(plan) => {
                self.trace
                    .say(&format!("{operator} plans {:?}", sent.request));
                if !sent.needed.contains(plan.needs()) {
                    sent.needed.push(plan.needs().clone());
                }
                let plans = &mut self.operators[operator].plans;
                plans.push_back(Kept {
                    request: id,
                    token,
                    known,
                    plan,
                });
                if plans.len() > PLANS {
                    plans.pop_front();
                    self.count("dropped");
                }
            }
            Err(error) => {
                self.trace.say(&format!(
                    "{operator} cannot plan {:?}: {error}",
                    sent.request
                ));
                assert!(
                    matches!(error.kind, Kind::Usage | Kind::Refused | Kind::Tool),
                    "{error:?}"
                );
                self.count(&format!("no plan: {verb}: {:?}", error.kind));
            }
        }
    }

    /// A new request, or one of those before.
    fn any_request(&mut self) -> Request {
        let known: Vec<&RequestId> = self.sent.keys().rev().take(12).collect();
        if self.random.one_in(3)
            && let Some(id) = self.random.pick(&known)
        {
            return self.sent[*id].request.clone();
        }
        // In the order of names, the newest stands last.
        let id: RequestId = format!("r-{:07}", self.sent.len()).parse().expect("a name");
        self.new_request(Some(id))
    }

    fn new_request(&mut self, id: Option<RequestId>) -> Request {
        let wait = self.random.one_in(12).then_some(0);
        let verb = self.random.below(28);
        let reason = || id.as_ref().map(ToString::to_string).unwrap_or_default();
        match verb {
            0..9 => Request::Deploy(deploy::request::Request {
                id,
                local: true,
                wait,
                ..deploy::request::Request::new(self.target())
            }),
            9..13 => {
                // Where a rollback is held, another one that says neither is refused.
                let (to, from) = (!self.random.one_in(4), self.random.one_in(10));
                Request::Rollback(rollback::Request {
                    id,
                    revision: None,
                    instance: self.address().to_string(),
                    from: from.then(|| 1 + u32::try_from(self.random.below(6)).unwrap_or(0)),
                    to: to.then(|| 1 + u32::try_from(self.random.below(4)).unwrap_or(0)),
                    message: None,
                    wait,
                })
            }
            13..17 => Request::Hold(hold::Request {
                change: match verb {
                    13 | 14 => hold::Change::Hold { reason: reason() },
                    _ => hold::Change::Unhold,
                },
                id,
                target: self.target(),
            }),
            17..21 => Request::Freeze(freeze::Request {
                change: match verb {
                    17 | 18 => freeze::Change::Freeze {
                        seconds: 60 + u32::try_from(self.random.below(3600)).unwrap_or(0),
                        reason: reason(),
                    },
                    _ => freeze::Change::Unfreeze,
                },
                id,
                target: self.target(),
            }),
            21 | 22 => Request::Init(init::Request {
                id,
                target: self.target(),
                task: TASK.to_owned(),
                change: match verb {
                    21 => init::Change::Retry,
                    _ => init::Change::Skip,
                },
                message: None,
                wait,
            }),
            23..26 => Request::ClusterDeploy(shared::deploy::Request {
                id,
                cluster: self.cluster().to_owned(),
                revision: None,
                message: None,
                local: true,
                allow_older: false,
                remove: Vec::new(),
                create_remote: false,
                unhold: self.random.one_in(3),
                wait,
            }),
            _ => Request::ClusterRollback(shared::rollback::Request {
                id,
                cluster: self.cluster().to_owned(),
                revision: None,
                from: None,
                to: None,
                message: None,
                wait,
            }),
        }
    }

    fn cluster(&mut self) -> &'static str {
        let index = self.index(CLUSTERS.len());
        CLUSTERS[index]
    }

    fn address(&mut self) -> Address {
        let addresses = addresses();
        let index = self.index(addresses.len());
        addresses[index].clone()
    }

    /// One instance, those of a cluster, or all of them.
    fn target(&mut self) -> Target {
        match self.random.below(10) {
            0..6 => Target::of(&self.address().to_string()),
            6..8 => Target::of(self.cluster()),
            _ => Target {
                selection: Selection {
                    all: true,
                    ..Selection::default()
                },
                ..Target::default()
            },
        }
    }

    /// Someone carries out one of the plans that were made before.
    fn carry_out(&mut self, operator: usize) {
        let index = self.index(self.operators[operator].plans.len());
        let Some(kept) = self.operators[operator].plans.remove(index) else {
            return;
        };
        let id = kept.request.clone();
        let needs = kept.plan.needs().clone();
        let consent = self.consent(&id, &needs);
        let is_agreed = is_within(&needs, &consent);
        let is_ended = self.random.one_in(25);
        if is_ended {
            kept.token.end();
        }
        let sent = self.sent.get_mut(&id).expect("it was planned");
        sent.times += 1;
        let verb = sent.request.verb();
        sent.agreed.push(consent.clone());
        let is_behind = self
            .landed
            .keys()
            .any(|(landed, cluster)| *landed == id && !kept.known.contains(cluster));
        if is_behind {
            self.count("carried out since it was planned");
        }
        let before = self.tips();
        self.trace.say(&format!(
            "{operator} carries out {id}, agreed: {is_agreed}, ended: {is_ended}"
        ));
        let result = kept.plan.carry_out(&Consent::to(consent));
        let after = self.tips();
        self.trace.add(&match &result {
            Ok(outcome) => outcome.to_string(),
            Err(error) => error.to_string(),
        });
        self.look();
        let failure = match &result {
            Ok(outcome) => failure(outcome),
            Err(error) => Some(error.clone()),
        };
        if !is_agreed {
            assert!(result.is_err(), "{id}: nobody agreed to {needs:?}");
            // What was ended looks at nothing more.
            let kind = if is_ended { Kind::Ended } else { Kind::Refused };
            assert_eq!(failure.as_ref().map(|error| error.kind), Some(kind));
        }
        if !is_agreed || is_ended {
            assert_eq!(before, after, "{id}: it was refused or ended, and wrote");
            if is_ended {
                self.count("ended");
            }
            if !is_agreed {
                self.count(&format!("not agreed: {verb}"));
            }
        }
        if !needs.is_empty() && is_agreed && failure.is_none() {
            self.count("agreed");
        }
        if let Some(failure) = &failure {
            let kinds = [Kind::Usage, Kind::Refused, Kind::Tool, Kind::Ended];
            assert!(kinds.contains(&failure.kind), "{id}: {failure:?}");
            assert!(is_ended || failure.kind != Kind::Ended, "{id}: {failure:?}");
            self.count(&format!("failed: {verb}: {:?}", failure.kind));
            self.refused(&id, failure);
        } else {
            self.count(&format!("done: {verb}"));
        }
        if let Ok(outcome) = &result {
            self.outcome(&id, outcome, &kept.known);
        }
    }

    /// What is agreed to of a plan: all of it, nothing, or what another plan needed.
    fn consent(&mut self, id: &RequestId, needs: &Needs) -> Needs {
        match self.random.below(8) {
            0 | 1 => Needs::default(),
            2 => {
                let needed = &self.sent[id].needed;
                self.random.pick(needed).cloned().unwrap_or_default()
            }
            _ => needs.clone(),
        }
    }

    /// The newest commit of each branch.
    fn tips(&self) -> [Option<Id>; CLUSTERS.len()] {
        CLUSTERS.map(|cluster| self.remote.tip(cluster))
    }

    /// Compares what came with what was asked for.
    pub(crate) fn look(&mut self) {
        for cluster in CLUSTERS {
            let audit = self
                .audits
                .get_mut(cluster)
                .expect("there is one a cluster");
            for step in audit
                .look()
                .unwrap_or_else(|error| panic!("{cluster}: {error}"))
            {
                self.landed(cluster, step);
            }
        }
    }

    /// What the clusters' branches are at, and how often what happened.
    pub(crate) fn end(mut self) -> ([Option<Id>; CLUSTERS.len()], Counts) {
        self.remote.arrive();
        self.look();
        (self.tips(), std::mem::take(&mut self.counts))
    }
}

/// Why a part of an operation failed whose outcome says the rest.
fn failure(outcome: &Value) -> Option<Error> {
    let failure = outcome.get("failure")?.clone();
    serde_json::from_value(failure).expect("a failure is an error")
}

/// Whether what is needed is within what was agreed to, by a rule of our own.
fn is_within(needs: &Needs, agreed: &Needs) -> bool {
    let parts = |need: &Need| -> (String, Vec<String>) {
        match need.clone() {
            Need::Instances { instances } => (String::new(), instances),
            Need::Deletions { of, objects, .. } => (of, objects),
            Need::DataRisk {
                instance, marks, ..
            } => (instance, marks),
            Need::FirstRelease { cluster, .. } => (cluster, Vec::new()),
            other => panic!("no operation here needs {other:?}"),
        }
    };
    needs.iter().all(|need| {
        let (of, parts_needed) = parts(need);
        agreed.iter().any(|agreed| {
            let is_same_sort = std::mem::discriminant(agreed) == std::mem::discriminant(need);
            let (same, all) = parts(agreed);
            is_same_sort && same == of && parts_needed.iter().all(|part| all.contains(part))
        })
    })
}
