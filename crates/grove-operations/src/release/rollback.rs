//! Rollbacks: an older release's manifests come back with today's secrets, as a new release, and the
//! instance is held there. Nothing is rendered or built.
//!
//! ```
//! # let mut world = grove_example::World::deployed();
//! # world.site("alpha/uni").value = 2;
//! # world.deploy(grove_operations::request::Target::of("alpha/uni"))?;
//! # let around = &world.around();
//! use grove_operations::{consent::Consent, release::rollback};
//!
//! let request = rollback::Request {
//!     id: None,
//!     revision: None,
//!     instance: "alpha/uni".to_owned(),
//!     from: None,
//!     to: None,
//!     message: Some("The theme broke".to_owned()),
//!     wait: None,
//! };
//! let plan = rollback::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! println!("release {} brings {} back", outcome.release, outcome.to);
//! assert_eq!((outcome.from, outcome.to, outcome.release), (2, 1, 3));
//! # Ok::<(), grove_operations::Error>(())
//! ```

use std::time::Duration;

use grove_fleet::Address;
use grove_release::{
    Changes, DeployBranch, Diff, Hold, Id, Landed, RECORD_VERSION, Record, Release,
    compose_rollback, diff, forward_only,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    again::{Again, Brought},
    follow::{self, Waited},
    frozen, landed,
    publish::{Subject, VERSION, publish},
    records::{refuse_lost_secrets, release_name},
    remotes,
    seal::{self, Sealer},
};
use crate::{
    Around, Doing, Error, Result,
    consent::{Consent, Need, Needs},
    fleet::{
        find::{address, find, find_cluster},
        workspace::Workspace,
    },
    request::RequestId,
    requests::{Answer, Once},
    secrets::open::Secrets,
};

/// Rolls one instance back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The fleet's revision; none for the files of its work tree. Secrets and certificate are from there.
    #[serde(default)]
    pub revision: Option<String>,
    /// The instance, `cluster/instance`.
    pub instance: String,
    /// The release that is left: where another runs, it is refused, and where a rollback left it already, nothing
    /// is done. None leaves what runs, unless that was brought by a rollback whose hold stands.
    #[serde(default)]
    pub from: Option<u32>,
    /// The release to go back to; none for the one before the running one.
    #[serde(default)]
    pub to: Option<u32>,
    /// Why; stands in the hold, the record and the commit.
    #[serde(default)]
    pub message: Option<String>,
    /// How many seconds to follow it until it runs; none does not follow it.
    #[serde(default)]
    pub wait: Option<u64>,
}

/// What became of a rollback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// `cluster/instance`.
    pub instance: String,
    /// The release that is left.
    pub from: u32,
    /// The release whose manifests come back.
    pub to: u32,
    /// The release that brings them.
    pub release: u32,
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// Whether a rollback before this one did the same: then nothing is written.
    #[serde(default)]
    pub repeated: bool,
    /// What changes.
    pub diff: Diff,
    /// What became of it in the cluster, where it was followed.
    pub waits: Vec<Waited>,
}

impl Answer for Outcome {
    fn is_whole(&self) -> bool {
        follow::verdict(&self.waits).is_none()
    }
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    outcome: Outcome,
    fleet: grove_fleet::Fleet,
    address: Address,
    branch: DeployBranch,
    changes: Changes,
    subject: Subject,
}

/// Reads the fleet and the deploy branch, and seals what comes back. What else is wrong with the fleet is
/// no reason not to go back.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "release/rollback", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let address = address(&request.instance)?;
    let instance = find(&fleet, &address)?;
    around.doing(Doing::Fetching {
        cluster: &address.cluster,
    });
    let branch = remotes::open_to_change(&workspace, &fleet, &address.cluster)?;
    around.progress_done();

    let done = match landed::of(&branch, request.id.as_ref())? {
        Some(landed) => {
            let outcome = first(&branch, &landed, &address)?;
            Some(outcome.ok_or_else(|| landed::something_else(&landed))?)
        }
        None => again(request, &branch, &address)?
            .is_it(&address.to_string())?
            .map(|brought| repeated(&branch, &address, brought))
            .transpose()?,
    };
    let nothing = |outcome, fleet, address, branch| Work {
        around,
        request: request.clone(),
        needs: Needs::default(),
        outcome,
        fleet,
        address,
        branch,
        changes: Changes::default(),
        subject: Subject::default(),
    };
    if let Some(outcome) = done {
        return Ok(nothing(outcome, fleet, address, branch));
    }
    let view = branch.view()?;
    let time = around.now();
    frozen::refuse_frozen(&view, &address, time)?;
    let (running, older) = releases(request, &branch, &address)?;
    let mut needs = Needs::default();
    let crossed = forward_only(&running.marks, &older.marks);
    if !crossed.is_empty() {
        needs.extend([Need::DataRisk {
            instance: address.to_string(),
            release: older.release,
            marks: crossed
                .iter()
                .map(|crossed| format!("{}: {} → {}", crossed.mark, crossed.from, crossed.to))
                .collect(),
        }]);
    }
    refuse_lost_secrets(instance, &older)?;
    let cluster = find_cluster(&fleet, &address.cluster)?;
    let secrets = Secrets::new(&workspace, &fleet);
    let previous = seal::ciphertexts(&view, &address.instance)?;
    let sealed = Sealer {
        cluster,
        secrets: &secrets,
    }
    .seal_again(
        instance,
        &older.secrets,
        &branch.objects_of(older.tree)?,
        previous.as_ref(),
    )?;
    let leaving = branch.objects_of(running.tree)?;
    let objects = compose_rollback(sealed.objects, &leaving);
    let diff = diff(&leaving, &objects);
    if diff.is_empty()
        && let Again::Wanted(brought) = again(request, &branch, &address)?
    {
        let outcome = repeated(&branch, &address, brought)?;
        return Ok(nothing(outcome, fleet, address, branch));
    }

    let by = around.author()?.to_string();
    let reason = request.message.clone().unwrap_or_else(|| {
        format!(
            "rolled back from {:04} to {:04}",
            running.release, older.release
        )
    });
    let number = running.release + 1;
    let record = Record {
        version: RECORD_VERSION,
        release: number,
        time,
        author: by.clone(),
        message: Some(reason.clone()),
        tree: Id::empty_tree(),
        scan: sealed.scan,
        rollback_of: Some(older.release),
        request: request.id.clone(),
        grove: VERSION.to_owned(),
        // The Jobs of the release that is left stay, retried ones too.
        init: running.init.clone(),
        // The order of sources goes on from the release that is left: what it shipped was seen.
        source: running.source.clone(),
        ..older.clone()
    };
    let mut changes = Changes::default();
    changes.release(Release {
        record,
        objects,
        apps: view.apps(&address.instance)?,
        sealed: Some(seal::ciphertexts_value(&sealed.ciphertexts)?),
    })?;
    let hold = hold(
        view.hold(&address.instance)?,
        running.release,
        Hold {
            version: RECORD_VERSION,
            reason: reason.clone(),
            since: time,
            by,
            release: number,
            left: Vec::new(),
        },
    );
    changes.hold(&address.instance, &hold);
    let subject = Subject {
        line: format!(
            "Roll {} back to {:04}: {}",
            address.instance,
            older.release,
            reason.lines().next().unwrap_or_default()
        ),
        request: request.id.clone(),
        source: running.source.clone(),
        releases: vec![(address.instance.clone(), number)],
    };
    Ok(Work {
        around,
        request: request.clone(),
        needs,
        outcome: Outcome {
            instance: address.to_string(),
            from: running.release,
            to: older.release,
            release: number,
            dry_run: true,
            repeated: false,
            diff,
            waits: Vec::new(),
        },
        fleet,
        address,
        branch,
        changes,
        subject,
    })
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// What would become of it.
    pub fn outcome(&self) -> &Outcome {
        self.0.shown(|work| &work.outcome)
    }

    /// Releases it, and follows it where that was asked for.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let Self {
            around,
            request,
            mut outcome,
            fleet,
            address,
            mut branch,
            changes,
            subject,
            ..
        } = self;
        outcome.dry_run = false;
        if !changes.is_empty() {
            around.doing(Doing::Pushing {
                remote: &branch.remote().to_string(),
            });
            let published = publish(around, &mut branch, changes, subject)?;
            around.progress_done();
            if let Some(landed) = published.landed {
                let first = first(&branch, &landed, &address)?;
                outcome = first.ok_or_else(|| landed::something_else(&landed))?;
                outcome.dry_run = false;
            }
        }
        if let (Some(tip), Some(seconds)) = (branch.tip(), request.wait) {
            // What was pushed stays pushed, whatever is seen of it.
            let limit = Duration::from_secs(seconds);
            outcome.waits = find(&fleet, &address)
                .and_then(|instance| follow::Release::new(&branch, instance, tip))
                .map_or_else(
                    |error| vec![Waited::not(&address.to_string(), &error)],
                    |release| follow::follow(around, limit, &fleet.clusters, &[release]),
                );
        }
        Ok(outcome)
    }
}

/// The outcome of a rollback that a commit carried out; none where that brought no release of the instance.
fn first(branch: &DeployBranch, landed: &Landed, address: &Address) -> Result<Option<Outcome>> {
    let made = landed::made(branch, landed, address)?;
    Ok(made.map(|made| Outcome {
        instance: address.to_string(),
        from: made.record.release.saturating_sub(1),
        to: made.record.rollback_of.unwrap_or_default(),
        release: made.record.release,
        dry_run: true,
        repeated: false,
        diff: made.diff,
        waits: Vec::new(),
    }))
}

/// What this rollback is beside the one that runs, if one does.
fn again(request: &Request, branch: &DeployBranch, address: &Address) -> Result<Again> {
    let view = branch.view()?;
    let history: Vec<(u32, Option<u32>)> = view
        .history(&address.instance)?
        .iter()
        .map(|record| (record.release, record.rollback_of))
        .collect();
    let hold = view.hold(&address.instance)?;
    Ok(Again::of(&history, hold.as_ref(), request.from, request.to))
}

/// The outcome of a rollback that was made before.
fn repeated(branch: &DeployBranch, address: &Address, brought: Brought) -> Result<Outcome> {
    let (view, name) = (branch.view()?, &address.instance);
    let (left, back) = (
        view.record(name, brought.left)?,
        view.record(name, brought.release)?,
    );
    Ok(Outcome {
        instance: address.to_string(),
        from: brought.left,
        to: brought.of,
        release: brought.release,
        dry_run: true,
        repeated: true,
        diff: diff(
            &branch.objects_of(left.tree)?,
            &branch.objects_of(back.tree)?,
        ),
        waits: Vec::new(),
    })
}

/// Which release is left, and which one comes back.
fn releases(
    request: &Request,
    branch: &DeployBranch,
    address: &Address,
) -> Result<(Record, Record)> {
    let view = branch.view()?;
    let running = view.latest(&address.instance)?.ok_or_else(|| {
        Error::usage(format!("{address} was never released"))
            .hint("`grove deploy` makes its first release")
    })?;
    let number = match request.to {
        Some(number) => number,
        None => before(
            &view
                .history(&address.instance)?
                .iter()
                .map(|record| (record.release, record.rollback_of))
                .collect::<Vec<_>>(),
        )
        .ok_or_else(|| {
            Error::refused(format!(
                "there is no release before {} that was not left by a rollback",
                release_name(&address.cluster, &running)
            ))
            .hint("`grove history` lists the releases; `--to` names one")
        })?,
    };
    if let Some(from) = request.from
        && from != running.release
    {
        return Err(Error::refused(format!(
            "{address} runs release {:04}, and {from:04} was to be left",
            running.release
        ))
        .hint("look at what runs now, and ask again"));
    }
    if number == running.release {
        return Err(Error::refused(format!(
            "{address} runs release {number:04} already"
        )));
    }
    let older = view.record(&address.instance, number)?;
    Ok((running, older))
}

/// The release to go back to where none is named: the newest one before what runs that was made by a
/// deploy and not left by a rollback since. `history` is newest first: each release, and of which it
/// was a rollback.
pub fn before(history: &[(u32, Option<u32>)]) -> Option<u32> {
    let find = |number| history.iter().find(|(release, _)| *release == number);
    let mut origin = history.first()?;
    while let Some(older) = origin.1.and_then(find) {
        origin = older;
    }
    let was_left = |number: u32| find(number + 1).is_some_and(|(_, of)| of.is_some());
    history
        .iter()
        .filter(|(release, of)| *release < origin.0 && of.is_none())
        .map(|(release, _)| *release)
        .find(|number| !was_left(*number))
}

/// The hold after a rollback that left the release `left`. One by hand stays what it is; one of a
/// rollback before this remembers what that left, too.
fn hold(existing: Option<Hold>, left: u32, new: Hold) -> Hold {
    match existing {
        Some(hold) if hold.left.is_empty() => Hold {
            release: new.release,
            ..hold
        },
        Some(hold) => Hold {
            left: hold.left.into_iter().chain([left]).collect(),
            ..new
        },
        None => Hold {
            left: vec![left],
            ..new
        },
    }
}
