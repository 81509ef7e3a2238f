//! What is written to files of secrets, beside what was meant.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use grove_fleet::{Address, layout};
use grove_operations::{
    request::RequestId,
    secrets::{remove, rotate, set},
};
use grove_seal::{
    Secret,
    source::{Identities, SopsFile, Tree, create, creation_for},
};
use jiff::Timestamp;

use crate::{
    fleet::{KEY, READERS, addresses},
    repository::{Repository, Written},
    request::Request,
    world::World,
};

/// The password with which each instance begins.
const FIRST: &str = "first";
/// The user of the database, and what a rotation leaves of it.
const USER: &str = "OPENEDX_MYSQL_USERNAME";
/// Its password.
pub(crate) const PASSWORD: &str = "OPENEDX_MYSQL_PASSWORD";
const PREVIOUS: &str = "OPENEDX_MYSQL_PREVIOUS_USERNAME";
const RETIRED: &str = "OPENEDX_MYSQL_RETIRED_USERNAME";

/// Values by the keys that lead to them, joined by `.`.
type Values = BTreeMap<String, String>;

/// A file of secrets with which each instance begins. The texts of each run differ, and what they hold does not.
static BEGINNING: LazyLock<String> = LazyLock::new(|| {
    let mut tree = Tree::default();
    tree.insert(&[PASSWORD], Tree::Value(Secret::from(FIRST)));
    let (file, now) = ("secrets.sops.yaml", Timestamp::UNIX_EPOCH);
    let creation = creation_for(".sops.yaml", READERS, file).expect("it says who reads");
    create(file, &tree, &creation, now).expect("it can be made")
});

/// The secrets of the fleet, as those who changed them were told.
pub(crate) struct Vault {
    identities: Identities,
    /// Each file, by its path.
    files: BTreeMap<String, File>,
}

/// What is in a file of secrets.
#[derive(Clone, Default)]
struct File {
    bytes: Option<Arc<[u8]>>,
    values: Values,
}

impl Vault {
    /// The secrets with which a fleet begins, and the text of their files.
    pub(crate) fn new() -> (Self, BTreeMap<String, String>) {
        let mut identities = Identities::default();
        identities.add("the example's key", KEY).expect("it is one");
        let mut vault = Self {
            identities,
            files: BTreeMap::new(),
        };
        let mut files = BTreeMap::new();
        for address in addresses() {
            let path = layout::instance_secrets(&address);
            files.insert(path.clone(), BEGINNING.clone());
            let file = File {
                bytes: Some(BEGINNING.as_bytes().into()),
                values: Values::from([(PASSWORD.to_owned(), FIRST.to_owned())]),
            };
            vault.files.insert(path, file);
        }
        (vault, files)
    }

    fn open(&self, path: &str, bytes: &[u8]) -> Values {
        let text = std::str::from_utf8(bytes).expect("it is text");
        let file = SopsFile::parse(path, text).expect("it is a file of secrets");
        let open = file.open(&self.identities).expect("it can be opened");
        let values = open.values();
        values
            .map(|(keys, value)| (keys.join("."), value.expose().to_owned()))
            .collect()
    }

    /// Fails unless an owner has the value of a request.
    pub(crate) fn holds(&self, owner: &str, name: &str, id: &RequestId) {
        let path = match owner.split_once('/') {
            Some((cluster, name)) => layout::instance_secrets(&Address::new(cluster, name)),
            None => layout::cluster_secrets(owner),
        };
        let file = self.files.get(&path);
        let value = file.and_then(|file| file.values.get(&key(owner, name)));
        assert_eq!(value.map(String::as_str), Some(id.as_str()));
    }

    /// Fails unless the files hold what those who wrote them were told.
    pub(crate) fn is(&self, repository: &Repository) {
        for (path, file) in &self.files {
            assert_eq!(repository.file(path), file.bytes, "{path}");
        }
    }
}

impl World<'_> {
    /// Looks at what a request wrote to the work tree; gives what happened.
    pub(crate) fn wrote(&mut self, id: &RequestId, written: Vec<Written>) {
        let request = self.sent[id].request.clone();
        let mut paths = Vec::new();
        for Written {
            path,
            before,
            after,
        } in written
        {
            assert!(!paths.contains(&path), "{id}: {path} was written twice");
            if path.ends_with("instance.yaml") {
                let Request::State(_) = &request else {
                    panic!("{id} wrote {path}");
                };
            } else {
                // Whoever wrote last was told what is there: nothing of it is lost.
                let known = self.vault.files.get(&path).cloned().unwrap_or_default();
                assert_eq!(before, known.bytes, "{id}: {path}");
                let now = self.vault.open(&path, &after);
                let what = changed(id, &request, &path, &known.values, &now);
                self.count(&format!("wrote: {}", request.verb()));
                if !what.is_empty() {
                    self.count(what);
                }
                let file = File {
                    bytes: Some(after),
                    values: now,
                };
                self.vault.files.insert(path.clone(), file);
            }
            paths.push(path);
        }
    }
}

/// What one write of a request did to a file of secrets; fails where that is not what was asked for.
fn changed(
    id: &RequestId,
    request: &Request,
    path: &str,
    before: &Values,
    after: &Values,
) -> &'static str {
    let names = before.keys().chain(after.keys());
    let mut names: Vec<&str> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    let at = |values: &Values, name: &str| values.get(name).cloned();
    match request {
        Request::Set(set::Request { owner, name, .. }) => {
            let name = key(owner, name);
            let value = Some(id.to_string());
            assert_eq!(at(after, &name), value, "{id}: {path}");
            assert!(names.iter().all(|known| *known == name), "{id}: {names:?}");
            ""
        }
        Request::Remove(remove::Request { owner, name, .. }) => {
            assert_eq!(names, [key(owner, name)], "{id}: {path}");
            ""
        }
        Request::Rotate(rotate::Request {
            step: rotate::Step::Begin { .. },
            ..
        }) => {
            if at(before, USER).is_none() {
                assert_eq!(names, [USER], "{id}: {path}");
                return "the user becomes a secret";
            }
            // The user of before gets in until the second step.
            assert_eq!(at(before, PREVIOUS), None, "{id}: {path}");
            assert_eq!(at(after, PREVIOUS), at(before, USER), "{id}: {path}");
            assert!(
                names.contains(&USER) && names.contains(&PASSWORD),
                "{id}: {names:?}"
            );
            let known = [USER, PASSWORD, PREVIOUS, RETIRED];
            assert!(
                names.iter().all(|name| known.contains(name)),
                "{id}: {names:?}"
            );
            "a second user"
        }
        Request::Rotate(_) => {
            assert_eq!(at(after, PREVIOUS), None, "{id}: {path}");
            assert_eq!(at(after, RETIRED), at(before, PREVIOUS), "{id}: {path}");
            assert!(at(after, RETIRED).is_some(), "{id}: {path}");
            let known = [PREVIOUS, RETIRED];
            assert!(
                names.iter().all(|name| known.contains(name)),
                "{id}: {names:?}"
            );
            "the first user goes"
        }
        other => panic!("{id}: {other:?} wrote {path}"),
    }
}

/// The keys that lead to a secret of an owner.
fn key(owner: &str, name: &str) -> String {
    if owner.contains('/') {
        name.to_owned()
    } else {
        format!("instances.{name}")
    }
}
