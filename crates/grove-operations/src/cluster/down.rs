//! Back to nothing: a cluster that its stacks made is taken down, instances first, states last.
//!
//! Argo CD is stopped, and the namespaces of the cluster's instances and every load balancer and volume are
//! removed, and awaited until they are gone: nothing else knows of these. Then the stacks of instances and
//! the cluster's own are destroyed, each after those that read from it. The fleet's files and every release
//! stay. What databases hold is lost.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{cluster::down, consent::Consent};
//!
//! let request = down::Request {
//!     id: None,
//!     cluster: "sandbox".to_owned(),
//!     expect: Some(3),
//!     unreachable: false,
//!     leave: false,
//!     timeout: 600,
//!     commit: true,
//! };
//! let plan = down::plan(around, &request)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```

use std::{collections::BTreeSet, time::Duration};

use grove_cluster::teardown;
use grove_fleet::model::{Cluster, Instance};
use grove_stack::stack::{Address, Stack};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    given::{self, CLUSTER},
    kept, up,
};
use crate::{
    Around, Error, Kind, Result,
    consent::{Consent, Need, Needs},
    fleet::find::find_cluster,
    request::{RequestId, addresses},
    requests::{Answer, Once},
    stacks::{
        all::Stacks,
        apply::{Apply, How, Row},
        bounds::Bounds,
    },
    text::count,
};

/// Takes a cluster down.
///
/// What is written to the fleet is written to its work tree, so there is no revision.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The cluster's name.
    pub cluster: String,
    /// How many instances it is expected to have; another number is refused.
    #[serde(default)]
    pub expect: Option<usize>,
    /// Goes on where the cluster does not answer: its load balancers and volumes may stay at the provider.
    #[serde(default)]
    pub unreachable: bool,
    /// Goes on although load balancers or volumes are left after the time is over.
    #[serde(default)]
    pub leave: bool,
    /// How many minutes each part may take.
    #[serde(default = "up::timeout")]
    pub timeout: u64,
    /// Commits that outputs are gone.
    #[serde(default = "up::yes")]
    pub commit: bool,
}

/// What was taken down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The cluster's name.
    pub cluster: String,
    /// What became of each stack; of those that failed nothing is said here.
    pub stacks: Vec<Row>,
    /// Why others failed, or what comes after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Error>,
}

impl Answer for Outcome {
    fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What a request would do.
pub struct Plan<'a>(Once<'a, Work<'a>, Outcome>);

struct Work<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    cluster: Cluster,
    /// The namespaces of its instances.
    namespaces: BTreeSet<String>,
    stacks: Stacks<'a>,
}

/// Reads the fleet: what is lost, and must be agreed to.
pub fn plan<'a>(around: &'a Around, request: &Request) -> Result<Plan<'a>> {
    let id = request.id.as_ref();
    Once::plan(around, "cluster/down", id, request, |_| {
        work(around, request)
    })
    .map(Plan)
}

fn work<'a>(around: &'a Around, request: &Request) -> Result<Work<'a>> {
    let stacks = Stacks::open(around, None)?;
    let name = &request.cluster;
    let cluster = find_cluster(&stacks.fleet, name)?.clone();
    let instances: Vec<&Instance> = stacks
        .fleet
        .instances
        .values()
        .filter(|instance| instance.address.cluster == *name)
        .collect();
    if let Some(expected) = request.expect
        && expected != instances.len()
    {
        return Err(Error::refused(format!(
            "`{name}` has {}, {expected} were expected",
            count(instances.len(), "instance")
        )));
    }
    let namespaces = instances
        .iter()
        .map(|instance| instance.identity.namespace.clone())
        .collect();
    Ok(Work {
        around,
        request: request.clone(),
        needs: Needs::from_iter([Need::Cluster {
            cluster: name.clone(),
            uid: cluster.uid.clone(),
            instances: addresses(&instances),
        }]),
        cluster,
        namespaces,
        stacks,
    })
}

impl Plan<'_> {
    /// What must be agreed to: that the cluster is lost, with all that its instances hold.
    pub fn needs(&self) -> &Needs {
        self.0.needs(|work| &work.needs)
    }

    /// Takes it down. An error means that nothing of its stacks was destroyed; what failed later stands in
    /// the outcome, beside what was destroyed by then.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.0
            .carry_out(consent, |work, consent, _| work.carry_out(consent))
    }
}

impl Work<'_> {
    fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        self.needs.met_by(consent)?;
        let made = made(&self.stacks, &self.request.cluster);
        // One that somebody else made is not emptied: others may live there.
        if made.is_some_and(|stack| stack.outputs.is_some()) {
            self.stage("what runs there");
            self.empty()?;
        }
        let mut outcome = Outcome {
            cluster: self.request.cluster.clone(),
            ..Outcome::default()
        };
        if let Err(error) = self.destroy(&mut outcome) {
            outcome.failures.push(error);
        }
        Ok(outcome)
    }

    /// Takes down what the cluster made at its provider, and proves that it is gone.
    fn empty(&self) -> Result<()> {
        let kubeconfig = given::kubeconfig(&self.stacks, &self.request.cluster)?;
        let file = kubeconfig.as_ref().map(given::file).transpose()?;
        let mut around = self.around.clone();
        if let Some(file) = &file {
            around.kubeconfigs = vec![file.path().to_owned()];
        }
        around.context = None;
        let emptied = around.block_on(async {
            let connection = around.connect(&self.cluster).await?;
            let say = |text: &str| around.progress(text);
            let argocd = &self.cluster.argocd_namespace;
            let left =
                teardown::empty(&connection, argocd, &self.namespaces, self.limit(), &say).await?;
            Ok(left)
        });
        around.progress_done();
        match emptied {
            Ok(left) if left.is_empty() => Ok(()),
            Ok(left) if self.request.leave => {
                around.warn(&format!("left: {left}"));
                Ok(())
            }
            Ok(left) => Err(Error::new(
                Kind::OutOfTime,
                format!("still there: {left}; nothing of the stacks was destroyed"),
            )
            .hint("remove them by hand and run this again; `--leave` goes on without")),
            Err(error) if self.request.unreachable && error.kind == Kind::Tool => {
                around.warn(&format!("{error}: what it made at the provider may stay there"));
                Ok(())
            }
            Err(error) => Err(error.hint(
                "`--unreachable` goes on without the cluster: its load balancers and volumes may stay at the provider",
            )),
        }
    }

    /// Destroys the stacks, then forgets which cluster it was.
    fn destroy(mut self, outcome: &mut Outcome) -> Result<()> {
        for (what, of_instances) in [("stacks of instances", true), ("stacks", false)] {
            self.stage(what);
            let selected = self.selected(of_instances);
            let how = How {
                force: false,
                destroy: true,
                limit: self.limit(),
                bounds: Bounds::default(),
            };
            let mut apply = Apply::of(self.stacks, &selected, how)?;
            while let Some(level) = apply.next()? {
                for proposal in level.proposals() {
                    proposal.tell(self.around);
                }
                // All of the cluster was agreed to.
                let consent = Consent::to(level.needs().clone());
                level.carry_out(&consent)?;
            }
            let (applied, stacks) = apply.end();
            self.stacks = stacks;
            outcome.stacks.extend(applied.stacks);
            if !applied.failures.is_empty() {
                outcome.failures = applied.failures;
                return Ok(());
            }
        }
        let name = &self.request.cluster;
        let is_known = self.cluster.uid.is_some() || self.cluster.server.is_some();
        // The next cluster of this name is another one.
        if is_known && made(&self.stacks, name).is_some() {
            given::forget(self.around.fleet()?, name)?;
        }
        if self.request.commit {
            kept::keep(self.around, name, &format!("{name} was taken down"))?;
        }
        Ok(())
    }

    /// The stacks of the cluster, or of its instances, that were applied.
    fn selected(&self, of_instances: bool) -> Vec<Address> {
        let all = self.stacks.fleet.stacks.iter();
        all.filter(|(address, stack)| {
            address.cluster == self.request.cluster
                && address.instance.is_some() == of_instances
                && stack.module().is_some()
                && stack.outputs.is_some()
        })
        .map(|(address, _)| address.clone())
        .collect()
    }

    fn stage(&self, what: &str) {
        self.around
            .note(&format!("{}: {what}", self.request.cluster));
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(self.request.timeout.saturating_mul(60))
    }
}

/// The stack that makes a cluster, where one does.
fn made<'s>(stacks: &'s Stacks<'_>, name: &str) -> Option<&'s Stack> {
    let stack = stacks
        .fleet
        .stacks
        .get(&Address::of_cluster(name, CLUSTER))?;
    stack.module().is_some().then_some(stack)
}
