//! What opens and changes any SOPS file: the user's identities, or the `sops` program.

use std::path::Path;

use jiff::Timestamp;

use super::{Creation, Error, Identities, Sops, SopsFile, Tree, create};
use crate::Secret;

/// The user's keys, and the program for what they do not open.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    /// Private age keys.
    pub identities: Identities,
    /// The `sops` program.
    pub sops: Sops,
}

impl Keyring {
    /// Every value of a file with the keys that lead to it; lists are left out.
    pub fn values(&self, file: &SopsFile) -> Result<Vec<(Vec<String>, Secret)>, Error> {
        if file.needs_program().is_some() {
            return self.sops.open(file);
        }
        let open = file.open(&self.identities)?;
        Ok(open
            .values()
            .map(|(path, value)| (path.to_vec(), value.clone()))
            .collect())
    }

    /// The file's text with the value at `path` set.
    pub fn set(
        &self,
        file: &SopsFile,
        path: &[&str],
        value: &Secret,
        now: Timestamp,
    ) -> Result<String, Error> {
        if file.needs_program().is_some() {
            return self.sops.set(file, path, value);
        }
        let changed = file.open(&self.identities)?.set(path, value, now)?;
        Ok(changed.text().to_owned())
    }

    /// The file's text without the value at `path`.
    pub fn remove(&self, file: &SopsFile, path: &[&str], now: Timestamp) -> Result<String, Error> {
        if file.needs_program().is_some() {
            return self.sops.remove(file, path);
        }
        let changed = file.open(&self.identities)?.remove(path, now)?;
        Ok(changed.text().to_owned())
    }

    /// A new file. `config` is the `.sops.yaml` that `creation` was read from, and `name` the
    /// file's path from its directory.
    pub fn create(
        &self,
        name: &str,
        values: &Tree,
        creation: &Creation,
        config: &Path,
        now: Timestamp,
    ) -> Result<String, Error> {
        if creation.needs_program().is_some() {
            return self.sops.create(name, values, config);
        }
        create(name, values, creation, now)
    }
}
