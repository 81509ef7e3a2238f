//! What a commit changes in a deploy branch.

use std::collections::BTreeMap;

use grove_core::digest::hex;
use grove_yaml::emit;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    Error, Freeze, Hold, Objects, Record, Run, SharedRecord, freeze::thaw, git::tree_id, layout,
};

/// Changes of files and whole directories of a deploy branch.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Path → new bytes, or nothing where the file is to go.
    pub(super) files: BTreeMap<String, Option<Vec<u8>>>,
    /// Directory → the files that it shall hold by their paths below it, and nothing else; empty where
    /// it is to go.
    pub(super) directories: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

/// One instance's next release.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its record. `tree` and `apps` are filled in from the objects below.
    pub record: Record,
    /// Its objects, by file name.
    pub objects: Objects,
    /// Its files in `apps/`, by file name.
    pub apps: Objects,
    /// Its `sealed.yaml`, where that changes.
    pub sealed: Option<Value>,
}

/// The next release of what a cluster's instances share.
#[derive(Clone, Debug)]
pub struct SharedRelease {
    /// Its record. `tree` and `charts` are filled in from what is below.
    pub record: SharedRecord,
    /// The objects of `cluster/`, by file name.
    pub cluster: Objects,
    /// The files of `charts/`, by path below it.
    pub charts: BTreeMap<String, Vec<u8>>,
}

impl Changes {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.directories.is_empty()
    }

    /// Writes a file.
    pub fn write(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), Some(bytes.into()));
    }

    /// Deletes a file; one that is not there is no error.
    pub fn delete(&mut self, path: &str) {
        self.files.insert(path.to_owned(), None);
    }

    /// Makes a directory hold just `files` (by path below it).
    pub fn replace(&mut self, directory: &str, files: BTreeMap<String, Vec<u8>>) {
        self.directories.insert(directory.to_owned(), files);
    }

    /// Adds a release: its objects, its files in `apps/`, its record and its ciphertexts, so that a
    /// record and the tree that it names are always in one commit. Gives the record as written.
    pub fn release(&mut self, release: Release) -> Result<Record, Error> {
        let Release {
            mut record,
            objects,
            apps,
            sealed,
        } = release;
        let instance = record.instance.clone();
        // Nothing is released to a frozen instance: what there is of a freeze is over.
        let apps = thaw(&apps, &instance);
        self.delete(&layout::freeze(&instance));
        let files: BTreeMap<String, Vec<u8>> = objects
            .iter()
            .map(|(name, object)| (name.clone(), emit(object).into_bytes()))
            .collect();
        record.tree =
            tree_id(&files).ok_or_else(|| Error::InvalidPath(layout::objects(&instance)))?;
        record.time = whole_seconds(record.time);
        record.apps = (!apps.is_empty()).then(|| apps_digest(&apps));
        self.replace(&layout::objects(&instance), files);
        for path in layout::apps(&instance) {
            match apps.get(path.trim_start_matches("apps/")) {
                Some(object) => self.write(&path, emit(object)),
                None => self.delete(&path),
            }
        }
        self.write(&layout::record(&instance, record.release), record.to_yaml());
        if let Some(sealed) = sealed {
            self.write(&layout::sealed(&instance), emit(&sealed));
        }
        Ok(record)
    }

    /// Adds a release of what a cluster's instances share. Gives the record as written.
    pub fn release_shared(&mut self, release: SharedRelease) -> Result<SharedRecord, Error> {
        let SharedRelease {
            mut record,
            cluster,
            charts,
        } = release;
        let files: BTreeMap<String, Vec<u8>> = cluster
            .iter()
            .map(|(name, object)| (name.clone(), emit(object).into_bytes()))
            .collect();
        let id = |directory: &str, files| {
            tree_id(files).ok_or_else(|| Error::InvalidPath(directory.to_owned()))
        };
        record.tree = id(layout::CLUSTER, &files)?;
        record.charts = id(layout::CHARTS, &charts)?;
        record.time = whole_seconds(record.time);
        self.replace(layout::CLUSTER, files);
        self.replace(layout::CHARTS, charts);
        self.write(
            &layout::record(layout::SHARED, record.release),
            record.to_yaml(),
        );
        Ok(record)
    }

    /// Adds the record of a command that was run.
    pub fn run(&mut self, run: &Run) {
        self.write(&layout::run(run), run.to_yaml());
    }

    /// Holds what is shared.
    pub fn hold_shared(&mut self, hold: &Hold) {
        self.hold(layout::SHARED, hold);
    }

    /// Ends the hold of what is shared.
    pub fn unhold_shared(&mut self) {
        self.unhold(layout::SHARED);
    }

    /// Holds an instance.
    pub fn hold(&mut self, instance: &str, hold: &Hold) {
        self.write(&layout::hold(instance), hold.to_yaml());
    }

    /// Ends an instance's hold.
    pub fn unhold(&mut self, instance: &str) {
        self.delete(&layout::hold(instance));
    }

    /// Freezes an instance, whose files in `apps/` are `apps`.
    pub fn freeze(&mut self, instance: &str, freeze: &Freeze, apps: &Objects) {
        self.write(&layout::freeze(instance), freeze.to_yaml());
        self.apps(&crate::freeze::freeze(apps, instance, freeze));
    }

    /// Ends an instance's freeze, or takes out what is left of one.
    pub fn unfreeze(&mut self, instance: &str, apps: &Objects) {
        self.delete(&layout::freeze(instance));
        self.apps(&thaw(apps, instance));
    }

    fn apps(&mut self, apps: &Objects) {
        for (file, object) in apps {
            self.write(&format!("apps/{file}"), grove_yaml::emit(object));
        }
    }

    /// Every path that is changed: files, and directories as a whole.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files
            .keys()
            .chain(self.directories.keys())
            .map(String::as_str)
    }

    /// Refuses paths that could leave the branch or hide in it.
    pub(super) fn check(&self) -> Result<(), Error> {
        let below = self.directories.values().flat_map(BTreeMap::keys);
        for path in self.paths().chain(below.map(String::as_str)) {
            if !path.split('/').all(is_part) {
                return Err(Error::InvalidPath(path.to_owned()));
            }
        }
        Ok(())
    }
}

/// Records are read by people.
fn whole_seconds(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// `sha256:` and 64 digits over an instance's files in `apps/`.
pub(super) fn apps_digest(apps: &Objects) -> String {
    let mut hash = Sha256::new();
    for (name, object) in apps {
        let text = emit(object);
        // Lengths between the parts: no two sets of files give the same bytes.
        hash.update(format!("{} {}\n{name}{text}", name.len(), text.len()));
    }
    format!("sha256:{}", hex(&hash.finalize()))
}

/// Whether a name can be a part of a path: nothing that Git or a file system reads in another way.
fn is_part(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.eq_ignore_ascii_case(".git")
        && !name.chars().any(|c| c.is_control() || c == '\\')
}
