//! What deploy, diff and rollback share: a cluster's branch, sealed objects, and what they would
//! change.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use grove_fleet::{
    Address, Fleet,
    check::{Released, ReleasedDistribution, ReleasedInstance},
    model::{Cluster, Instance, SecretReference},
    rotation,
};
use grove_release::{
    Author, DeployBranch, Id, Record, Remote, Scan, View, branch_name, create_remote,
};
use grove_render::Tree;
use grove_seal::{
    Ciphertexts, Secret,
    ciphertexts::{FingerprintKey, Opened, RefreshError, refresh},
    derive,
    keys::SealingKey,
};

use crate::{
    error::{CommandError, Exit, Result, from_error},
    output::Output,
    secrets::Secrets,
    surroundings,
    workspace::{Workspace, base, git},
};

from_error!(grove_seal::seal::Error, |_| Exit::No);
from_error!(grove_seal::ciphertexts::Error, |_| Exit::Refused);

/// The name of the fingerprint key in the `cluster` map of a cluster's secrets.
pub(crate) const FINGERPRINT_KEY: &str = "FINGERPRINT_KEY";
/// The name of the private sealing key there.
pub(crate) const SEALING_KEY: &str = "SEALING_PRIVATE_KEY";

/// The beginning of the names of private keys there that were rotated away.
pub(crate) const RETIRED_KEY: &str = "SEALING_RETIRED_KEY_";

/// The name of a key pair among the secrets of a cluster once it is rotated away, by its certificate.
pub(crate) fn retired_key(certificate: &str) -> Result<String> {
    let short = short_digest(certificate)?.to_ascii_uppercase();
    Ok(format!("{RETIRED_KEY}{short}"))
}

/// Ten digits by which a certificate is known.
pub(crate) fn short_digest(certificate: &str) -> Result<String> {
    let key = SealingKey::from_pem(certificate)?;
    let digits = key.digest().trim_start_matches("sha256:");
    Ok(digits.chars().take(10).collect())
}

/// Where the deploy branches are.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Deploy repository")]
pub(crate) struct Remotes {
    /// Use this remote instead of `deploy.remote`; `{cluster}` stands for the cluster's name.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) deploy_remote: Option<String>,
}

impl Remotes {
    /// The pattern of the remotes.
    fn pattern<'a>(&'a self, fleet: &'a Fleet) -> &'a str {
        self.deploy_remote
            .as_deref()
            .unwrap_or(&fleet.deploy_remote)
    }

    /// The remote of a cluster.
    pub(crate) fn remote(
        &self,
        workspace: &Workspace,
        fleet: &Fleet,
        cluster: &str,
    ) -> Result<Remote> {
        let text = self.pattern(fleet).replace("{cluster}", cluster);
        // A pattern of the command line begins where the user is, one of the fleet at the fleet.
        let base = if self.deploy_remote.is_some() {
            std::env::current_dir()?
        } else {
            base(&workspace.root)?
        };
        Ok(Remote::parse(&text, &base)?)
    }

    /// Makes the deploy repository of a cluster where it is missing and a local path; says so.
    pub(crate) fn create(
        &self,
        workspace: &Workspace,
        fleet: &Fleet,
        cluster: &str,
        output: &Output,
    ) -> Result<()> {
        let remote = self.remote(workspace, fleet, cluster)?;
        if create_remote(&git(), &remote, &branch_name(cluster))? {
            output.note(&format!("made the deploy repository {remote}"));
        }
        Ok(())
    }

    /// Fetches the deploy branch of a cluster.
    pub(crate) fn open(
        &self,
        workspace: &Workspace,
        fleet: &Fleet,
        cluster: &str,
    ) -> Result<DeployBranch> {
        let remote = self.remote(workspace, fleet, cluster)?;
        DeployBranch::open(&git(), &remote, cluster, &caches()?).map_err(|error| {
            CommandError::from(error).context(format!("cannot open the deploy branch of {cluster}"))
        })
    }
}

/// Where clones of deploy branches are kept.
pub(crate) fn caches() -> Result<PathBuf> {
    Ok(surroundings::cache_directory()?.join("deploy-v1"))
}

/// The commit from which a running release was rendered: of a rollback, that of the release whose manifests
/// it took.
pub(crate) fn rendered_from(view: &View<'_>, address: &Address, mut record: Record) -> Result<Id> {
    while let Some(taken) = record.rollback_of {
        record = view.record(&address.instance, taken)?;
    }
    let release = record.release;
    match record.source.commit.filter(|_| !record.source.local) {
        Some(commit) => Ok(commit),
        None => Err(CommandError::refused(format!(
            "release {release:04} of {address} was made of a work tree, which is in no commit"
        ))
        .hint("deploy it from a commit first")),
    }
}

/// Who writes commits and records: Git's own settings.
pub(crate) fn author(workspace: &Workspace) -> Result<Author> {
    let mut git = grove_exec::Invocation::new("git")
        .args(["var", "GIT_AUTHOR_IDENT"])
        .cwd(&workspace.root)
        .pass(grove_exec::Variables::Git);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "EMAIL"] {
        git = git.pass_env(name);
    }
    // `Name <address> seconds zone`; an error where Git knows of none.
    let text = git.run_any()?.text().unwrap_or_default();
    let known = text
        .split_once(" <")
        .and_then(|(name, rest)| Some((name, rest.split_once('>')?.0)));
    let (name, email) = match known {
        Some((name, email)) => (name.to_owned(), email.to_owned()),
        None => (
            surroundings::user(),
            format!("{}@localhost", surroundings::user()),
        ),
    };
    Ok(Author { name, email })
}

/// An instance's objects, sealed, and how that was done.
pub(crate) struct Sealed {
    /// By file name.
    pub(crate) objects: grove_release::Objects,
    /// Today's ciphertexts.
    pub(crate) ciphertexts: Ciphertexts,
    /// How the objects were searched for plain secrets.
    pub(crate) scan: Scan,
    /// The names whose value is new or another than before.
    pub(crate) changed: BTreeSet<String>,
}

/// What sealing starts from.
pub(crate) struct Sealer<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) secrets: &'a Secrets<'a>,
}

impl Sealer<'_> {
    /// Seals rendered objects with today's values.
    pub(crate) fn seal(
        &self,
        instance: &Instance,
        tree: &Tree,
        previous: Option<&Ciphertexts>,
    ) -> Result<Sealed> {
        let wanted = derive::sources(&tree.secrets, &sources(instance))?;
        self.with(instance, &wanted, previous, &tree.apps, |ciphertexts| {
            grove_seal::seal::seal(&tree.objects, ciphertexts, &instance.identity.namespace)
        })
    }

    /// Seals an older release's objects again with today's values.
    pub(crate) fn seal_again(
        &self,
        instance: &Instance,
        names: &BTreeSet<String>,
        objects: &grove_release::Objects,
        previous: Option<&Ciphertexts>,
    ) -> Result<Sealed> {
        // What was deployed last is today's value, whatever this checkout has: a stale one must not
        // bring a rotated value back.
        let mut wanted = derive::sources(names, &sources(instance))?;
        for (name, source) in &mut wanted {
            if let Some(entry) = previous.and_then(|previous| previous.secrets.get(name)) {
                source.clone_from(&entry.source);
            }
        }
        let apps = grove_release::Objects::new();
        self.with(instance, &wanted, previous, &apps, |ciphertexts| {
            grove_seal::seal::reseal(objects, ciphertexts, &instance.identity.namespace)
        })
    }

    fn with(
        &self,
        instance: &Instance,
        wanted: &BTreeMap<String, String>,
        previous: Option<&Ciphertexts>,
        apps: &grove_release::Objects,
        seal: impl FnOnce(
            &Ciphertexts,
        )
            -> std::result::Result<grove_seal::seal::Sealed, grove_seal::seal::Error>,
    ) -> Result<Sealed> {
        let certificate = self.cluster.sealing.as_ref().ok_or_else(|| {
            CommandError::new(
                Exit::No,
                format!("the cluster `{}` has no `sealing.pem`", self.cluster.name),
            )
        })?;
        let key = SealingKey::from_pem(&certificate.pem)?;
        let names = wanted.keys().cloned().collect();
        let mut refreshed = refresh(
            previous,
            wanted,
            &key,
            &instance.identity.namespace,
            |_| self.open(instance, &names),
        )
        .map_err(|error| match error {
            RefreshError::Open(error) => error,
            RefreshError::Missing(name) => CommandError::new(
                Exit::No,
                format!("{} has no secret `{name}`, which its files need", instance.address),
            )
            .hint("`grove secret generate` makes what Tutor declares, `grove secret set` takes the rest"),
            RefreshError::Sealing(name) => CommandError::new(
                Exit::No,
                format!("the sealing certificate's key cannot seal `{name}`"),
            ),
        })?;
        keep_unused(instance, previous, &mut refreshed.ciphertexts);
        let objects = seal(&refreshed.ciphertexts)?.objects;
        let is_opened = refreshed.opened.is_some();
        let mut searched = refreshed.opened.unwrap_or_default();
        for pair in rotation::pairs(instance) {
            // The name of a user is sealed since it changes with its password. It is no secret, and often
            // the beginning of its database's name.
            for name in [pair.user, pair.previous, pair.retired] {
                searched.remove(&name);
            }
        }
        let report = grove_seal::scan::scan(objects.iter().chain(apps), &searched)
            .map_err(|error| CommandError::from_error(Exit::Bug, &error))?;
        if !report.hits.is_empty() {
            let mut error = CommandError::new(
                Exit::No,
                format!("a secret would stand in plain text in {}", instance.address),
            );
            error
                .messages
                .extend(report.hits.iter().map(ToString::to_string));
            return Err(error.hint(
                "nothing was written; move the value to the instance's secrets (`grove secret set`)",
            ));
        }
        Ok(Sealed {
            objects,
            scan: if is_opened { Scan::Full } else { Scan::Pattern },
            changed: refreshed.changed,
            ciphertexts: refreshed.ciphertexts,
        })
    }

    /// Opens every secret of an instance: what is sealed is taken from it, and all of it is searched
    /// for in the output.
    fn open(&self, instance: &Instance, names: &BTreeSet<String>) -> Result<Opened> {
        let mut values = BTreeMap::<String, Secret>::new();
        for (name, reference) in &instance.secrets {
            values.insert(name.clone(), self.secrets.value(reference)?);
        }
        let derived = derive::values(names, &values)?;
        values.extend(derived);
        let reference: &SecretReference =
            self.cluster.secrets.get(FINGERPRINT_KEY).ok_or_else(|| {
                CommandError::new(
                    Exit::No,
                    format!(
                        "the secrets of cluster `{}` have no `cluster.{FINGERPRINT_KEY}`",
                        self.cluster.name
                    ),
                )
                .hint("`grove new cluster` makes it; restore it from Git's history")
            })?;
        Ok(Opened {
            values,
            fingerprint_key: FingerprintKey::new(self.secrets.value(reference)?),
        })
    }
}

/// Today's ciphertexts of an instance, as the branch has them.
pub(crate) fn ciphertexts(view: &View<'_>, instance: &str) -> Result<Option<Ciphertexts>> {
    match view.file(&format!("releases/{instance}/sealed.yaml"))? {
        Some(bytes) => Ok(Some(Ciphertexts::from_yaml(&String::from_utf8_lossy(
            &bytes,
        ))?)),
        None => Ok(None),
    }
}

/// `cluster/instance@NNNN`.
pub(crate) fn release_name(cluster: &str, record: &Record) -> String {
    format!("{cluster}/{}@{:04}", record.instance, record.release)
}

/// Ciphertexts as the value of `sealed.yaml`.
pub(crate) fn ciphertexts_value(ciphertexts: &Ciphertexts) -> Result<serde_json::Value> {
    serde_json::to_value(ciphertexts).map_err(|error| CommandError::from_error(Exit::Bug, &error))
}

/// An instance's objects as a deploy would seal them, as far as that can be known without a key: a
/// value that changed has an invented ciphertext, which differs from every real one.
pub(crate) fn preview(
    instance: &Instance,
    tree: &Tree,
    previous: Option<&Ciphertexts>,
) -> Result<grove_release::Objects> {
    let wanted = derive::sources(&tree.secrets, &sources(instance))?;
    let ciphertexts = Ciphertexts::preview(previous, &wanted, &instance.identity.namespace);
    Ok(grove_seal::seal::seal(&tree.objects, &ciphertexts, &instance.identity.namespace)?.objects)
}

/// Adds what a cluster's branch says of the releases that run.
pub(crate) fn released(branch: &DeployBranch, released: &mut Released) -> Result<()> {
    let view = branch.view()?;
    for name in view.instances()? {
        let Some(record) = view.latest(&name)? else {
            continue;
        };
        let address = Address::new(branch.cluster(), &name);
        if !record.distribution.input.is_empty() {
            released
                .distributions
                .entry(record.distribution.name)
                .or_insert_with(|| ReleasedDistribution {
                    input: record.distribution.input,
                    by: address.clone(),
                });
        }
        if let Some(identity) = record.identity {
            let release = format!("{:04}", record.release);
            released
                .instances
                .insert(address, ReleasedInstance { release, identity });
        }
    }
    Ok(())
}

/// The digests of an instance's secrets, by name.
fn sources(instance: &Instance) -> BTreeMap<String, String> {
    instance
        .secrets
        .iter()
        .map(|(name, reference)| (name.clone(), reference.digest.clone()))
        .collect()
}

/// Keeps the ciphertexts that this release does not use, as long as the fleet has the secrets: a
/// rollback, or a plugin that is turned on again, then needs no key and finds the same values.
fn keep_unused(instance: &Instance, previous: Option<&Ciphertexts>, today: &mut Ciphertexts) {
    let has = |name: &str| instance.secrets.contains_key(name);
    let same = previous.filter(|previous| {
        previous.certificate == today.certificate && previous.namespace == today.namespace
    });
    for (name, entry) in same.into_iter().flat_map(|previous| &previous.secrets) {
        let is_derived =
            derive::parents(name).is_some_and(|parents| parents.iter().all(|parent| has(parent)));
        if has(name) || is_derived {
            today
                .secrets
                .entry(name.clone())
                .or_insert_with(|| entry.clone());
        }
    }
}

/// Whether a release would bring what an older one brought, whatever the values of its secrets are.
pub(crate) fn is_same_but_values(
    older: &grove_release::Objects,
    tree: &Tree,
    namespace: &str,
) -> Result<bool> {
    let mut names = tree.secrets.clone();
    names.extend(grove_seal::seal::names(older)?);
    let equal = names
        .into_iter()
        .map(|name| (name, String::new()))
        .collect();
    let ciphertexts = Ciphertexts::preview(None, &equal, namespace);
    let older = grove_seal::seal::reseal(older, &ciphertexts, namespace)?.objects;
    let new = grove_seal::seal::seal(&tree.objects, &ciphertexts, namespace)?.objects;
    Ok(grove_release::is_unchanged(&new, &older) && grove_release::is_unchanged(&older, &new))
}
