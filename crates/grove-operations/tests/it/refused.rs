//! What nobody agreed to, and what it leaves.

use std::{collections::BTreeMap, fs, path::Path};

use grove_operations::consent::{Consent, Needs};

/// A consent whose digest is of something else than it says.
pub(crate) fn wrong(needs: &Needs) -> Consent {
    let mut consent = serde_json::to_value(Consent::to(needs.clone())).unwrap();
    consent["digest"] = "sha256:0".into();
    serde_json::from_value(consent).unwrap()
}

/// Every byte below a directory: files by their paths from there. Links are left out.
pub(crate) fn bytes(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
