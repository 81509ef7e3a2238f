//! `grove cluster bootstrap`.

use std::time::Duration;

use clap_complete::ArgValueCandidates;
use grove_cluster::{
    Connection,
    bootstrap::{
        Bootstrap, Holder, Input, Lock, Note, Outcome, RepositoryCredential,
        SEALED_SECRETS_NAMESPACE, SealingKey, Step, credential_secret, preflight, sealing_secret,
        steps,
    },
};
use grove_fleet::{
    Fleet, layout,
    model::{Cluster, SecretReference},
};
use grove_seal::keys::KeyPair;
use serde_json::Value;

use crate::{
    cli::Global,
    commands::{bundle, candidates, rollback::find_cluster},
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    following::{self, Wait},
    output::{Output, count},
    releasing::{RETIRED_KEY, Remotes, SEALING_KEY, short_digest},
    secrets::Secrets,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Install what a cluster needs to deploy by itself.
///
/// From an empty API server: the fleet's sealing key, Sealed Secrets, Argo CD, the root Applications.
///
/// Looks first and does only what is missing: a run that was interrupted is mended by the next one,
/// and a second one changes nothing. Versions stand in `cluster.yaml`, or are the bundle's defaults;
/// an upgrade is a change there and the same command.
///
/// The first run records in `cluster.yaml` which cluster it is. Every later command that writes to
/// the cluster refuses another one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove cluster bootstrap prod --plan\n\
    \x20 grove cluster bootstrap prod --context do-ams3-prod")]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(add = ArgValueCandidates::new(candidates::clusters))]
    name: String,
    /// Show what would be done, and write nothing.
    #[arg(long)]
    plan: bool,
    /// How long it may take, in seconds; a later run goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
    /// Take over fields that others manage, instead of stopping there.
    #[arg(long)]
    take_over: bool,
    #[command(flatten)]
    lock: bundle::Lock,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.sound(output)?;
    let cluster = find_cluster(&fleet, &arguments.name)?;
    // Whether there is something for the second root is read before anything is written.
    output.progress(&format!("fetching the deploy branch of {}", cluster.name));
    let shared = match arguments.remotes.open(&workspace, &fleet, &cluster.name) {
        Ok(branch) => match branch.tip() {
            Some(tip) => following::Release::shared(&branch, cluster, tip)?,
            None => Vec::new(),
        },
        Err(error) => {
            output.progress_done();
            output.warn(&format!(
                "the deploy repository cannot be read yet: {error}"
            ));
            Vec::new()
        }
    };
    output.progress_done();
    if shared.is_empty() && (cluster.harmony.is_some() || !cluster.addons.is_empty()) {
        output.warn(&format!(
            "Harmony and add-ons of {0} are not released yet: `grove cluster deploy {0}`, then this again",
            cluster.name
        ));
    }
    let run = Run {
        arguments,
        workspace: &workspace,
        fleet: &fleet,
        cluster,
        secrets: Secrets::new(&workspace, &fleet),
        output,
    };
    let report = block_on(async {
        let limit = Duration::from_secs(arguments.timeout);
        match tokio::time::timeout(limit, run.all(!shared.is_empty())).await {
            Ok(result) => result,
            Err(_) => Err(CommandError::new(
                Exit::OutOfTime,
                format!(
                    "the bootstrap of {} did not end within {} s",
                    cluster.name, arguments.timeout
                ),
            )
            .hint("run it again, it goes on where it is; `--timeout` gives it more time")),
        }
    })?;
    let mut waits = (Vec::new(), Exit::Done);
    if !arguments.plan && !shared.is_empty() {
        // What was recorded a moment ago stands in the file, not in what was loaded before.
        let mut clusters = fleet.clusters.clone();
        if let Some(cluster) = clusters.get_mut(&arguments.name) {
            cluster.uid = Some(report.uid.clone());
        }
        let wait = Wait {
            wait: true,
            timeout: arguments.timeout,
            reach: arguments.reach.clone(),
        };
        waits = following::follow(&wait, &clusters, &shared, output)?;
    }
    run.print(&report, &waits.0)?;
    Ok(waits.1)
}

/// What a bootstrap found and did.
struct Report {
    server: String,
    uid: String,
    notes: Vec<Note>,
    outcomes: Vec<Outcome>,
}

impl Report {
    fn new(connection: &Connection, notes: Vec<Note>, outcomes: Vec<Outcome>) -> Self {
        Self {
            server: connection.server().to_owned(),
            uid: connection.uid().to_owned(),
            notes,
            outcomes,
        }
    }
}

struct Run<'a> {
    arguments: &'a Arguments,
    workspace: &'a Workspace,
    fleet: &'a Fleet,
    cluster: &'a Cluster,
    secrets: Secrets<'a>,
    output: &'a Output,
}

impl Run<'_> {
    async fn all(&self, has_shared: bool) -> Result<Report> {
        let cluster = self.cluster;
        self.output.progress(&format!("reaching {}", cluster.name));
        let connection = self.arguments.reach.connect(cluster).await?;
        self.output.progress("preflight");
        let now = surroundings::now()?;
        let notes = preflight(
            &connection,
            &cluster.argocd_namespace,
            &cluster.ingress_class,
            now,
        )
        .await?;
        self.output.progress_done();
        for note in &notes {
            self.output
                .warn(&format!("{}; {}", note.message, note.hint));
        }
        let steps = self.steps(&connection, has_shared).await?;
        let progress = |text: &str| self.output.progress(text);
        let bootstrap = Bootstrap {
            connection: &connection,
            take_over: self.arguments.take_over,
            progress: &progress,
        };
        if self.arguments.plan {
            let mut outcomes = Vec::new();
            for step in &steps {
                outcomes.push(bootstrap.plan(step).await?);
            }
            self.output.progress_done();
            return Ok(Report::new(&connection, notes, outcomes));
        }
        let lock = Lock::take(&connection, holder(), now, &is_gone).await?;
        self.record(&connection)?;
        let mut outcomes = Vec::new();
        for step in &steps {
            match bootstrap.run(step).await {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => {
                    self.output.progress_done();
                    // What was done is known; an unreachable server lets the lock run out.
                    lock.release().await.ok();
                    return Err(CommandError::from(error)
                        .context(format!("the step `{}` did not end", step.name))
                        .hint("run it again: what is done stays, it goes on from here"));
                }
            }
        }
        lock.release().await?;
        self.output.progress_done();
        Ok(Report::new(&connection, notes, outcomes))
    }

    /// What is to be applied. Secrets that the cluster has already are neither opened nor written.
    async fn steps(&self, connection: &Connection, has_shared: bool) -> Result<Vec<Step>> {
        let cluster = self.cluster;
        let (bundle, store) = (self.arguments.lock.bundle()?, bundle::store()?);
        let argocd = bundle.version("argocd", cluster.argocd_version.as_deref());
        let sealed = bundle.version("sealed-secrets", cluster.sealed_secrets_version.as_deref());
        let mut secrets = Vec::new();
        let mut sealing_keys = Vec::new();
        for key in self.sealing_keys()? {
            if !connection
                .has_secret(SEALED_SECRETS_NAMESPACE, &key.name, &key.private.digest)
                .await?
            {
                secrets.push(self.sealing_secret(&key)?);
            }
            sealing_keys.push(key.name);
        }
        secrets.extend(self.credential(connection).await?);
        Ok(steps(Input {
            argocd_namespace: cluster.argocd_namespace.clone(),
            argocd: store.objects(&bundle, "argocd", argocd)?,
            sealed_secrets_crds: store.objects(&bundle, "sealed-secrets", sealed)?,
            sealed_secrets_version: sealed.to_owned(),
            sealing_keys,
            secrets,
            roots: grove_render::roots(
                cluster,
                &self.fleet.name,
                &self.fleet.deploy_remote,
                has_shared,
            ),
        }))
    }

    fn sealing_keys(&self) -> Result<Vec<Key<'_>>> {
        let cluster = self.cluster;
        let lacks = |what: &str| {
            CommandError::new(Exit::No, format!("the cluster `{}` has no {what}", cluster.name))
                .hint("`grove new cluster` makes both halves of its sealing key; restore them from Git's history")
        };
        let certificate = cluster
            .sealing
            .as_ref()
            .ok_or_else(|| lacks("`sealing.pem`"))?;
        let private = cluster
            .secrets
            .get(SEALING_KEY)
            .ok_or_else(|| lacks(&format!("`cluster.{SEALING_KEY}` among its secrets")))?;
        let mut keys = vec![Key {
            name: format!("sealing-{}", short_digest(&certificate.pem)?),
            certificate: Some(&certificate.pem),
            private,
        }];
        // Those that were rotated away open what was sealed to them.
        for (name, private) in &cluster.secrets {
            if let Some(short) = name.strip_prefix(RETIRED_KEY) {
                keys.push(Key {
                    name: format!("sealing-{}", short.to_ascii_lowercase()),
                    certificate: None,
                    private,
                });
            }
        }
        Ok(keys)
    }

    fn sealing_secret(&self, key: &Key<'_>) -> Result<Value> {
        let (private, own) = KeyPair::split(&self.secrets.value(key.private)?);
        let certificate = match (key.certificate, own) {
            // The pair of a rotation that was interrupted would open nothing.
            (Some(certificate), Some(own)) if own.trim() != certificate.trim() => {
                return Err(CommandError::refused(format!(
                    "`sealing.pem` of {} does not belong to `cluster.{SEALING_KEY}`",
                    self.cluster.name
                ))
                .hint("a rotation was interrupted: run `grove seal rotate` again"));
            }
            (Some(certificate), _) => certificate.to_owned(),
            (None, Some(own)) => own,
            (None, None) => {
                return Err(CommandError::new(
                    Exit::No,
                    format!("{} has no certificate beside its private key", key.name),
                )
                .hint("restore it from Git's history, as `grove seal rotate` wrote it"));
            }
        };
        Ok(sealing_secret(
            &key.name,
            SealingKey {
                certificate: &certificate,
                private: private.expose(),
                source: &key.private.digest,
            },
        ))
    }

    /// The credential by which Argo CD reads the deploy repository, where the fleet has one and the
    /// cluster does not have it yet.
    async fn credential(&self, connection: &Connection) -> Result<Option<Value>> {
        let cluster = self.cluster;
        let secret = |name: &str| cluster.secrets.get(name);
        let url = self.fleet.deploy_remote.replace("{cluster}", &cluster.name);
        let namespace = &cluster.argocd_namespace;
        let source = match (
            secret("DEPLOY_SSH_PRIVATE_KEY"),
            secret("DEPLOY_USERNAME"),
            secret("DEPLOY_PASSWORD"),
        ) {
            (Some(key), ..) => key.digest.clone(),
            (None, Some(user), Some(password)) => format!("{}+{}", user.digest, password.digest),
            _ => return Ok(None),
        };
        if connection
            .has_secret(namespace, "repository-deploy", &source)
            .await?
        {
            return Ok(None);
        }
        let open = |reference: Option<&SecretReference>| match reference {
            Some(reference) => self.secrets.value(reference).map(Some),
            None => Ok(None),
        };
        let key = open(secret("DEPLOY_SSH_PRIVATE_KEY"))?;
        let (user, password) = (
            open(secret("DEPLOY_USERNAME"))?,
            open(secret("DEPLOY_PASSWORD"))?,
        );
        let credential = match (&key, &user, &password) {
            (Some(key), ..) => RepositoryCredential::Ssh {
                private: key.expose(),
            },
            (None, Some(user), Some(password)) => RepositoryCredential::Password {
                user: user.expose(),
                password: password.expose(),
            },
            _ => return Ok(None),
        };
        Ok(Some(credential_secret(
            namespace, &url, credential, &source,
        )))
    }

    /// Writes into `cluster.yaml` which cluster this is, where that does not stand there yet.
    fn record(&self, connection: &Connection) -> Result<()> {
        if self.cluster.uid.is_some() {
            return Ok(());
        }
        let file = layout::cluster(&self.cluster.name);
        if self.workspace.commit.is_some() {
            return Err(CommandError::refused(format!(
                "`{file}` does not say which cluster it is, and a revision cannot be written to"
            ))
            .hint("run this in a work tree, without `--rev`"));
        }
        let path = self.workspace.root.join(&file);
        let mut text = fs_err::read_to_string(&path)?;
        for (key, value) in [("server", connection.server()), ("uid", connection.uid())] {
            text =
                grove_yaml::set(&text, &["kubernetes", key], &value.into()).map_err(|error| {
                    CommandError::from_error(Exit::No, &error)
                        .context(format!("`{file}` cannot be edited"))
                })?;
        }
        surroundings::write_atomically(&path, &text)?;
        self.output.note(&format!(
            "recorded in `{file}` that this is the cluster {}; commit it",
            connection.uid()
        ));
        Ok(())
    }

    fn print(&self, report: &Report, waits: &[following::Row]) -> Result<()> {
        let plan = self.arguments.plan;
        if is_json(self.output) {
            return self.output.json(&serde_json::json!({
                "version": 1, "cluster": self.cluster.name, "server": report.server,
                "uid": report.uid, "plan": plan, "notes": report.notes,
                "steps": report.outcomes, "waits": waits,
            }));
        }
        for outcome in &report.outcomes {
            let (create, change) = if plan {
                ("would create", "would change")
            } else {
                ("created", "changed")
            };
            let mut parts = Vec::new();
            for (verb, objects) in [
                (create, &outcome.created),
                (change, &outcome.changed),
                ("later", &outcome.later),
            ] {
                if !objects.is_empty() {
                    parts.push(format!("{verb} {}", count(objects.len(), "object")));
                }
            }
            if parts.is_empty() {
                parts.push("nothing to do".to_owned());
            }
            self.output
                .print(&format!("{}: {}\n", outcome.step, parts.join(", ")))?;
            for object in outcome
                .created
                .iter()
                .chain(&outcome.changed)
                .filter(|_| plan)
            {
                self.output.note(&format!("  {object}"));
            }
        }
        following::print(waits, self.output)
    }
}

/// A sealing key of the fleet.
struct Key<'a> {
    /// The name of its Secret.
    name: String,
    /// Its certificate, where it does not stand beside the private key.
    certificate: Option<&'a str>,
    private: &'a SecretReference,
}

/// Who holds the lock: user, host and process.
fn holder() -> Holder {
    Holder(format!(
        "{}@{} (process {})",
        surroundings::user(),
        surroundings::host(),
        std::process::id()
    ))
}

/// Whether the holder was a process of this host that is no more.
fn is_gone(holder: &Holder) -> bool {
    let here = format!("@{} (process ", surroundings::host());
    holder
        .0
        .split_once(&here)
        .and_then(|(_, rest)| rest.strip_suffix(')')?.parse::<i32>().ok())
        .is_some_and(|process| {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None).is_err()
        })
}
