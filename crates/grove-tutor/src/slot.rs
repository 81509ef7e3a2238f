//! A directory of the cache that is made once, used by many processes, and made again if damaged.
//!
//! What is made knows its own path (a virtual environment does), so it is made where it stays: a
//! *generation* below the slot. `current.json` names the one to use, written last and as a whole.
//! A damaged one is not repaired but followed by a new one; it goes when no process uses it.

mod tree;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::cache::{lock_file, write_whole};
use crate::error::Error;

/// Facts about what was made, for its users.
pub(crate) type Facts = BTreeMap<String, String>;

/// The content of `current.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Current {
    /// The directory's name.
    generation: String,
    /// [`tree::listing`] of it.
    listing: String,
    /// [`tree::contents`] of it.
    contents: String,
    /// What its maker wanted to be known.
    facts: Facts,
}

/// A generation in use: no other process deletes it as long as this lives.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The generation's directory.
    pub(crate) root: PathBuf,
    /// What its maker wanted to be known.
    pub(crate) facts: Facts,
    /// The slot's directory.
    place: PathBuf,
    current: Current,
    _used: File,
}

impl Slot {
    /// The generation below `place` that works; `make` fills a new one where there is none.
    /// `works` is asked at each use, after a look at the listing.
    pub(crate) fn obtain(
        place: &Path,
        works: impl Fn(&Path) -> bool,
        make: impl FnOnce(&Path) -> Result<Facts, Error>,
    ) -> Result<Self, Error> {
        fs::create_dir_all(place)?;
        if let Some(slot) = Self::open(place, &works)? {
            return Ok(slot);
        }
        let making = lock_file(&place.join("lock"))?;
        grove_exec::lock(&making, None)?;
        // Another process may have made it while this one waited.
        if let Some(slot) = Self::open(place, &works)? {
            return Ok(slot);
        }
        sweep(place);
        let root = tempfile::Builder::new()
            .prefix("g")
            .tempdir_in(place)?
            .keep();
        let facts = make(&root).inspect_err(|_| discard(&root))?;
        let current = Current {
            generation: file_name(&root),
            listing: tree::listing(&root)?,
            contents: tree::contents(&root)?,
            facts,
        };
        write_whole(&place.join("current.json"), &to_json(&current))?;
        Self::open(place, &works)?.ok_or(Error::Unusable(root))
    }

    /// Whether every byte is as it was made.
    pub(crate) fn is_intact(&self) -> bool {
        tree::contents(&self.root).is_ok_and(|contents| contents == self.current.contents)
    }

    /// Has the next use make it anew, here and in other processes.
    pub(crate) fn condemn(&self) -> Result<(), Error> {
        let making = lock_file(&self.place.join("lock"))?;
        grove_exec::lock(&making, None)?;
        if read(&self.place).is_some_and(|current| current == self.current) {
            fs::remove_file(self.place.join("current.json"))?;
        }
        Ok(())
    }

    /// The current generation, where it is whole and works.
    fn open(place: &Path, works: impl Fn(&Path) -> bool) -> Result<Option<Self>, Error> {
        let Some(current) = read(place) else {
            return Ok(None);
        };
        let root = place.join(&current.generation);
        let used = lock_file(&use_mark(&root))?;
        used.lock_shared()?;
        // Between the two it may have been followed by another and deleted.
        let whole = read(place).as_ref() == Some(&current)
            && tree::listing(&root).is_ok_and(|listing| listing == current.listing)
            && works(&root);
        Ok(whole.then(|| Self {
            facts: current.facts.clone(),
            place: place.to_owned(),
            root,
            current,
            _used: used,
        }))
    }
}

/// What `current.json` says; nothing where it is missing or damaged.
fn read(place: &Path) -> Option<Current> {
    let text = fs::read(place.join("current.json")).ok()?;
    let current: Current = serde_json::from_slice(&text).ok()?;
    let plain = current
        .generation
        .bytes()
        .all(|c| c.is_ascii_alphanumeric());
    (plain && !current.generation.is_empty()).then_some(current)
}

fn to_json(current: &Current) -> Vec<u8> {
    // Texts always have a JSON form.
    serde_json::to_vec_pretty(current).unwrap_or_default()
}

/// Deletes the generations that nobody uses. To be called by the process that holds the slot's
/// lock, when none of them is good.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let root = entry.path();
        if root.is_dir() && lock_file(&use_mark(&root)).is_ok_and(|mark| mark.try_lock().is_ok()) {
            discard(&root);
        }
    }
}

/// Deletes a generation; what cannot be deleted is left for the next sweep.
fn discard(root: &Path) {
    if fs::remove_dir_all(root).is_ok() {
        drop(fs::remove_file(use_mark(root)));
    }
}

/// The file that the users of a generation hold a lock on.
fn use_mark(root: &Path) -> PathBuf {
    root.with_file_name(format!("{}.used", file_name(root)))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn obtain(place: &Path, made: &Cell<u32>) -> Slot {
        let make = |root: &Path| {
            made.set(made.get() + 1);
            fs::create_dir(root.join("dir"))?;
            fs::write(root.join("dir/file"), "content")?;
            Ok(Facts::from([("key".to_owned(), "value".to_owned())]))
        };
        Slot::obtain(place, |_| true, make).unwrap()
    }

    #[test]
    fn it_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let made = Cell::new(0);
        let first = obtain(dir.path(), &made);
        let second = obtain(dir.path(), &made);
        assert_eq!((first.root.clone(), made.get()), (second.root, 1));
        assert_eq!(first.facts["key"], "value");
        assert!(first.is_intact());
    }

    #[test]
    fn a_change_of_size_is_seen_at_the_next_use_and_the_old_one_goes_when_unused() {
        let dir = tempfile::tempdir().unwrap();
        let made = Cell::new(0);
        let old = obtain(dir.path(), &made);
        fs::write(old.root.join("dir/file"), "longer content").unwrap();
        let new = obtain(dir.path(), &made);
        assert_eq!(made.get(), 2);
        assert_ne!(old.root, new.root);
        // It is in use, so it stays.
        assert!(old.root.exists());
        let old_root = old.root.clone();
        drop(old);
        fs::remove_file(new.root.join("dir/file")).unwrap();
        obtain(dir.path(), &made);
        assert!(!old_root.exists() && new.root.exists());
    }

    #[test]
    fn a_change_of_content_is_found_by_the_full_check_and_can_be_condemned() {
        let dir = tempfile::tempdir().unwrap();
        let made = Cell::new(0);
        let old = obtain(dir.path(), &made);
        fs::write(old.root.join("dir/file"), "CONTENT").unwrap();
        let again = obtain(dir.path(), &made);
        assert_eq!(made.get(), 1);
        assert!(!again.is_intact());
        again.condemn().unwrap();
        let new = obtain(dir.path(), &made);
        assert_eq!(made.get(), 2);
        // One that was followed already is condemned in vain.
        again.condemn().unwrap();
        assert_eq!(obtain(dir.path(), &made).root, new.root);
    }

    #[test]
    fn one_that_does_not_work_is_made_again_and_a_failure_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let made = Cell::new(0);
        let old = obtain(dir.path(), &made).root;
        let failed = Slot::obtain(dir.path(), |root| root != old, |_| Err(Error::NoPython));
        assert!(matches!(failed, Err(Error::NoPython)));
        let left = fs::read_dir(dir.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_dir());
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn a_damaged_marker_is_no_marker() {
        let dir = tempfile::tempdir().unwrap();
        let made = Cell::new(0);
        obtain(dir.path(), &made);
        for text in [
            "",
            "{}",
            r#"{"generation":"../../x","listing":"","contents":"","facts":{}}"#,
        ] {
            fs::write(dir.path().join("current.json"), text).unwrap();
            obtain(dir.path(), &made);
        }
        assert_eq!(made.get(), 4);
    }

    #[test]
    fn many_at_once_make_one() {
        let dir = tempfile::tempdir().unwrap();
        let roots: Vec<PathBuf> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| obtain(dir.path(), &Cell::new(0)).root))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(roots.iter().all(|root| *root == roots[0]));
    }
}
