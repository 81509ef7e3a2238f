//! From an empty API server to a cluster that deploys by itself: the fleet's sealing key, Sealed Secrets,
//! Argo CD, the root Applications.
//!
//! It looks first and does only what is missing: a run that was interrupted is mended by the next one, and
//! a second one changes nothing. The first one records in `cluster.yaml` which cluster it is; every later
//! operation that writes to the cluster refuses another one.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::{consent::Consent, shared::bootstrap};
//!
//! let request = bootstrap::Request {
//!     id: None,
//!     cluster: "prod".to_owned(),
//!     revision: None,
//!     timeout: 600,
//!     take_over: false,
//! };
//! let plan = bootstrap::plan(around, &request, None)?;
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! println!("{:?}", outcome.waits);
//! # Ok(())
//! # }
//! ```

use std::{
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

use grove_cluster::{
    Connection,
    bootstrap::{self, Bootstrap, Holder, Input, Lock, Note, Step, preflight, steps},
    bundle::Bundle,
};
use grove_fleet::{Fleet, layout, model::Cluster};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bootstrap_secrets::BootstrapSecrets, bundle, wait::releases_of};
use crate::{
    Around, Doing, Error, Kind, Result,
    consent::{Consent, Needs},
    files,
    fleet::{find::find_cluster, workspace::Workspace},
    release::{
        follow::{Release, Waited},
        remotes,
    },
    request::RequestId,
    secrets::open::Secrets,
};

/// Installs what a cluster needs to deploy by itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the request is called.
    #[serde(default)]
    pub id: Option<RequestId>,
    /// The cluster's name.
    pub cluster: String,
    /// The fleet's revision; none for the files of its work tree. A cluster that does not state yet which
    /// one it is needs a work tree: it is written there.
    #[serde(default)]
    pub revision: Option<String>,
    /// How many seconds it may take, and following what is shared again as many; a later one goes on.
    #[serde(default = "timeout")]
    pub timeout: u64,
    /// Takes over fields that others manage, instead of stopping there.
    #[serde(default)]
    pub take_over: bool,
}

fn timeout() -> u64 {
    900
}

/// What a bootstrap found and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The cluster's name.
    pub cluster: String,
    /// The address of its API server.
    pub server: String,
    /// The uid of its `kube-system`, by which it is known.
    pub uid: String,
    /// Whether it was only looked at.
    pub plan: bool,
    /// What whoever keeps the cluster should know.
    pub notes: Vec<Note>,
    /// What each step did, or would do.
    pub steps: Vec<bootstrap::Outcome>,
    /// What became of what instances share, where that was released and followed.
    pub waits: Vec<Waited>,
}

/// What a request would do.
pub struct Plan<'a> {
    around: &'a Around,
    request: Request,
    needs: Needs,
    cluster: Cluster,
    /// Where `cluster.yaml` is; none where a revision was read.
    file: Option<PathBuf>,
    /// What was released of what instances share.
    shared: Vec<Release>,
    seen: Seen,
    /// How long planning took, of what the whole may take.
    spent: Duration,
}

/// What was seen of the cluster.
struct Seen {
    server: String,
    uid: String,
    notes: Vec<Note>,
    steps: Vec<Step>,
}

/// Reads the fleet and the deploy branch, reaches the cluster, looks whether it can be bootstrapped, and
/// opens the secrets that it lacks. `lock` names another bundle than the one that Grove carries.
pub fn plan<'a>(around: &'a Around, request: &Request, lock: Option<&Path>) -> Result<Plan<'a>> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.sound()?;
    let cluster = find_cluster(&fleet, &request.cluster)?;
    // Whether there is something for the second root is read before anything is written.
    around.doing(Doing::Fetching {
        cluster: &cluster.name,
    });
    let shared = match remotes::open(&workspace, &fleet, &cluster.name) {
        Ok(branch) => match branch.tip() {
            Some(tip) => Release::shared(&branch, cluster, tip)?,
            None => Vec::new(),
        },
        Err(error) => {
            around.progress_done();
            around.warn(&format!(
                "the deploy repository cannot be read yet: {error}"
            ));
            Vec::new()
        }
    };
    around.progress_done();
    if shared.is_empty() && (cluster.harmony.is_some() || !cluster.addons.is_empty()) {
        around.warn(&format!(
            "Harmony and add-ons of {0} are not released yet: `grove cluster deploy {0}`, then this again",
            cluster.name
        ));
    }
    let begun = around.clock.elapsed();
    let look = Look {
        around,
        fleet: &fleet,
        cluster,
        secrets: Secrets::new(&workspace, &fleet),
        lock,
        has_shared: !shared.is_empty(),
    };
    let seen = in_time(around, request, Duration::ZERO, look.all())?;
    let file = workspace.root.join(layout::cluster(&cluster.name));
    Ok(Plan {
        around,
        request: request.clone(),
        needs: Needs::default(),
        cluster: cluster.clone(),
        file: workspace.commit.is_none().then_some(file),
        shared,
        seen,
        spent: around.since(begun),
    })
}

/// Runs what speaks to the cluster, within what is left of the time of the whole.
fn in_time<T>(
    around: &Around,
    request: &Request,
    spent: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let limit = Duration::from_secs(request.timeout).saturating_sub(spent);
    around.block_on(async {
        match tokio::time::timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(
                Kind::OutOfTime,
                format!(
                    "the bootstrap of {} did not end within {} s",
                    request.cluster, request.timeout
                ),
            )
            .hint("run it again, it goes on where it is; `--timeout` gives it more time")),
        }
    })
}

/// What looks at the cluster.
struct Look<'a> {
    around: &'a Around,
    fleet: &'a Fleet,
    cluster: &'a Cluster,
    secrets: Secrets<'a>,
    lock: Option<&'a Path>,
    has_shared: bool,
}

impl Look<'_> {
    async fn all(&self) -> Result<Seen> {
        let (around, cluster) = (self.around, self.cluster);
        around.doing(Doing::Reaching {
            cluster: &cluster.name,
        });
        let connection = around.connect(cluster).await?;
        around.doing(Doing::Preflight);
        let notes = preflight(
            &connection,
            &cluster.argocd_namespace,
            &cluster.ingress_class,
            around.now(),
        )
        .await?;
        around.progress_done();
        for note in &notes {
            around.warn(&format!("{}; {}", note.message, note.hint));
        }
        Ok(Seen {
            server: connection.server().to_owned(),
            uid: connection.uid().to_owned(),
            notes,
            steps: self.steps(&connection).await?,
        })
    }

    /// What is to be applied. Secrets that the cluster has already are neither opened nor written.
    async fn steps(&self, connection: &Connection) -> Result<Vec<Step>> {
        let (around, cluster) = (self.around, self.cluster);
        let (bundle, store) = (bundle::open(self.lock)?, bundle::store(around)?);
        let version = |engine: &str, stated: &Option<String>| {
            Bundle::version(&bundle, engine, stated.as_deref()).to_owned()
        };
        let argocd = version("argocd", &cluster.argocd_version);
        let sealed = version("sealed-secrets", &cluster.sealed_secrets_version);
        let secrets = BootstrapSecrets {
            fleet: self.fleet,
            cluster,
            secrets: &self.secrets,
        };
        let missing = secrets.missing(connection).await?;
        Ok(steps(Input {
            argocd_namespace: cluster.argocd_namespace.clone(),
            argocd: store.objects(&bundle, "argocd", &argocd)?,
            sealed_secrets_crds: store.objects(&bundle, "sealed-secrets", &sealed)?,
            sealed_secrets_version: sealed,
            sealing_keys: missing.sealing_keys,
            secrets: missing.secrets,
            roots: grove_render::roots(
                cluster,
                &self.fleet.name,
                &self.fleet.deploy_remote,
                self.has_shared,
            ),
        }))
    }
}

impl Plan<'_> {
    /// What must be agreed to: nothing.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What would be done: each object is tried and nothing is written.
    pub fn preview(&self) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        let steps = self.in_time(async {
            let connection = self.connect().await?;
            let mut outcomes = Vec::new();
            for step in &self.seen.steps {
                outcomes.push(
                    self.bootstrap(&connection, &progress(self.around))
                        .plan(step)
                        .await?,
                );
            }
            Ok(outcomes)
        })?;
        self.around.progress_done();
        Ok(self.outcome(true, steps, Vec::new()))
    }

    /// Installs it, a step after the other, then follows what instances share.
    pub fn carry_out(self, consent: &Consent) -> Result<Outcome> {
        let _entered = self.around.enter()?;
        self.needs.met_by(consent)?;
        let around = self.around;
        let steps = self.in_time(self.install())?;
        around.progress_done();
        let mut waits = Vec::new();
        if !self.shared.is_empty() {
            // What was recorded a moment ago stands in the file, not in what was read before.
            let mut cluster = self.cluster.clone();
            cluster.uid = Some(self.seen.uid.clone());
            waits = releases_of(around, &cluster, &self.shared, self.request.timeout);
        }
        Ok(self.outcome(false, steps, waits))
    }

    async fn install(&self) -> Result<Vec<bootstrap::Outcome>> {
        let around = self.around;
        let connection = self.connect().await?;
        let (user, host) = (around.user.clone(), around.host.clone());
        let is_gone = |holder: &Holder| host.as_deref().is_some_and(|host| is_gone(holder, host));
        let own = holder(&user, host.as_deref().unwrap_or("unknown"));
        let lock = Lock::take(&connection, own, around.now(), &is_gone).await?;
        if let Err(error) = self.record() {
            lock.release().await.ok();
            return Err(error);
        }
        let mut outcomes = Vec::new();
        for step in &self.seen.steps {
            match self
                .bootstrap(&connection, &progress(around))
                .run(step)
                .await
            {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => {
                    around.progress_done();
                    // What was done is known; an unreachable server lets the lock run out.
                    lock.release().await.ok();
                    return Err(Error::from(error)
                        .context(format!("the step `{}` did not end", step.name))
                        .hint("run it again: what is done stays, it goes on from here"));
                }
            }
        }
        lock.release().await?;
        Ok(outcomes)
    }

    fn in_time<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        in_time(self.around, &self.request, self.spent, work)
    }

    /// Reaches the cluster that was looked at. A connection ends with the runtime that made it.
    async fn connect(&self) -> Result<Connection> {
        let connection = self.around.connect(&self.cluster).await?;
        if connection.uid() == self.seen.uid {
            return Ok(connection);
        }
        Err(Error::refused(format!(
            "{} is another cluster than a moment ago: {}, not {}",
            self.cluster.name,
            connection.uid(),
            self.seen.uid
        )))
    }

    fn bootstrap<'b>(
        &self,
        connection: &'b Connection,
        progress: &'b (dyn Fn(&str) + Sync),
    ) -> Bootstrap<'b> {
        Bootstrap {
            connection,
            take_over: self.request.take_over,
            progress,
        }
    }

    fn outcome(&self, plan: bool, steps: Vec<bootstrap::Outcome>, waits: Vec<Waited>) -> Outcome {
        Outcome {
            cluster: self.cluster.name.clone(),
            server: self.seen.server.clone(),
            uid: self.seen.uid.clone(),
            plan,
            notes: self.seen.notes.clone(),
            steps,
            waits,
        }
    }

    /// Writes into `cluster.yaml` which cluster this is, where that does not stand there yet.
    fn record(&self) -> Result<()> {
        if self.cluster.uid.is_some() {
            return Ok(());
        }
        let file = layout::cluster(&self.cluster.name);
        let Some(path) = &self.file else {
            return Err(Error::refused(format!(
                "`{file}` does not say which cluster it is, and a revision cannot be written to"
            ))
            .hint("run this in a work tree, without `--rev`"));
        };
        let mut text = fs_err::read_to_string(path)?;
        for (key, value) in [("server", &self.seen.server), ("uid", &self.seen.uid)] {
            text = grove_yaml::set(&text, &["kubernetes", key], &value.as_str().into()).map_err(
                |error| {
                    Error::from_error(Kind::No, &error)
                        .context(format!("`{file}` cannot be edited"))
                },
            )?;
        }
        files::write_atomically(path, &text)?;
        self.around.note(&format!(
            "recorded in `{file}` that this is the cluster {}; commit it",
            self.seen.uid
        ));
        Ok(())
    }
}

/// Tells of each step, and what it waits for.
fn progress(around: &Around) -> impl Fn(&str) + Sync {
    |text| around.progress(text)
}

/// Who holds the lock: user, host and process.
fn holder(user: &str, host: &str) -> Holder {
    Holder(format!("{user}@{host} (process {})", std::process::id()))
}

/// Whether the holder was a process of this host that is no more.
fn is_gone(holder: &Holder, host: &str) -> bool {
    let here = format!("@{host} (process ");
    holder
        .0
        .split_once(&here)
        .and_then(|(_, rest)| rest.strip_suffix(')')?.parse::<i32>().ok())
        .is_some_and(|process| {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None).is_err()
        })
}
