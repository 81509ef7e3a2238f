//! What each commit did, beside what was meant; and what each outcome says, beside what was done.

use std::collections::BTreeSet;

use grove_fleet::Address;
use grove_operations::{
    Error, Kind,
    consent::Need,
    release::{freeze, hold, init},
};
use grove_release::{
    RequestId, View, forward_only,
    memory::{Changed, Step},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    fleet::addresses,
    renderer::{HOST, SETTINGS, VOLUME},
    request::Request,
    world::{Sent, World},
};

impl World<'_> {
    /// A commit came to a branch.
    pub(crate) fn landed(&mut self, cluster: &'static str, step: Step) {
        let id = step.landed.message.request.clone();
        let id = id.expect("every commit is of a request");
        let branch = self.remote.look(cluster).expect("a look never fails");
        let after = branch.view_at(step.landed.commit).expect("it landed");
        let before = branch.view_before(&step.landed).expect("it landed");
        let sent = &self.sent[&id];
        let author = step.landed.author.to_string();
        assert!(sent.authors.contains(&author), "{id} is not of {author}");
        assert!(sent.times > 0, "{id} was never carried out");
        let others: &[&str] = match (&step.landed.parent, &sent.request) {
            (None, _) => &["README.md", "format"],
            _ => &[],
        };
        let is_shared = sent.request.target().is_none();
        if !is_shared {
            assert_eq!(step.others, others, "{id}");
        }
        let mut happened = vec![format!("landed: {}", sent.request.verb())];
        for (name, changed) in &step.instances {
            let touched = Touched {
                id: &id,
                sent,
                address: Address::new(cluster, name),
                changed,
                step: &step,
                before: &before,
                after: &after,
            };
            if is_shared {
                assert_eq!(name, "_cluster", "{id}");
                touched.shared();
            } else {
                happened.extend(touched.check());
                if let Request::Hold(hold) = &sent.request {
                    match hold.change {
                        hold::Change::Hold { .. } => {
                            self.holds.insert(touched.address, id.to_string());
                        }
                        hold::Change::Unhold => {
                            self.holds.remove(&touched.address);
                        }
                    }
                }
            }
        }
        let known = sent.fleets.iter().any(|fleet| {
            let gone = |(address, site): (&Address, &crate::fleet::Site)| {
                address.cluster == cluster
                    && !site.is_there
                    && after
                        .latest(&address.instance)
                        .is_ok_and(|found| found.is_some())
            };
            fleet.sites.iter().any(gone)
        });
        if known && matches!(sent.request, Request::Deploy(_)) {
            happened.push("kept what is gone".to_owned());
        }
        // Holds by hand are those of the last who held.
        for address in addresses() {
            if address.cluster != cluster {
                continue;
            }
            let hold = after.hold(&address.instance).expect("holds can be read");
            let by_hand = hold
                .filter(|hold| hold.left.is_empty())
                .map(|hold| hold.reason);
            assert_eq!(
                by_hand.as_ref(),
                self.holds.get(&address),
                "{id}: {address}"
            );
        }
        for what in &happened {
            self.count(what);
        }
        let twice = self.landed.insert((id, cluster), step);
        assert!(twice.is_none(), "{twice:?} was done twice");
    }

    /// An operation says that something of it was refused, or may be done.
    pub(crate) fn refused(&mut self, id: &RequestId, failure: &Error) {
        let sent = &self.sent[id];
        // Of several clusters, those before it have theirs; and a commit that was sent before may be late. A
        // freeze tells why the cluster could not be had instead of Git, whose end may be unknown.
        if failure.kind != Kind::Refused || sent.times > 1 || is_freeze(&sent.request) {
            return;
        }
        let is_one = match sent.request.target() {
            None => true,
            Some(target) => !target.selection.all,
        };
        if is_one {
            let landed = self.landed.keys().any(|(landed, _)| landed == id);
            assert!(!landed, "{id} was refused and landed: {failure:?}");
        }
    }

    /// What an operation says it did must be so, and must be what it said the first time.
    ///
    /// A plan that had nothing to write on a cluster looks no more: what the same request did there since it
    /// was planned, it does not know.
    pub(crate) fn outcome(&mut self, id: &RequestId, outcome: &Value, known: &BTreeSet<&str>) {
        let is_new = |step: Option<&Step>, address: &Address| {
            step.is_some() && !known.contains(address.cluster.as_str())
        };
        let mut said = Vec::new();
        let request = self.sent[id].request.clone();
        match &request {
            Request::Deploy(_) => {
                for row in list(outcome, "instances") {
                    let (address, step) = self.of(id, text(row, "instance"));
                    let release = release_of(step, &address.instance);
                    if text(row, "action") == "released" {
                        assert_eq!(number(row, "release"), release, "{id}: {row}");
                        let commit = step.map(|step| step.landed.commit.to_string());
                        assert_eq!(row["commit"].as_str(), commit.as_deref(), "{id}: {row}");
                        said.push((address.to_string(), row.clone()));
                    } else {
                        let is_blind = is_new(step, &address);
                        assert!(release.is_none() || is_blind, "{id}: {row}");
                        assert!(row["commit"].is_null(), "{id}: {row}");
                    }
                }
            }
            Request::Init(_) => {
                for row in list(outcome, "instances") {
                    let (address, step) = self.of(id, text(row, "instance"));
                    let release = release_of(step, &address.instance);
                    assert_eq!(number(row, "release"), release, "{id}: {row}");
                    said.push((address.to_string(), row.clone()));
                }
            }
            // What runs is what was asked for.
            Request::Rollback(_) | Request::ClusterRollback(_) if outcome["repeated"] == true => {
                let of = match &request {
                    Request::Rollback(_) => text(outcome, "instance").to_owned(),
                    _ => format!("{}/_cluster", text(outcome, "cluster")),
                };
                let (address, step) = self.of(id, &of);
                assert!(step.is_none() || is_new(step, &address), "{id}: {outcome}");
                self.count("rolled back already");
            }
            Request::Rollback(_) => {
                let (address, step) = self.of(id, text(outcome, "instance"));
                let release = release_of(step, &address.instance);
                assert_eq!(number(outcome, "release"), release, "{id}: {outcome}");
                said.push((address.to_string(), without_waits(outcome)));
            }
            Request::Hold(request) => {
                let rows = outcome["instances"].as_object().expect("it has rows");
                for (instance, row) in rows {
                    let (address, step) = self.of(id, instance);
                    let is_done = match request.change {
                        hold::Change::Hold { .. } => "held at ",
                        hold::Change::Unhold => "no longer held ",
                    };
                    let is_said = row.as_str().is_some_and(|row| row.starts_with(is_done));
                    let is_landed = touched(step, &address.instance);
                    // Of two who end a hold at once, one finds it ended, and that is what it says.
                    let is_ended = is_said
                        && matches!(request.change, hold::Change::Unhold)
                        && !self.holds.contains_key(&address);
                    let is_blind = !is_said && is_new(step, &address);
                    let is_right = is_said == is_landed || is_ended || is_blind;
                    assert!(is_right, "{id}: {instance}: {row}");
                    if is_said && is_landed {
                        said.push((address.to_string(), row.clone()));
                    }
                }
            }
            Request::Freeze(request) => {
                for row in list(outcome, "instances") {
                    let (address, step) = self.of(id, text(row, "instance"));
                    assert_eq!(row["in_cluster"], false, "{id}: {row}");
                    let is_landed = touched(step, &address.instance);
                    if row["in_git"] == false {
                        continue;
                    }
                    if let freeze::Change::Freeze { .. } = request.change {
                        assert!(is_landed, "{id}: {row}");
                        let (Some(step), Ok(branch)) = (step, self.remote.look(&address.cluster))
                        else {
                            panic!("{id}: {row}");
                        };
                        let then = branch.view_at(step.landed.commit).expect("it landed");
                        let freeze = then.freeze(&address.instance).expect("it can be read");
                        // Where the clusters had it one after the other, it ends first on one of them.
                        let said: Timestamp = text(outcome, "until").parse().expect("a time");
                        let until = freeze.map(|freeze| freeze.until);
                        assert!(
                            until.is_some_and(|until| said <= until),
                            "{id}: {row}: {until:?}"
                        );
                    }
                    let is_blind = !row["skipped"].is_null() && is_new(step, &address);
                    if is_landed && !is_blind {
                        // Of several clusters it is the end of what is frozen by now on all of them.
                        let until = if request.target.selection.all {
                            Value::Null
                        } else {
                            outcome["until"].clone()
                        };
                        said.push((address.to_string(), Value::Array(vec![row.clone(), until])));
                    }
                }
            }
            Request::ClusterDeploy(request) => {
                let (_, step) = self.of(id, &format!("{}/_cluster", request.cluster));
                let release = release_of(step, "_cluster");
                let address = Address::new(&request.cluster, "_cluster");
                let is_blind = outcome["changed"] == false && is_new(step, &address);
                if !is_blind && (release.is_some() || outcome["changed"] == true) {
                    assert_eq!(outcome["changed"], true, "{id}: {outcome}");
                    assert_eq!(number(outcome, "release"), release, "{id}: {outcome}");
                    said.push((request.cluster.clone(), without_waits(outcome)));
                }
            }
            Request::ClusterRollback(request) => {
                let (_, step) = self.of(id, &format!("{}/_cluster", request.cluster));
                let release = release_of(step, "_cluster");
                assert_eq!(number(outcome, "release"), release, "{id}: {outcome}");
                said.push((request.cluster.clone(), without_waits(outcome)));
            }
        }
        let sent = self.sent.get_mut(id).expect("it was sent");
        let mut is_again = false;
        for (what, now) in said {
            let first = sent.said.entry(what).or_insert_with(|| now.clone());
            assert_eq!(*first, now, "{id}: it was said otherwise the first time");
            is_again |= sent.times > 1;
        }
        if is_again {
            self.count(&format!("said again: {}", request.verb()));
        }
    }

    /// An instance, and the commit that the request made on its cluster.
    fn of(&self, id: &RequestId, address: &str) -> (Address, Option<&Step>) {
        let (cluster, name) = address.split_once('/').expect("an address");
        let landed = self.landed.iter();
        let step = landed
            .filter(|((landed, on), _)| landed == id && *on == cluster)
            .map(|(_, step)| step)
            .next();
        (Address::new(cluster, name), step)
    }
}

/// What a commit did to one instance.
struct Touched<'a> {
    id: &'a RequestId,
    sent: &'a Sent,
    address: Address,
    changed: &'a Changed,
    step: &'a Step,
    before: &'a View<'a>,
    after: &'a View<'a>,
}

impl Touched<'_> {
    /// Fails where it is not what was asked for; gives what happened.
    fn check(&self) -> Vec<String> {
        let Self {
            id,
            sent,
            address,
            changed,
            ..
        } = self;
        let name = &address.instance;
        let mut happened = Vec::new();
        // One that whoever planned it did not see, or did not mean, is left alone.
        let fleets = sent
            .fleets
            .iter()
            .filter_map(|fleet| fleet.sites.get(address));
        let sites: Vec<_> = fleets.filter(|site| site.is_there).collect();
        assert!(!sites.is_empty(), "{id}: {address} was in no fleet");
        let selection = sent.request.target().map(|target| target.selection);
        let is_meant = selection.is_some_and(|selection| {
            let selectors = &selection.selectors;
            selection.all
                || selectors.contains(&address.to_string())
                || selectors.contains(&address.cluster)
        });
        assert!(is_meant, "{id}: {address} was not meant");
        let was_held = self.before.hold(name).expect("it can be read");
        let held = self.after.hold(name).expect("it can be read");
        let was_frozen = self.before.freeze(name).expect("it can be read");
        let frozen = self.after.freeze(name).expect("it can be read");
        let is_mark =
            |file: &String| file.ends_with("/hold.yaml") || file.ends_with("/freeze.yaml");
        assert!(changed.removed.iter().all(is_mark), "{id}: {changed:?}");
        if let Some(freeze) = &was_frozen
            && frozen.is_none()
            && !is_freeze(&sent.request)
        {
            assert!(
                freeze.is_over(self.step.landed.time),
                "{id}: {address}: {freeze:?}"
            );
            happened.push("thawed".to_owned());
        }
        if !changed.releases.is_empty() {
            let now = self.step.landed.time;
            let in_force = was_frozen.as_ref().filter(|freeze| !freeze.is_over(now));
            assert!(
                in_force.is_none(),
                "{id}: {address} is frozen: {in_force:?}"
            );
            happened.extend(self.release());
        }
        match &sent.request {
            Request::Deploy(_) => {
                let by_hand = was_held.as_ref().filter(|hold| hold.left.is_empty());
                if changed.releases.is_empty() {
                    assert_eq!(held, was_held, "{id}: {address}");
                    assert!(frozen.is_none(), "{id}: {address}");
                } else {
                    assert_eq!(by_hand, None, "{id}: {address} is held");
                    assert_eq!(held, None, "{id}: {address}");
                    if was_held.is_some() {
                        happened.push("ended the hold of a rollback".to_owned());
                    }
                    let settings = self.settings();
                    let is_of_a_fleet = sites
                        .iter()
                        .any(|site| settings == Some(site.value.to_string()));
                    assert!(is_of_a_fleet, "{id}: {address}: {settings:?}");
                }
            }
            Request::Rollback(request) => {
                if request.to.is_some() {
                    happened.push("rolled back to a number".to_owned());
                }
                assert_eq!(changed.releases.len(), 1, "{id}: {changed:?}");
                let hold = held.unwrap_or_else(|| panic!("{id}: {address} is not held"));
                assert_eq!(hold.release, changed.releases[0], "{id}");
            }
            Request::Hold(request) => match request.change {
                hold::Change::Hold { .. } => {
                    let hold = held.unwrap_or_else(|| panic!("{id}: {address} is not held"));
                    assert_eq!(changed.written, ["hold.yaml"], "{id}");
                    assert_eq!(hold.by, self.step.landed.author.to_string(), "{id}");
                    assert_eq!(hold.reason, id.to_string());
                    assert_eq!(Some(hold.release), self.newest(), "{id}");
                }
                hold::Change::Unhold => assert_eq!(held, None, "{id}: {address}"),
            },
            Request::Freeze(request) => {
                assert!(
                    changed.objects && changed.releases.is_empty(),
                    "{id}: {changed:?}"
                );
                assert_eq!(held, was_held, "{id}");
                match request.change {
                    freeze::Change::Freeze { .. } => {
                        let freeze =
                            frozen.unwrap_or_else(|| panic!("{id}: {address} is not frozen"));
                        assert_eq!(freeze.reason, id.to_string());
                    }
                    freeze::Change::Unfreeze => assert_eq!(frozen, None, "{id}"),
                }
            }
            Request::Init(request) => {
                assert_eq!(changed.releases.len(), 1, "{id}: {changed:?}");
                let reason = |hold: &grove_release::Hold| (hold.reason.clone(), hold.left.clone());
                assert_eq!(
                    held.as_ref().map(reason),
                    was_held.as_ref().map(reason),
                    "{id}"
                );
                let record = self.after.latest(name).expect("it can be read");
                let init = record.map(|record| record.init).unwrap_or_default();
                match request.change {
                    init::Change::Retry => {
                        assert!(init.retried.contains_key(&request.task), "{id}");
                    }
                    init::Change::Skip => assert!(init.skipped.contains_key(&request.task), "{id}"),
                }
            }
            other => panic!("{id}: {other:?} touched {address}"),
        }
        happened
    }

    /// What instances share, and nothing else.
    fn shared(&self) {
        assert_eq!(self.changed.releases.len(), 1, "{}", self.id);
        let record = self.after.shared_latest().expect("it can be read");
        let record = record.expect("there is a release");
        assert_eq!(record.request.as_ref(), Some(self.id));
        assert_eq!(record.author, self.step.landed.author.to_string());
        let is_held = self.after.shared_hold().expect("it can be read").is_some();
        assert_eq!(is_held, record.rollback_of.is_some(), "{}", self.id);
    }

    /// Its newest release.
    fn newest(&self) -> Option<u32> {
        let releases = self.after.releases(&self.address.instance);
        releases.expect("they can be read").first().copied()
    }

    /// What its `ConfigMap` says.
    fn settings(&self) -> Option<String> {
        let objects = self.after.objects(&self.address.instance);
        let objects = objects.expect("they can be read")?;
        let value = objects.get(SETTINGS)?.pointer("/data/value")?;
        value.as_str().map(str::to_owned)
    }

    /// A release came: its record says whose it is, and nothing went that nobody agreed to.
    fn release(&self) -> Vec<String> {
        let (id, name) = (self.id, &self.address.instance);
        let record = self.after.latest(name).expect("it can be read");
        let record = record.expect("there is a release");
        assert_eq!(self.changed.releases, [record.release], "{id}");
        assert_eq!(record.request.as_ref(), Some(id));
        assert_eq!(record.author, self.step.landed.author.to_string(), "{id}");
        let released = (name.clone(), record.release);
        assert!(
            self.step.landed.message.releases.contains(&released),
            "{id}"
        );
        let mut happened = Vec::new();
        let files = |view: &View<'_>| -> BTreeSet<String> {
            let objects = view.objects(name).expect("they can be read");
            objects.unwrap_or_default().into_keys().collect()
        };
        let (old, new) = (files(self.before), files(self.after));
        let address = self.address.to_string();
        if let Request::Deploy(_) = self.sent.request {
            for (file, word) in [(VOLUME, "PersistentVolumeClaim"), (HOST, "host ")] {
                if !old.contains(file) || new.contains(file) {
                    continue;
                }
                let is_agreed = self.agreed(|need| match need {
                    Need::Deletions { of, objects, .. } => {
                        *of == address && objects.iter().any(|object| object.contains(word))
                    }
                    _ => false,
                });
                assert!(
                    is_agreed,
                    "{id}: nobody agreed that {file} of {address} goes"
                );
                happened.push(format!("gone as agreed: {file}"));
            }
        }
        if let Some(running) = self.before.latest(name).expect("it can be read")
            && record.rollback_of.is_some()
            && matches!(self.sent.request, Request::Rollback(_))
            && !forward_only(&running.marks, &record.marks).is_empty()
        {
            let is_agreed = self.agreed(
                |need| matches!(need, Need::DataRisk { instance, .. } if *instance == address),
            );
            assert!(is_agreed, "{id}: nobody agreed to the risk of {address}");
            happened.push("back across a mark".to_owned());
        }
        happened
    }

    /// Whether someone agreed to something.
    fn agreed(&self, to: impl Fn(&Need) -> bool) -> bool {
        self.sent.agreed.iter().any(|needs| needs.iter().any(&to))
    }
}

fn is_freeze(request: &Request) -> bool {
    matches!(request, Request::Freeze(_))
}

fn touched(step: Option<&Step>, name: &str) -> bool {
    step.is_some_and(|step| step.instances.contains_key(name))
}

/// The number of the release that a commit brought.
fn release_of(step: Option<&Step>, name: &str) -> Option<u64> {
    let changed = step?.instances.get(name)?;
    changed.releases.first().copied().map(u64::from)
}

fn without_waits(outcome: &Value) -> Value {
    let mut outcome = outcome.clone();
    outcome["waits"] = Value::Null;
    outcome
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().expect("it has rows")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().expect("it has a text")
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value[name].as_u64()
}
