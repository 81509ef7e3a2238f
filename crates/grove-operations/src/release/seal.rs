//! Sealing an instance's objects with today's values.

use std::collections::{BTreeMap, BTreeSet};

use grove_fleet::{
    model::{Cluster, Instance, SecretReference},
    rotation,
};
use grove_release::{Scan, View};
use grove_render::Tree;
use grove_seal::{
    Ciphertexts, Secret,
    ciphertexts::{FingerprintKey, Opened, RefreshError, refresh},
    derive,
    keys::SealingKey,
};

use crate::{
    Error, Kind, Result,
    secrets::{names::FINGERPRINT_KEY, open::Secrets},
};

/// An instance's objects, sealed, and how that was done.
pub(crate) struct Sealed {
    /// By file name.
    pub objects: grove_release::Objects,
    /// Today's ciphertexts.
    pub ciphertexts: Ciphertexts,
    /// How the objects were searched for plain secrets.
    pub scan: Scan,
    /// The names whose value is new or another than before.
    pub changed: BTreeSet<String>,
}

/// What sealing starts from.
pub(crate) struct Sealer<'a> {
    pub cluster: &'a Cluster,
    pub secrets: &'a Secrets<'a>,
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
        // bring a rotated value back. What is derived follows from these values.
        let mut references = sources(instance);
        let deployed = |name: &str| previous.and_then(|previous| previous.secrets.get(name));
        for (name, source) in &mut references {
            if let Some(entry) = deployed(name) {
                source.clone_from(&entry.source);
            }
        }
        let mut wanted = derive::sources(names, &references)?;
        for (name, source) in &mut wanted {
            // The ciphertexts have no stale derived value: see `keep_unused`.
            if let Some(entry) = deployed(name) {
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
            Error::new(
                Kind::No,
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
            RefreshError::Missing(name) => Error::new(
                Kind::No,
                format!("{} has no secret `{name}`, which its files need", instance.address),
            )
            .hint("`grove secret generate` makes what Tutor declares, `grove secret set` takes the rest"),
            RefreshError::Sealing(name) => Error::new(
                Kind::No,
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
            .map_err(|error| Error::from_error(Kind::Bug, &error))?;
        if !report.hits.is_empty() {
            let mut error = Error::new(
                Kind::No,
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
                Error::new(
                    Kind::No,
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

/// Ciphertexts as the value of `sealed.yaml`.
pub(crate) fn ciphertexts_value(ciphertexts: &Ciphertexts) -> Result<serde_json::Value> {
    serde_json::to_value(ciphertexts).map_err(|error| Error::from_error(Kind::Bug, &error))
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

/// The digests of an instance's secrets, by name.
fn sources(instance: &Instance) -> BTreeMap<String, String> {
    instance
        .secrets
        .iter()
        .map(|(name, reference)| (name.clone(), reference.digest.clone()))
        .collect()
}

/// Keeps the ciphertexts that this release does not use, as long as the fleet has the secrets: a
/// rollback, or a plugin that is turned on again, then needs no key and finds the same values. A
/// derived value goes with the one that it was derived from, which has another now.
fn keep_unused(instance: &Instance, previous: Option<&Ciphertexts>, today: &mut Ciphertexts) {
    let has = |name: &str| instance.secrets.contains_key(name);
    let same = previous.filter(|previous| {
        previous.certificate == today.certificate && previous.namespace == today.namespace
    });
    let Some(same) = same else { return };
    let mut references = sources(instance);
    for (name, source) in &mut references {
        if let Some(entry) = today.secrets.get(name).or_else(|| same.secrets.get(name)) {
            source.clone_from(&entry.source);
        }
    }
    for (name, entry) in &same.secrets {
        let is_kept = has(name)
            || derive::sources(&BTreeSet::from([name.clone()]), &references)
                .is_ok_and(|sources| sources.get(name) == Some(&entry.source));
        if is_kept {
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
