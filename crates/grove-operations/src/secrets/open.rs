//! Opening and writing the fleet's SOPS files: in the process where an age key is at hand, through
//! the `sops` program otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use grove_fleet::{
    Fleet,
    model::{Cluster, Engine, Instance, SecretReference},
};
use grove_seal::{
    Secret,
    source::{Creation, Identities, Sops, SopsFile, Tree, create, creation_for},
};

use super::keys;
use crate::{
    Error, Kind, Result,
    fleet::{history, workspace::Workspace},
};

/// A file's values, by the keys that lead to each.
type Values = BTreeMap<Vec<String>, Secret>;

/// The fleet's secrets, each file opened only when something needs it, and then kept.
///
/// Several threads may open files at once. No lock is held meanwhile, so two that need the same file at the
/// same moment both open it, and have the same values.
pub(crate) struct Secrets<'a> {
    workspace: &'a Workspace<'a>,
    fleet: &'a Fleet,
    /// The private keys, once a file needed them.
    identities: Mutex<Option<Arc<Identities>>>,
    /// The values of the files that were opened, by path.
    opened: Mutex<BTreeMap<String, Arc<Values>>>,
}

/// What is kept changes in one step, so a panic of another thread leaves it whole.
fn hold<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Secrets<'a> {
    /// Secrets of a fleet, none opened.
    pub(crate) fn new(workspace: &'a Workspace, fleet: &'a Fleet) -> Self {
        Self {
            workspace,
            fleet,
            identities: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    /// The value of a reference.
    pub(crate) fn value(&self, reference: &SecretReference) -> Result<Secret> {
        let kept = hold(&self.opened).get(&reference.file).cloned();
        let values = if let Some(values) = kept {
            values
        } else {
            let values = Arc::new(self.open(&reference.file)?);
            hold(&self.opened).insert(reference.file.clone(), Arc::clone(&values));
            values
        };
        values.get(&reference.path).cloned().ok_or_else(|| {
            Error::new(
                Kind::No,
                format!("`{}` has no `{}`", reference.file, reference.path.join(".")),
            )
        })
    }

    fn open(&self, file: &str) -> Result<Values> {
        let file = self.file(file)?;
        if let Some(reason) = file.needs_program() {
            return Sops::default()
                .open(&file)
                .map(|values| values.into_iter().collect())
                .map_err(|error| {
                    Error::from(error).context(format!("only `sops` can open it: {reason}"))
                });
        }
        let identities = self.identities()?;
        let open = file.open(&identities)?;
        Ok(open
            .values()
            .map(|(path, value)| (path.to_vec(), value.clone()))
            .collect())
    }

    /// The private keys, looked for once.
    fn identities(&self) -> Result<Arc<Identities>> {
        let kept = hold(&self.identities).clone();
        if let Some(identities) = kept {
            return Ok(identities);
        }
        let identities = Arc::new(keys::identities(self.workspace, self.fleet)?);
        *hold(&self.identities) = Some(Arc::clone(&identities));
        Ok(identities)
    }

    /// The encrypted file at a path of the fleet.
    pub(crate) fn file(&self, path: &str) -> Result<SopsFile> {
        let bytes = self.workspace.snapshot.bytes(path).ok_or_else(|| {
            Error::new(Kind::No, format!("the fleet has no `{path}`"))
                .hint("`grove secret generate` makes it")
        })?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::new(Kind::No, format!("`{path}` is not text")))?;
        Ok(SopsFile::parse(path, text)?)
    }
}

impl Secrets<'_> {
    /// Who may make users on a server of the cluster, by name and password; none where nobody here may.
    pub(crate) fn admin(
        &self,
        cluster: &Cluster,
        server: &str,
    ) -> Result<Option<(String, Secret)>> {
        let admin = cluster
            .servers
            .get(server)
            .and_then(|server| server.admin.as_ref());
        let Some(admin) = admin else {
            return Ok(None);
        };
        let reference = cluster.secrets.get(&admin.password).ok_or_else(|| {
            Error::new(
                Kind::No,
                format!(
                    "the cluster has no secret {} of the server `{server}`",
                    admin.password
                ),
            )
            .hint(format!(
                "`grove secret set {} {} --cluster-only`",
                cluster.name, admin.password
            ))
        })?;
        Ok(Some((admin.user.clone(), self.value(reference)?)))
    }

    /// The key of the search engine that an instance shares, which follows from the server's master key and
    /// the key's identifier.
    pub(crate) fn search_key(&self, instance: &Instance, uid: &Secret) -> Result<Secret> {
        let outside = instance.data.outside.get(&Engine::Meilisearch);
        let cluster = self.fleet.clusters.get(&instance.address.cluster);
        let admin = match (cluster, outside.and_then(|outside| outside.server.as_ref())) {
            (Some(cluster), Some(server)) => self.admin(cluster, server).map_err(|error| {
                error.context("a key of the search engine follows from its master key")
            })?,
            _ => None,
        };
        match admin {
            Some((_, master)) => Ok(grove_seal::derive::search_api_key(&master, uid)),
            None => Err(Error::new(
                Kind::No,
                "the server of the search engine has no `admin` with its master key",
            )),
        }
    }
}

/// A SOPS file of the fleet that a command writes to, and the keys below which values go.
pub(crate) struct Place {
    /// The file, from the fleet's root.
    pub file: String,
    /// The keys that lead to the values: `instances` or `cluster` in a cluster's file.
    pub below: Vec<String>,
}

impl Secrets<'_> {
    /// Writes values to a file, making it where it is missing; what stands there already is
    /// replaced. Every other byte stays. The file is replaced whole, or not at all.
    pub(crate) fn write(&self, place: &Place, values: &BTreeMap<String, Secret>) -> Result<()> {
        self.change(place, values, &[])
    }

    /// The same, and takes other names away; all of it, or nothing.
    pub(crate) fn change(
        &self,
        place: &Place,
        values: &BTreeMap<String, Secret>,
        gone: &[&str],
    ) -> Result<()> {
        let now = self.workspace.around.now();
        let around = self.workspace.around;
        let then = self.workspace.snapshot.bytes(&place.file);
        history::refuse_changed(around, &place.file, then.map(|bytes| &**bytes))?;
        let keys = |name: &str| -> Vec<String> {
            place
                .below
                .iter()
                .cloned()
                .chain([name.to_owned()])
                .collect()
        };
        if self.workspace.snapshot.bytes(&place.file).is_none() {
            let named: Vec<_> = values
                .iter()
                .map(|(name, value)| (keys(name), value))
                .collect();
            let text = self.made(&place.file, &named)?;
            return history::write(around, &place.file, &text);
        }
        let mut file = self.file(&place.file)?;
        let changes = values
            .iter()
            .map(|(name, value)| (name.as_str(), Some(value)));
        for (name, value) in changes.chain(gone.iter().map(|name| (*name, None))) {
            let keys = keys(name);
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let text = if file.needs_program().is_some() {
                match value {
                    Some(value) => Sops::default().set(&file, &keys, value)?,
                    None => Sops::default().remove(&file, &keys)?,
                }
            } else {
                let identities = self.identities()?;
                let open = file.open(&identities)?;
                let open = match value {
                    Some(value) => open.set(&keys, value, now)?,
                    None => open.remove(&keys, now)?,
                };
                open.text().to_owned()
            };
            file = SopsFile::parse(&place.file, &text)?;
        }
        history::write(around, &place.file, file.text())
    }

    /// The text of a file with these values and no others, whatever it holds now; nothing is written.
    pub(crate) fn whole(&self, file: &str, values: &BTreeMap<String, Secret>) -> Result<String> {
        let named: Vec<_> = values
            .iter()
            .map(|(name, value)| (vec![name.clone()], value))
            .collect();
        self.made(file, &named)
    }

    /// The text of a new file.
    fn made(&self, file: &str, values: &[(Vec<String>, &Secret)]) -> Result<String> {
        let mut tree = Tree::default();
        for (keys, value) in values {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            tree.insert(&keys, Tree::Value((*value).clone()));
        }
        let creation = self.creation(file)?;
        if creation.needs_program().is_some() {
            let rules = self.workspace.root.join(".sops.yaml");
            return Ok(Sops::default().create(file, &tree, &rules)?);
        }
        Ok(create(file, &tree, &creation, self.workspace.around.now())?)
    }

    fn creation(&self, file: &str) -> Result<Creation> {
        let bytes = self.workspace.snapshot.bytes(".sops.yaml").ok_or_else(|| {
            Error::new(
                Kind::No,
                "the fleet has no `.sops.yaml`, so nobody could read a new file",
            )
            .hint("`grove init` makes one; or write `creation_rules` with your age recipients")
        })?;
        Ok(creation_for(
            ".sops.yaml",
            &String::from_utf8_lossy(bytes),
            file,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_shared_between_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Secrets<'_>>();
    }
}
