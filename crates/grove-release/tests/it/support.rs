//! What these tests share.

use std::path::{Path, PathBuf};

use grove_release::{
    Author, Changes, DeployBranch, DistributionRef, Draft, Error, Git, Message, Objects, Origin,
    Outcome, Record, Release, Remote, Scan, refuse,
};
use grove_test::World;
use serde_json::{Value, json};

/// Directories and a Git that knows nothing of the machine's user.
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) git: Git,
}

impl Place {
    pub(crate) fn new() -> Self {
        let world = World::new("");
        let git = Git::default()
            .with_variable("HOME", world.path("home").to_str().unwrap())
            .with_variable("XDG_CONFIG_HOME", world.path("home").to_str().unwrap())
            .with_variable(
                "GIT_CONFIG_GLOBAL",
                world.path("home/.gitconfig").to_str().unwrap(),
            )
            .with_variable("GIT_CONFIG_NOSYSTEM", "1")
            .with_variable("GIT_CONFIG_COUNT", "0");
        Self { world, git }
    }

    /// An empty bare repository.
    pub(crate) fn remote(&self) -> Remote {
        self.world.bare_repository("deploy.git");
        self.remote_at("deploy.git")
    }

    pub(crate) fn remote_at(&self, text: &str) -> Remote {
        Remote::parse(text, self.world.root()).unwrap()
    }

    pub(crate) fn remote_path(&self) -> PathBuf {
        self.world.path("deploy.git")
    }

    /// The branch of the cluster `prod`, with a cache of its own for each `machine`.
    pub(crate) fn open(&self, remote: &Remote, machine: &str) -> Result<DeployBranch, Error> {
        DeployBranch::open(&self.git, remote, "prod", &self.caches(machine))
    }

    pub(crate) fn caches(&self, machine: &str) -> PathBuf {
        self.world.path("cache").join(machine)
    }

    /// The one repository in a machine's cache.
    pub(crate) fn cache(&self, machine: &str) -> PathBuf {
        std::fs::read_dir(self.caches(machine))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|ending| ending == "git"))
            .unwrap()
    }

    /// Runs Git in the remote.
    pub(crate) fn in_remote<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        self.world.open(&self.remote_path()).git(arguments)
    }

    /// Writes an executable file.
    pub(crate) fn script(&self, path: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.world.write(path, format!("#!/bin/sh\n{text}\n"));
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.world.path(path), mode).unwrap();
    }
}

/// Two objects of an instance; `value` is what a deploy changes.
pub(crate) fn objects(value: &str) -> Objects {
    let object = |kind: &str, name: &str, data: Value| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data});
    Objects::from([
        (
            "configmap-settings.yaml".to_owned(),
            object("ConfigMap", "settings", json!({"value": value})),
        ),
        (
            "configmap-fixed.yaml".to_owned(),
            object("ConfigMap", "fixed", json!({"value": "fixed"})),
        ),
    ])
}

pub(crate) fn record(instance: &str, release: u32) -> Record {
    Record {
        version: 1,
        instance: instance.to_owned(),
        release,
        time: "2026-01-02T03:04:05Z".parse().unwrap(),
        author: "Ada <ada@acme.example>".to_owned(),
        message: None,
        source: Origin {
            commit: Some("1".repeat(40).parse().unwrap()),
            local: false,
        },
        // Filled in when the release is added to the changes.
        operational: None,
        tree: "0".repeat(40).parse().unwrap(),
        apps: None,
        identity: None,
        distribution: DistributionRef {
            input: String::new(),
            name: "verawood-7".to_owned(),
            lock: "sha256:0".to_owned(),
        },
        images: [("openedx".to_owned(), "example.org/openedx:1".to_owned())].into(),
        secrets: ["MYSQL_ROOT_PASSWORD".to_owned()].into(),
        scan: Scan::Full,
        marks: [("openedx".to_owned(), "verawood".to_owned())].into(),
        init_pending: false,
        init: grove_release::InitTasks::default(),
        rollback_of: None,
        request: None,
        grove: "0.1.0".to_owned(),
    }
}

/// The draft of a release of one instance.
pub(crate) fn draft(instance: &str, release: u32, value: &str) -> Draft {
    let mut changes = Changes::default();
    let apps = [(
        format!("{instance}-application.yaml"),
        json!({"kind": "Application", "metadata": {"name": format!("prod-{instance}")}}),
    )];
    changes
        .release(Release {
            record: record(instance, release),
            objects: objects(value),
            apps: apps.into(),
            sealed: Some(json!({"version": 1})),
        })
        .unwrap();
    draft_of(changes, &format!("deploy {instance}"))
}

pub(crate) fn draft_of(changes: Changes, subject: &str) -> Draft {
    Draft {
        changes,
        message: Message {
            subject: subject.to_owned(),
            grove: "0.1.0".to_owned(),
            ..Message::default()
        },
        author: Author {
            name: "Ada".to_owned(),
            email: "ada@acme.example".to_owned(),
        },
        time: "2026-01-02T03:04:05Z".parse().unwrap(),
    }
}

/// Deploys one instance; a conflict is an error.
pub(crate) fn deploy(
    branch: &mut DeployBranch,
    instance: &str,
    release: u32,
    value: &str,
) -> Result<Outcome, Error> {
    branch.commit(draft(instance, release, value), refuse)
}

/// Every file below a directory with its bytes' length, to see whether anything was written.
pub(crate) fn listing(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                found.push(format!(
                    "{} {}",
                    entry.path().display(),
                    entry.metadata().unwrap().len()
                ));
            }
        }
    }
    found.sort();
    found
}
