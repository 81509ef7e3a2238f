//! As whom, and with what of the machine, a worker runs.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use grove_exec::Invocation;
use grove_test::Lesser;
use grove_tutor::{Cache, environment};
use tempfile::TempDir;

use crate::distributions::example;
use crate::machine::{Print, shared_cache};

/// Who has nothing on any machine.
const NOBODY: u32 = 65534;

/// As whom a worker runs: by a launcher that becomes that user first.
pub(super) struct User {
    id: Option<u32>,
    namespaces: bool,
    // Below the system's own directory: what is below root's may be closed to others.
    root: TempDir,
}

impl fmt::Debug for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.id.is_some() {
            "an ordinary user"
        } else {
            "the current user"
        };
        let namespaces = if self.namespaces { "with" } else { "without" };
        write!(out, "{name}, {namespaces} namespaces")
    }
}

impl User {
    /// Whoever runs the tests.
    pub(super) fn current() -> Self {
        Self::new(None)
    }

    /// One without any right; nothing where the tests do not run as root, who alone can become one.
    pub(super) fn ordinary() -> Option<Self> {
        is_root().then(|| Self::new(Some(NOBODY)))
    }

    fn new(id: Option<u32>) -> Self {
        let root = tempfile::tempdir().unwrap();
        open_to_all(root.path());
        Self {
            id,
            namespaces: true,
            root,
        }
    }

    /// The same where no namespace can be made.
    pub(super) fn without_namespaces(self) -> Self {
        Self {
            namespaces: false,
            ..self
        }
    }

    /// A file of the user's alone.
    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let directory = self.root.path().join("home");
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        for path in [&directory, &file] {
            chown(path, self.id, self.id).unwrap();
        }
        file
    }

    /// The number of the user, where it is not who runs the tests.
    pub(super) fn id(&self) -> Option<u32> {
        self.id
    }

    /// Whether namespaces can be made.
    pub(super) fn has_namespaces(&self) -> bool {
        self.namespaces
    }

    /// What confines the worker, once there is a cache.
    pub(super) fn launcher(&self) -> PathBuf {
        self.root.path().join("launcher")
    }

    /// Where the user's cache is.
    pub(super) fn root(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    /// A cache of the user's, with the environment of the shared one.
    pub(super) fn cache(&self) -> Cache {
        let shared = shared_cache();
        let environment = environment(&example("verawood-1"), &shared, &Print).unwrap();
        let root = self.root();
        std::fs::create_dir_all(&root).unwrap();
        // Where it is in a cache: below a directory for the lock.
        let place = environment.root.parent().unwrap();
        let to = root.join(place.strip_prefix(&shared.root).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        if self.id.is_some() {
            let copy = Invocation::new("cp").arg("-a").args([place, &to]);
            copy.run().unwrap();
        } else {
            symlink(place, to).unwrap();
        }
        let program = self.root.path().join("program");
        std::fs::copy(&shared.launcher, &program).unwrap();
        let python = environment.read.iter().skip(1).map(PathBuf::as_path);
        let launcher = self.launcher();
        std::fs::write(&launcher, self.script(&program, &root, python)).unwrap();
        open_to_all(&launcher);
        Cache { root, launcher }
    }

    /// The launcher: it becomes the user, and then the real one.
    fn script<'a>(
        &self,
        program: &Path,
        cache: &Path,
        python: impl Iterator<Item = &'a Path>,
    ) -> String {
        let mut orders = Vec::new();
        let mut line = vec!["exec".to_owned()];
        if let Some(id) = self.id {
            // Grove itself runs as root here, and makes this directory.
            let scratch = cache.join("scratch");
            let scratch = scratch.display();
            orders.push(format!(
                "mkdir -p '{scratch}' && chown -R {id}:{id} '{scratch}'"
            ));
            let mut mounts = self.openings(python);
            if !mounts.is_empty() {
                mounts.push("exec \"$@\"".to_owned());
                let mounts = mounts.join(" && ");
                line.push(format!("unshare --mount -- /bin/sh -c '{mounts}' sh"));
            }
        }
        if !self.namespaces {
            let words = Lesser::NoNamespaces.line().into_iter();
            line.extend(words.map(|word| format!("'{word}'")));
        }
        if let Some(id) = self.id {
            let user = format!("setpriv --reuid={id} --regid={id} --clear-groups --");
            line.push(user);
        }
        line.push(format!("'{}' \"$@\"", program.display()));
        orders.push(line.join(" "));
        format!("#!/bin/sh\nset -e\n{}\n", orders.join("\n"))
    }

    /// Orders that make what lies in a directory of root's reachable by others, in this mount namespace: a
    /// Python that root installed for itself.
    fn openings<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Vec<String> {
        let mut orders = Vec::new();
        let mut over = BTreeSet::new();
        for path in paths.filter(|path| path.is_dir()) {
            let is_closed = |above: &&Path| above.metadata().unwrap().permissions().mode() & 1 == 0;
            let Some(top) = path.ancestors().filter(is_closed).last() else {
                continue;
            };
            let skeleton = self.root.path().join("skeleton");
            let inside = skeleton.join(path.strip_prefix(top).unwrap());
            std::fs::create_dir_all(&inside).unwrap();
            orders.push(bind(path, &inside));
            over.insert((skeleton, top));
        }
        orders.extend(over.iter().map(|(skeleton, top)| bind(skeleton, top)));
        orders
    }
}

/// An order that shows a directory, and what is mounted in it, in another place.
fn bind(from: &Path, to: &Path) -> String {
    format!("mount --rbind \"{}\" \"{}\"", from.display(), to.display())
}

fn is_root() -> bool {
    let id = Invocation::new("id").arg("-u").run().unwrap();
    id.text().unwrap().trim() == "0"
}

fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}
