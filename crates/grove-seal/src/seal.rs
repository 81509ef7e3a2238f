//! From an instance's unsealed tree to what is deployed: Sealed Secrets, names that end in hashes,
//! and references that follow them.
//!
//! Sealing is a pure function of the tree and the sealed values. An older release is sealed again
//! with today's values by [`reseal`], which first takes the sealing off; both ways give the same
//! objects.

mod configuration;
mod environment;
mod error;
mod expansion;
mod job;
pub(crate) mod object;
mod one_off;
mod projected;
mod references;
mod template;
mod unseal;
mod variables;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use error::Error;
pub use one_off::one_off;

use crate::{Ciphertexts, names, placeholder, positions};

/// Objects as they are deployed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sealed {
    /// By file name: `<kind>-<name>.yaml`.
    pub objects: BTreeMap<String, Value>,
    /// The names of the secrets that they need.
    pub names: BTreeSet<String>,
}

/// Seals an unsealed tree for the instance's namespace.
///
/// - A `ConfigMap` or `Secret` with placeholders becomes a `SealedSecret` whose template is the
///   file and whose `encryptedData` holds only the values it names.
/// - Configuration that a pod reads gets a name that ends in a hash of content and values, and is
///   immutable: a changed value restarts its readers and nothing else. Copies for Jobs keep their
///   names, and so do credentials of registries, which pods do not read.
/// - A value in `env` becomes a `secretKeyRef`; one within other text, in `args` or in `command`
///   becomes a variable that the kubelet expands.
/// - A Job's name ends in a hash of its images, commands, the values they name and its retries.
pub fn seal(
    objects: &BTreeMap<String, Value>,
    ciphertexts: &Ciphertexts,
    namespace: &str,
) -> Result<Sealed, Error> {
    if ciphertexts.namespace != namespace {
        return Err(Error::Namespace {
            sealed: ciphertexts.namespace.clone(),
            wanted: namespace.to_owned(),
        });
    }
    let names = known_names(objects, ciphertexts)?;
    let unfit = positions::check(objects, ciphertexts);
    if !unfit.is_empty() {
        return Err(Error::Positions(unfit));
    }

    let mut sealing = Sealing {
        ciphertexts,
        namespace,
        out: BTreeMap::new(),
    };
    let mut references = references::References::default();
    let mut others = Vec::new();
    for (file, object) in objects {
        if object::is_configuration(object) {
            let (sealed, target) = configuration::seal(object, &sealing)?;
            references.insert(object::kind(object), object::logical_name(object), target);
            sealing.add(file, object, sealed)?;
        } else {
            others.push((file, object));
        }
    }
    let mut jobs = environment::Readers::default();
    for (file, object) in others {
        let mut new = object.clone();
        references.follow(&mut new)?;
        let readers = environment::move_out(&mut new, &sealing)?;
        if object::kind(object) == "Job" {
            jobs.join(readers);
            job::name(&mut new, object, ciphertexts);
        } else if let Some(secret) = readers.into_secret(&sealing)? {
            sealing.add_new(secret)?;
        }
        sealing.add(file, object, new)?;
    }
    if let Some(secret) = jobs.into_secret(&sealing)? {
        sealing.add_new(secret)?;
    }
    sealing.finish(names)
}

/// Seals the objects of an older release again, with today's values.
///
/// What that release kept for others is left out: configuration of releases before it, and Jobs of
/// a release that it had left. Its successor decides anew what it keeps.
pub fn reseal(
    objects: &BTreeMap<String, Value>,
    ciphertexts: &Ciphertexts,
    namespace: &str,
) -> Result<Sealed, Error> {
    seal(&unseal::unseal(objects)?, ciphertexts, namespace)
}

/// The names of the secrets that a sealed tree uses, without what it keeps for others.
pub fn names(objects: &BTreeMap<String, Value>) -> Result<BTreeSet<String>, Error> {
    let mut used = BTreeSet::new();
    for object in unseal::unseal(objects)?.values() {
        placeholder::collect(object, &mut used);
    }
    Ok(used)
}

/// What every part of the sealing of one instance needs.
struct Sealing<'a> {
    ciphertexts: &'a Ciphertexts,
    namespace: &'a str,
    out: BTreeMap<String, Value>,
}

impl Sealing<'_> {
    /// Adds what an object became: in its own file where its name and kind stayed.
    fn add(&mut self, file: &str, before: &Value, object: Value) -> Result<(), Error> {
        let same = object::kind(before) == object::kind(&object)
            && object::name(before) == object::name(&object);
        let file = if same {
            file.to_owned()
        } else {
            object::file(&object)
        };
        self.put(file, object)
    }

    /// Adds an object that the tree had not.
    fn add_new(&mut self, object: Value) -> Result<(), Error> {
        self.put(object::file(&object), object)
    }

    fn put(&mut self, file: String, object: Value) -> Result<(), Error> {
        if self.out.contains_key(&file) {
            return Err(Error::Clash { file });
        }
        self.out.insert(file, object);
        Ok(())
    }

    /// What stands under `encryptedData`, and what the values are known by.
    fn encrypted(&self, names: &BTreeSet<String>) -> Result<Encrypted, Error> {
        let mut encrypted = Encrypted::default();
        for name in names {
            let entry = self
                .ciphertexts
                .secrets
                .get(name)
                .ok_or_else(|| Error::Unknown {
                    name: name.clone(),
                    objects: Vec::new(),
                })?;
            encrypted
                .data
                .insert(name.clone(), entry.ciphertext.clone().into());
            encrypted
                .fingerprints
                .insert(name.clone(), entry.fingerprint.clone());
        }
        Ok(encrypted)
    }

    fn finish(self, names: BTreeSet<String>) -> Result<Sealed, Error> {
        for object in self.out.values() {
            let mut left = BTreeSet::new();
            placeholder::collect(object, &mut left);
            if let Some(name) = left.pop_first() {
                return Err(Error::Misplaced {
                    path: object::path_of(object, &name),
                    object: object::title(object),
                    name,
                });
            }
        }
        Ok(Sealed {
            objects: self.out,
            names,
        })
    }
}

/// The values of one `SealedSecret`.
#[derive(Default)]
struct Encrypted {
    data: serde_json::Map<String, Value>,
    fingerprints: BTreeMap<String, String>,
}

/// Every name in the tree, all of them sealed.
fn known_names(
    objects: &BTreeMap<String, Value>,
    ciphertexts: &Ciphertexts,
) -> Result<BTreeSet<String>, Error> {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for object in objects.values() {
        let mut names = BTreeSet::new();
        placeholder::collect(object, &mut names);
        for (_, content) in object::encoded_texts(object) {
            names.extend(placeholder::names(&content).map(str::to_owned));
        }
        for name in names {
            holders.entry(name).or_default().push(object::title(object));
        }
    }
    if let Some((name, objects)) = holders
        .iter()
        .find(|(name, _)| !ciphertexts.secrets.contains_key(*name))
    {
        return Err(Error::Unknown {
            name: name.clone(),
            objects: objects.clone(),
        });
    }
    Ok(holders.into_keys().collect())
}

/// Ten lower-case digits by which a name tells one content from another.
fn suffix(content: &Value) -> String {
    let text = format!("grove name 1\n{content}");
    let digest = grove_core::digest::sha256(text.as_bytes());
    digest
        .trim_start_matches("sha256:")
        .chars()
        .take(10)
        .collect()
}

/// Whether `name` is `logical` with a suffix of ours; a long logical name may be cut short.
fn has_suffix(name: &str, logical: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(start, end)| {
        logical.starts_with(start)
            && end.len() == 10
            && end
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    }) && name != logical
}

/// Whether an annotation of ours says `true`.
fn is_marked(object: &Value, annotation: &str) -> bool {
    object::annotation(object, annotation) == Some("true")
}

/// Whether an object is the stable copy for Jobs.
fn is_jobs_copy(object: &Value) -> bool {
    is_marked(object, names::JOBS_COPY)
}
