//! Reading a deploy branch at one commit.

use std::collections::{BTreeMap, BTreeSet};

use gix::objs::FindExt as _;
use serde_json::Value;

use super::DeployBranch;
use crate::{
    Error, Freeze, Hold, Id, Objects, Record, Run, SharedRecord, layout, record::read_yaml,
};

/// The most files that one directory may have.
const ENTRIES: usize = 100_000;
/// The most bytes that one instance's objects may have.
const BYTES: usize = 256 << 20;

/// A deploy branch's content at one commit.
pub struct View<'a> {
    branch: &'a DeployBranch,
    commit: Option<Id>,
    /// The root tree; none where there is no commit.
    root: Option<Id>,
}

impl<'a> View<'a> {
    pub(super) fn new(branch: &'a DeployBranch, commit: Option<Id>) -> Result<Self, Error> {
        let root = match commit {
            Some(id) => Some(branch.store.with(|database| database.root(id))?),
            None => None,
        };
        Ok(Self {
            branch,
            commit,
            root,
        })
    }

    /// The commit that is read; none where the branch is not there yet.
    pub fn commit(&self) -> Option<Id> {
        self.commit
    }

    /// The bytes of a file; none where there is no such file.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(root) = self.root else {
            return Ok(None);
        };
        let blob = self.branch.store.with(|database| {
            match database
                .entry(root, path)?
                .filter(|entry| !entry.is_directory)
            {
                Some(entry) => database.blob(entry.id).map(Some),
                None => Ok(None),
            }
        })?;
        match blob {
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(size)) => Err(too_large(path, size)),
            None => Ok(None),
        }
    }

    /// The Git id of a directory; none where there is no such directory.
    pub fn tree_id(&self, path: &str) -> Result<Option<Id>, Error> {
        match self.root {
            Some(root) => self
                .branch
                .store
                .with(|database| database.directory(root, path)),
            None => Ok(None),
        }
    }

    /// The names in a directory, sorted; empty where there is no such directory.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Error> {
        let Some(tree) = self.tree_id(path)? else {
            return Ok(Vec::new());
        };
        self.branch.store.with(|database| {
            let mut buffer = Vec::new();
            database
                .find_tree_iter(&tree.object(), &mut buffer)?
                .take(ENTRIES)
                .map(|entry| Ok(entry?.filename.to_string()))
                .collect()
        })
    }

    /// The object of a file or directory; none where there is no such.
    pub(crate) fn entry(&self, path: &str) -> Result<Option<Id>, Error> {
        let Some(root) = self.root else {
            return Ok(None);
        };
        self.branch
            .store
            .with(|database| Ok(database.entry(root, path)?.map(|entry| entry.id)))
    }

    /// The objects in a directory by their names; none where there is no such directory.
    pub(crate) fn entries(&self, path: &str) -> Result<BTreeMap<String, Id>, Error> {
        let Some(tree) = self.tree_id(path)? else {
            return Ok(BTreeMap::new());
        };
        self.branch.store.with(|database| {
            let mut buffer = Vec::new();
            database
                .find_tree_iter(&tree.object(), &mut buffer)?
                .map(|entry| {
                    let entry = entry?;
                    Ok((entry.filename.to_string(), entry.oid.to_owned().into()))
                })
                .collect()
        })
    }

    /// Every instance that has objects or releases here, by name.
    pub fn instances(&self) -> Result<BTreeSet<String>, Error> {
        let mut names: BTreeSet<String> = self.list("instances")?.into_iter().collect();
        names.extend(self.list("releases")?);
        names.remove(layout::SHARED);
        Ok(names)
    }

    /// An instance's objects; none where it was never released.
    pub fn objects(&self, instance: &str) -> Result<Option<Objects>, Error> {
        match self.tree_id(&layout::objects(instance))? {
            Some(tree) => self.branch.objects_of(tree).map(Some),
            None => Ok(None),
        }
    }

    /// An instance's files in `apps/`, by file name.
    pub fn apps(&self, instance: &str) -> Result<Objects, Error> {
        let mut apps = Objects::new();
        for path in layout::apps(instance) {
            if let Some(bytes) = self.file(&path)? {
                let name = path.trim_start_matches("apps/").to_owned();
                apps.insert(name, read_yaml(&path, &bytes)?);
            }
        }
        Ok(apps)
    }

    /// The numbers of an instance's releases, newest first.
    pub fn releases(&self, instance: &str) -> Result<Vec<u32>, Error> {
        let mut numbers: Vec<u32> = self
            .list(&layout::releases(instance))?
            .iter()
            .filter_map(|name| layout::record_number(name))
            .collect();
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        Ok(numbers)
    }

    /// The commands that were run once in an instance, the newest first, at most `limit`.
    pub fn runs(&self, instance: &str, limit: usize) -> Result<Vec<Run>, Error> {
        let directory = layout::runs(instance);
        let mut names = self.list(&directory)?;
        names.sort_unstable_by(|one, other| other.cmp(one));
        let mut runs = Vec::new();
        for name in names.iter().take(limit) {
            let path = format!("{directory}/{name}");
            if let Some(bytes) = self.file(&path)? {
                runs.push(Run::from_yaml(&path, &bytes)?);
            }
        }
        Ok(runs)
    }

    /// The records of an instance's releases, newest first.
    pub fn history(&self, instance: &str) -> Result<Vec<Record>, Error> {
        self.releases(instance)?
            .into_iter()
            .map(|release| self.record(instance, release))
            .collect()
    }

    /// The record of the release that runs; none where nothing was ever released.
    pub fn latest(&self, instance: &str) -> Result<Option<Record>, Error> {
        self.releases(instance)?
            .first()
            .map(|release| self.record(instance, *release))
            .transpose()
    }

    /// The record of one release.
    pub fn record(&self, instance: &str, release: u32) -> Result<Record, Error> {
        let path = layout::record(instance, release);
        let bytes = self.file(&path)?.ok_or_else(|| Error::NoRelease {
            instance: instance.to_owned(),
            release,
        })?;
        let record = Record::from_yaml(&path, &bytes)?;
        if record.release != release || record.instance != instance {
            return Err(Error::Invalid {
                path,
                message: format!(
                    "it is the record of {}/{:04}",
                    record.instance, record.release
                ),
            });
        }
        Ok(record)
    }

    /// The records of the releases of what instances share, newest first.
    pub fn shared_history(&self) -> Result<Vec<SharedRecord>, Error> {
        self.releases(layout::SHARED)?
            .into_iter()
            .map(|release| self.shared_record(release))
            .collect()
    }

    /// The record of the release of what instances share that runs; none where there never was one.
    pub fn shared_latest(&self) -> Result<Option<SharedRecord>, Error> {
        self.releases(layout::SHARED)?
            .first()
            .map(|release| self.shared_record(*release))
            .transpose()
    }

    /// The record of one release of what instances share.
    pub fn shared_record(&self, release: u32) -> Result<SharedRecord, Error> {
        let path = layout::record(layout::SHARED, release);
        let bytes = self.file(&path)?.ok_or_else(|| Error::NoRelease {
            instance: "the shared part".to_owned(),
            release,
        })?;
        SharedRecord::from_yaml(&path, &bytes)
    }

    /// The hold of what instances share, where it is held.
    pub fn shared_hold(&self) -> Result<Option<Hold>, Error> {
        self.hold(layout::SHARED)
    }

    /// An instance's hold, where it is held.
    pub fn hold(&self, instance: &str) -> Result<Option<Hold>, Error> {
        let path = layout::hold(instance);
        self.file(&path)?
            .map(|bytes| Hold::from_yaml(&path, &bytes))
            .transpose()
    }

    /// An instance's freeze, in force or over.
    pub fn freeze(&self, instance: &str) -> Result<Option<Freeze>, Error> {
        let path = layout::freeze(instance);
        self.file(&path)?
            .map(|bytes| Freeze::from_yaml(&path, &bytes))
            .transpose()
    }

    /// An instance's `sealed.yaml`, as `grove-seal` wrote it.
    pub fn sealed(&self, instance: &str) -> Result<Option<Value>, Error> {
        let path = layout::sealed(instance);
        self.file(&path)?
            .map(|bytes| read_yaml(&path, &bytes))
            .transpose()
    }
}

impl DeployBranch {
    /// The objects of a release by the tree that its record names.
    pub fn objects_of(&self, tree: Id) -> Result<Objects, Error> {
        self.files_of(tree)?
            .into_iter()
            .filter(|(name, _)| !name.contains('/'))
            .map(|(name, bytes)| {
                let object = read_yaml(&name, &bytes)?;
                Ok((name, object))
            })
            .collect()
    }

    /// The files of a tree, by path below it.
    pub fn files_of(&self, tree: Id) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        // Git has the empty tree without anyone writing it.
        if tree == Id::empty_tree() {
            return Ok(BTreeMap::new());
        }
        let there = self.store.with(|database| Ok(database.has(tree)))?;
        if !there {
            return Err(Error::NoTree(tree));
        }
        let files = self.store.with(|database| {
            let (mut files, mut buffer) = (Vec::new(), Vec::new());
            let mut total = 0;
            let mut left = vec![(String::new(), tree)];
            while let Some((prefix, tree)) = left.pop() {
                for entry in database.find_tree_iter(&tree.object(), &mut buffer)? {
                    let entry = entry?;
                    let name = format!("{prefix}{}", entry.filename);
                    let id = Id::from(entry.oid.to_owned());
                    if entry.mode.is_tree() {
                        left.push((format!("{name}/"), id));
                    } else if entry.mode.is_blob() {
                        let blob = database.blob(id)?;
                        total += blob.as_ref().map_or(0, Vec::len);
                        files.push((name, blob));
                    }
                    if total > BYTES || files.len() + left.len() > ENTRIES {
                        return Ok(None);
                    }
                }
            }
            Ok(Some(files))
        })?;
        let files = files.ok_or_else(|| Error::TooMuch {
            limit: "256 MiB or 100,000 objects",
            place: format!("the tree {}", tree.short()),
        })?;
        files
            .into_iter()
            .map(|(name, blob)| {
                let bytes = blob.map_err(|size| too_large(&name, size))?;
                Ok((name, bytes))
            })
            .collect()
    }
}

fn too_large(path: &str, size: u64) -> Error {
    Error::Invalid {
        path: path.to_owned(),
        message: format!("it has {size} bytes"),
    }
}
