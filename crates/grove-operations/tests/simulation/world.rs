//! Three operators, two clusters, and what happens between them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use grove_fleet::Address;
use grove_operations::{
    Around, Branches, Clock, Error, Event, Instead, Kind, Listener, Result, Token,
    consent::{Consent, Need, Needs},
    deploy::{self, state},
    fleet::selection::Selection,
    jobs::run,
    release::{freeze, hold, init, rollback},
    request::Target,
    secrets::{remove, rotate, set},
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
    cluster::{self, Servers},
    fleet::{CLUSTERS, Fleet, addresses},
    renderer::{Plain, TASK},
    repository::{Checkout, Repository, Trouble},
    request::{Plan, Request},
    trace::Trace,
    vault::{PASSWORD, Vault},
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

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed).unsigned_abs())
    }
}

/// Hears that something stands which the deploy branch does not say.
#[derive(Default)]
struct Warned(AtomicBool);

impl Listener for Warned {
    fn hear(&self, event: &Event<'_>) {
        if matches!(event, Event::Warning { text } if text.contains("is not recorded")) {
            self.0.store(true, Ordering::Relaxed);
        }
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
    /// The commit of the fleet that this one pulled last.
    at: usize,
    /// Plans that are not carried out yet, the oldest first.
    plans: VecDeque<Kept<'a>>,
}

/// A plan that waits.
struct Kept<'a> {
    request: RequestId,
    token: Token,
    warned: Arc<Warned>,
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

/// A Job that a request made.
pub(crate) struct Job {
    pub(crate) request: RequestId,
    pub(crate) exit_code: i32,
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
    repository: Arc<Repository>,
    pub(crate) vault: Vault,
    servers: Servers,
    /// Every Job that was made, by its cluster and name.
    pub(crate) jobs: BTreeMap<(String, String), Job>,
    /// What each request made, by cluster, namespace and what it is for.
    once: BTreeSet<(RequestId, String, String, String)>,
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
        let servers = Servers::default();
        let (vault, files) = Vault::new();
        let repository = Arc::new(Repository::new(Fleet::new(), &files));
        let mut base = Around::new(nowhere, nowhere, nowhere, Timestamp::UNIX_EPOCH);
        // Nothing is kept there of requests: the branches say what was carried out.
        base.cache = Some("/dev/null".into());
        base.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        base.runtime = Some(runtime.clone());
        base.instead = Instead {
            checker: Some(Arc::clone(&repository) as Arc<_>),
            branches: Some(Arc::new(Remote(remote.clone()))),
            renderer: Some(Arc::new(Plain)),
            clusters: Some(Arc::new(servers.clone())),
            files: None,
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
                    at: 0,
                    plans: VecDeque::new(),
                })
                .collect(),
            repository,
            vault,
            servers,
            jobs: BTreeMap::new(),
            once: BTreeSet::new(),
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
        match self.random.below(41) {
            0..4 => {
                let mut fleet = (*self.repository.head().fleet).clone();
                let what = fleet.edit(&mut self.random);
                let is_merged = self.repository.merge(fleet);
                self.trace
                    .say(&format!("the fleet: {what}, merged: {is_merged}"));
            }
            4..7 => {
                self.operators[operator].at = self.repository.upstream();
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
            40 => {
                let files = self.repository.commit_secrets();
                self.trace
                    .say(&format!("{files} files of secrets are committed"));
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
        let at = self.operators[operator].at;
        let is_of_files = request.is_of_files();
        let mut own = self.base.clone();
        own.instead.files = Some(Arc::new(Checkout {
            repository: Arc::clone(&self.repository),
            at: (!is_of_files).then_some(at),
        }));
        own.author = Some(author.clone());
        own.token = token.clone();
        let warned = Arc::new(Warned::default());
        own.listener = Arc::clone(&warned) as Arc<_>;
        let around: &'a Around = place.get_or_init(|| own);
        self.used += 1;
        let id = request.id().clone();
        let fleet = if is_of_files {
            self.repository.head().fleet
        } else {
            self.repository.fleet(at)
        };
        let tips = self.tips();
        let planned = request.plan(around);
        assert_eq!(tips, self.tips(), "a plan wrote something");
        assert!(
            self.repository.written().is_empty(),
            "a plan wrote something"
        );
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
                    warned,
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
                    matches!(
                        error.kind,
                        Kind::No | Kind::Usage | Kind::Refused | Kind::Tool
                    ),
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
        let verb = self.random.below(50);
        let reason = || id.as_ref().map(ToString::to_string).unwrap_or_default();
        match verb {
            0..9 => Request::Deploy(deploy::request::Request {
                id,
                local: self.random.one_in(4),
                allow_older: self.random.one_in(3),
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
            21 | 22 | 47 | 48 => Request::Init(init::Request {
                id,
                target: self.target(),
                task: TASK.to_owned(),
                change: match verb {
                    21 | 47 => init::Change::Retry,
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
                local: self.random.one_in(4),
                allow_older: self.random.one_in(3),
                remove: Vec::new(),
                create_remote: false,
                unhold: self.random.one_in(3),
                wait,
            }),
            28..31 => Request::Deploy(deploy::request::Request {
                id,
                only: Some(deploy::request::Only::Operational),
                wait,
                ..deploy::request::Request::new(self.target())
            }),
            31..36 => Request::State(state::Request {
                id,
                target: self.target(),
                change: match verb {
                    31 | 32 => state::Change::Stop,
                    33 => state::Change::Maintenance,
                    _ => state::Change::Start,
                },
                message: None,
                wait,
            }),
            36..40 => Request::Set(set::Request {
                id,
                owner: self.owner(),
                name: self.secret().to_owned(),
                cluster_only: false,
            }),
            40 => Request::Remove(remove::Request {
                id,
                owner: self.owner(),
                name: self.secret().to_owned(),
                cluster_only: false,
            }),
            41..44 => Request::Rotate(rotate::Request {
                id,
                target: self.target(),
                step: match verb {
                    41 => rotate::Step::Finish {
                        names: Vec::new(),
                        wait: None,
                    },
                    _ => rotate::Step::Begin {
                        names: vec![PASSWORD.to_owned()],
                    },
                },
            }),
            44..47 => Request::Run(run::Request {
                id,
                ..run::Request::new(self.target(), "lms", vec!["./manage.py".to_owned()])
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

    /// Whose secret.
    fn owner(&mut self) -> String {
        if self.random.one_in(8) {
            return self.cluster().to_owned();
        }
        self.address().to_string()
    }

    /// Which secret.
    fn secret(&mut self) -> &'static str {
        let names = [PASSWORD, PASSWORD, "SHOP_TOKEN", "SHOP_SECRET"];
        names[self.index(names.len())]
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
        sent.agreed.push(consent.clone());
        let request = sent.request.clone();
        let verb = request.verb();
        let is_behind = self
            .landed
            .keys()
            .any(|(landed, cluster)| *landed == id && !kept.known.contains(cluster));
        if is_behind {
            self.count("carried out since it was planned");
        }
        let is_of_files = request.is_of_files();
        let trouble = self.trouble().filter(|_| is_of_files);
        let before = self.tips();
        self.trace.say(&format!(
            "{operator} carries out {id}, agreed: {is_agreed}, ended: {is_ended}, {trouble:?}"
        ));
        self.repository.arm(trouble);
        let salt = u32::try_from(self.random.below(3)).unwrap_or(0);
        let fault = match self.random.below(6) {
            0 => Some((cluster::Fault::Lost, salt)),
            1 => Some((cluster::Fault::AnswerLost, salt)),
            _ => None,
        };
        self.servers.arm(fault);
        let result = kept.plan.carry_out(&Consent::to(consent));
        let is_killed = self.repository.was_killed();
        self.repository.arm(None);
        let after = self.tips();
        let written = self.repository.written();
        if !is_agreed || is_ended {
            assert!(
                written.is_empty(),
                "{id}: it was refused or ended, and wrote"
            );
        }
        self.wrote(&id, written);
        let is_allowed = is_agreed && !is_ended && matches!(request, Request::Run(_));
        for made in self.servers.made() {
            assert!(is_allowed, "{id}: {made:?}");
            self.made(&id, made);
        }
        if let Request::State(_) = request {
            // What is deployed is what was just committed.
            let fleet = self.repository.head().fleet;
            let sent = self.sent.get_mut(&id).expect("it was planned");
            sent.fleets.push(fleet);
        }
        self.trace.add(&match &result {
            Ok(outcome) => outcome.to_string(),
            Err(error) => error.to_string(),
        });
        self.look();
        if is_killed {
            // Nobody heard what became of it.
            self.count(&format!("killed: {verb}"));
            return;
        }
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
            let is_recorded = !kept.warned.0.load(Ordering::Relaxed);
            self.outcome(&id, outcome, &kept.known, is_recorded);
            if kept.known.is_empty() && !is_behind {
                self.stands(&id, &request, outcome);
            }
        }
    }

    /// A Job was made.
    fn made(&mut self, id: &RequestId, made: cluster::Made) {
        let (what, _) = made.name.rsplit_once('-').expect("it has a number");
        let once = (
            id.clone(),
            made.cluster.clone(),
            made.namespace,
            what.to_owned(),
        );
        assert!(self.once.insert(once), "{id}: {} is made again", made.name);
        let job = Job {
            request: id.clone(),
            exit_code: made.exit_code,
        };
        let twice = self.jobs.insert((made.cluster, made.name.clone()), job);
        assert!(twice.is_none(), "{id}: {} was there", made.name);
    }

    /// What was just done is in the fleet.
    fn stands(&self, id: &RequestId, request: &Request, outcome: &Value) {
        match request {
            Request::State(request) => {
                let fleet = self.repository.head().fleet;
                let state = match request.change {
                    state::Change::Start => "active",
                    state::Change::Stop => "stopped",
                    state::Change::Maintenance => "maintenance",
                };
                let rows = outcome["instances"].as_array().expect("it has rows");
                for row in rows {
                    let row = row["instance"].as_str().expect("it has a name");
                    let of = |address: &&Address| address.to_string() == row;
                    let address = fleet.sites.keys().find(of).expect("it is known");
                    assert_eq!(fleet.sites[address].state, state, "{id}: {row}");
                }
            }
            Request::Set(request) if self.sent[id].times == 1 => {
                self.vault.holds(&request.owner, &request.name, id);
            }
            _ => {}
        }
    }

    /// What goes wrong with whoever writes to the fleet's files.
    fn trouble(&mut self) -> Option<Trouble> {
        match self.random.below(8) {
            0 | 1 => Some(Trouble::Killed(self.random.below(4))),
            2 => Some(Trouble::PushLost),
            _ => None,
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
        self.vault.is(&self.repository);
        (self.tips(), std::mem::take(&mut self.counts))
    }
}

/// Why a part of an operation failed whose outcome says the rest.
fn failure(outcome: &Value) -> Option<Error> {
    let failures = outcome.get("failures").and_then(|failures| failures.get(0));
    let failure = outcome.get("failure").or(failures)?.clone();
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
            Need::Confirm { what, .. } => (what, Vec::new()),
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
