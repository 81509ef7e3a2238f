//! What a deploy would do. Every cluster is prepared before the first one is written to: a failure leaves
//! all of them as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use grove_check::Released;
use grove_fleet::{
    Address, Fleet,
    model::{Cluster, Instance},
};
use grove_release::{DeployBranch, Origin};

use super::{
    carry_out::release,
    operational::Operational,
    outcome::{Action, Outcome, Row},
    prepare::{Item, Preparing},
    request::{Only, Request},
};
use crate::{
    Around, Doing, Result,
    consent::{Consent, Need, Needs},
    fleet::{origin, workspace::Workspace},
    release::{follow, landed, records, remotes},
    render::pipeline::Pipeline,
    request::by_cluster,
    secrets::open::Secrets,
};

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    request: Request,
    origin: Origin,
    needs: Needs,
    outcome: Outcome,
    clusters: BTreeMap<String, Cluster>,
    /// The instances as they will run.
    instances: BTreeMap<Address, Instance>,
    /// Each cluster's branch, with what is written there.
    parts: Vec<(DeployBranch, Vec<Item>)>,
}

/// Reads the fleet, whose errors are refused, and chooses from it: what must be agreed to before anything is
/// rendered, which may take long.
pub fn look(around: &Around, request: &Request) -> Result<Needs> {
    let _entered = around.enter()?;
    let (_, _, fleet) = read(around, request)?;
    Ok(request.target.needs(&request.target.choose(&fleet)?))
}

/// Checks, renders and seals what the fleet says, and compares it with the deploy branches. Writes nothing.
///
/// Refused are findings of severity error, a source that others cannot see or that is older than what runs,
/// and whatever would come up broken.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let (workspace, origin, fleet) = read(around, request)?;
    let instances = request.target.choose(&fleet)?;
    let mut needs = request.target.needs(&instances);
    if request.local {
        origin::refuse_production(instances.iter().copied())?;
    }
    let branches = fetch(&workspace, &fleet, request, &instances, &mut needs)?;
    // On some clusters it may have been carried out before: there it does nothing.
    let mut done = BTreeMap::new();
    for branch in &branches {
        if let Some(landed) = landed::of(branch, request.id.as_ref())? {
            let releases = &landed.message.releases;
            let is_named = |instance: &&Instance| {
                let name = &instance.address.instance;
                releases.iter().any(|(released, _)| released == name)
            };
            if !releases.is_empty() && !on(branch.cluster(), &instances).any(|one| is_named(&one)) {
                return Err(landed::something_else(&landed));
            }
            done.insert(branch.cluster().to_owned(), landed);
        }
    }
    let all = instances.clone();
    let instances: Vec<&Instance> = instances
        .into_iter()
        .filter(|instance| !done.contains_key(&instance.address.cluster))
        .collect();

    let mut released = Released::default();
    for branch in &branches {
        records::released(branch, &mut released)?;
    }
    let operational = match request.only {
        Some(Only::Operational) => Some(Operational::read(&workspace, &branches, &instances)?),
        None => None,
    };
    let instances = match &operational {
        Some(operational) => operational.instances(),
        None => instances,
    };
    let pipeline = Pipeline::new(around, true)?;
    around.doing(Doing::Rendering);
    // What Argo CD reads is what the fleet says; what the surroundings say is only where this pushes.
    let remote = &fleet.deploy_remote;
    let mut trees = match &operational {
        Some(operational) => operational.trees(&pipeline, remote)?,
        None => pipeline.trees(&fleet, &instances, remote)?,
    };
    around.progress_done();
    check_against(&workspace, request, released)?;

    let secrets = Secrets::new(&workspace, &fleet);
    let preparing = Preparing {
        workspace: &workspace,
        fleet: &fleet,
        origin: &origin,
        secrets: &secrets,
        request,
        author: around.author()?.to_string(),
    };
    let mut rows = Vec::new();
    let mut parts = Vec::new();
    for branch in branches {
        let mut items = Vec::new();
        if let Some(landed) = done.get(branch.cluster()) {
            for instance in on(branch.cluster(), &all) {
                let item = super::landed::item(around, &branch, landed, &instance.address)?;
                rows.push(item.row.clone());
                items.push(item);
            }
        }
        for instance in on(branch.cluster(), &instances) {
            // One tree after the other goes as soon as it is composed.
            if let Some(tree) = trees.remove(&instance.address) {
                let (item, need) = preparing.item(&branch, instance, &tree).map_err(|error| {
                    error.context(format!("cannot release {}", instance.address))
                })?;
                rows.push(item.row.clone());
                needs.extend(need);
                items.push(item);
            }
        }
        parts.push((branch, items));
    }
    let chosen: BTreeSet<Address> = all.iter().map(|one| one.address.clone()).collect();
    drop(secrets);
    let Fleet {
        clusters,
        instances: all,
        ..
    } = fleet;
    let mut instances = operational.map_or(all, Operational::into_instances);
    instances.retain(|address, _| chosen.contains(address));
    Ok(Plan {
        around,
        request: request.clone(),
        origin,
        outcome: Outcome {
            dry_run: true,
            confirm_deletes: deletions(&needs),
            instances: rows,
            waits: Vec::new(),
            failure: None,
        },
        needs,
        clusters,
        instances,
        parts,
    })
}

/// Makes the deploy repositories of a request's clusters that are missing, where they are local paths: for whoever
/// wants them there whatever becomes of the deploy.
pub fn create_remotes(around: &Around, request: &Request) -> Result<()> {
    let _entered = around.enter()?;
    let (workspace, _, fleet) = read(around, request)?;
    let instances = request.target.choose(&fleet)?;
    if request.local {
        origin::refuse_production(instances.iter().copied())?;
    }
    for (cluster, _) in by_cluster(&instances) {
        around.doing(Doing::Fetching { cluster });
        remotes::make(
            around,
            &remotes::fetch_or_begin(&workspace, &fleet, cluster)?,
        )?;
    }
    Ok(())
}

/// The fleet that is deployed, and where it is from.
fn read<'a>(around: &'a Around, request: &Request) -> Result<(Workspace<'a>, Origin, Fleet)> {
    request.check()?;
    let (workspace, origin) =
        origin::read(around, request.local, request.target.revision.as_deref())?;
    // What is operated is rendered from a fleet that was sound; the errors of today are not its own.
    let fleet = match request.only {
        Some(Only::Operational) => workspace.check().fleet,
        None => workspace.sound()?,
    };
    Ok((workspace, origin, fleet))
}

/// Fetches the branches of the clusters of instances.
fn fetch(
    workspace: &Workspace<'_>,
    fleet: &Fleet,
    request: &Request,
    instances: &[&Instance],
    needs: &mut Needs,
) -> Result<Vec<DeployBranch>> {
    let around = workspace.around;
    let mut branches = Vec::new();
    for (cluster, _) in by_cluster(instances) {
        around.doing(Doing::Fetching { cluster });
        let create = request.create_remote;
        branches.push(remotes::open_to_release(
            workspace, fleet, cluster, create, needs,
        )?);
    }
    around.progress_done();
    Ok(branches)
}

/// Checks the fleet against what runs. What runs and is gone from the fleet shows only beside the branch.
fn check_against(workspace: &Workspace<'_>, request: &Request, released: Released) -> Result<()> {
    let checked = workspace.check_against(Some(released));
    let gone: Vec<_> = checked
        .findings
        .iter()
        .filter(|finding| finding.rule == "instance-gone")
        .cloned()
        .collect();
    workspace.show(&gone);
    if request.only.is_none() {
        workspace.sound_of(checked)?;
    }
    Ok(())
}

/// The instances on a cluster.
fn on<'f>(cluster: &str, instances: &[&'f Instance]) -> impl Iterator<Item = &'f Instance> {
    instances
        .iter()
        .copied()
        .filter(move |instance| instance.address.cluster == cluster)
}

/// How many volumes, hosts and other objects go, of those that need consent.
fn deletions(needs: &Needs) -> usize {
    needs
        .iter()
        .map(|need| match need {
            Need::Deletions { objects, .. } => objects.len(),
            _ => 0,
        })
        .sum()
}

impl Plan<'_> {
    /// What must be agreed to.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would become of the instances.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Releases them, cluster by cluster, and follows the releases where that was asked for. Where one
    /// cluster fails, the outcome has what was pushed to those before it, and why.
    pub fn carry_out(mut self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        if self.request.create_remote {
            for (branch, _) in &self.parts {
                remotes::make(self.around, branch)?;
            }
        }
        let mut outcome = Outcome {
            dry_run: false,
            instances: Vec::new(),
            ..self.outcome.clone()
        };
        let parts = std::mem::take(&mut self.parts);
        outcome.failure = self.write(parts, &mut outcome).err();
        Ok(outcome)
    }

    fn write(&self, parts: Vec<(DeployBranch, Vec<Item>)>, outcome: &mut Outcome) -> Result<()> {
        let mut followed = Vec::new();
        for (mut branch, items) in parts {
            let rows = release(self.around, &self.request, &self.origin, &mut branch, items)
                .map_err(|error| {
                    error.context(format!("nothing was released on {}", branch.cluster()))
                })?;
            // What was pushed stays, and must be known whatever comes next.
            outcome.instances.extend(rows.iter().cloned());
            if self.request.wait.is_some() {
                followed.extend(self.to_follow(&branch, &rows)?);
            }
        }
        if let Some(seconds) = self.request.wait {
            let limit = Duration::from_secs(seconds);
            outcome.waits = follow::follow(self.around, limit, &self.clusters, &followed);
        }
        Ok(())
    }

    /// What of a cluster's branch is to be followed: all that was chosen and is not passed over.
    fn to_follow(&self, branch: &DeployBranch, rows: &[Row]) -> Result<Vec<follow::Release>> {
        let Some(tip) = branch.tip() else {
            return Ok(Vec::new());
        };
        let runs = |instance: &&Instance| {
            rows.iter().any(|row| {
                row.instance == instance.address.to_string()
                    && !matches!(row.action, Action::Held | Action::Frozen)
            })
        };
        let instances = self.instances.values();
        instances
            .filter(|instance| instance.address.cluster == branch.cluster())
            .filter(runs)
            .map(|instance| follow::Release::new(branch, instance, tip))
            .collect()
    }
}
