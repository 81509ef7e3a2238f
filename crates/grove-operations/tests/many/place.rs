//! A fleet in a Git repository, with a deploy repository for each cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use grove_example::{CLUSTERS, Plain, SETTINGS, Site, files};
use grove_operations::{
    Around, Instead,
    consent::Consent,
    deploy::{self, outcome::Action},
    release::history::Row,
    request::Target,
};
use grove_release::{Author, DeployBranch, Git, Remote};
use grove_test::World;
use jiff::Timestamp;

use crate::operation::{Came, Operation, Verb};

/// How many instances a cluster has.
const INSTANCES: usize = 4;
/// How many commits the fleet has, each of which says something else of every instance.
const COMMITS: u32 = 6;

pub(crate) struct Place<'w> {
    world: &'w World,
    pub(crate) name: String,
    directory: PathBuf,
    /// Each with what it says.
    commits: Vec<(String, u32)>,
}

impl<'w> Place<'w> {
    pub(crate) fn new(world: &'w World, name: &str) -> Self {
        let directory = world.path(format!("fleet-{name}"));
        let remote = format!("../{name}-{{cluster}}.git");
        let mut commits = Vec::new();
        for value in 1..=COMMITS {
            let sites: Vec<Site> = CLUSTERS
                .iter()
                .flat_map(|cluster| (0..INSTANCES).map(move |n| format!("{cluster}/{cluster}-{n}")))
                .map(|address| Site {
                    value,
                    ..Site::new(&address)
                })
                .collect();
            for (path, text) in files(name, &remote, &sites) {
                world.write(directory.join(path), text);
            }
            let commit = world
                .repository(&directory)
                .commit(&format!("It is {value}"));
            commits.push((commit, value));
        }
        for cluster in CLUSTERS {
            world.bare_repository(&format!("{name}-{cluster}.git"));
        }
        Self {
            world,
            name: name.to_owned(),
            directory,
            commits,
        }
    }

    fn around(&self) -> Around {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        // Both fleets have one cache.
        let cache = self.world.cache();
        Around {
            author: Some(Author {
                name: self.name.clone(),
                email: format!("{}@acme.example", self.name),
            }),
            variables: self.world.variables(),
            instead: Instead {
                renderer: Some(Arc::new(Plain)),
                ..Instead::default()
            },
            ..Around::new(&self.directory, cache, "/nonexistent".as_ref(), now)
        }
    }

    /// Brings two releases of every instance.
    pub(crate) fn begin(&self) {
        let around = self.around();
        for (commit, _) in &self.commits[..2] {
            let request = deploy::request::Request::new(Target {
                revision: Some(commit.clone()),
                ..Target::of("*/*")
            });
            let plan = deploy::plan::plan(&around, &request).unwrap();
            let consent = Consent::to(plan.needs().clone());
            let outcome = plan.carry_out(&consent).unwrap();
            let rows = outcome.instances.iter();
            assert_eq!(
                rows.filter(|row| row.action == Action::Released).count(),
                INSTANCES * CLUSTERS.len()
            );
        }
    }

    /// Some operation on a cluster.
    pub(crate) fn operation(&self, cluster: &str, number: usize) -> Operation {
        let verb = match number % 8 {
            0..3 => Verb::Deploy,
            3 | 4 => Verb::Rollback,
            5 => Verb::Hold,
            6 => Verb::History,
            _ => Verb::Status,
        };
        Operation {
            around: self.around(),
            place: self.name.clone(),
            cluster: cluster.to_owned(),
            address: format!("{cluster}/{cluster}-{}", number / 3 % INSTANCES),
            verb,
            source: self.commits[number % self.commits.len()].clone(),
            id: format!("{}-{cluster}-{number}", self.name),
            remote: None,
        }
    }

    /// The branches have what came of operations on them, and nothing else.
    pub(crate) fn holds(&self, all: &[(&Operation, &Came)]) {
        for cluster in CLUSTERS {
            let own: Vec<_> = all
                .iter()
                .copied()
                .filter(|(operation, _)| operation.cluster == cluster)
                .collect();
            self.branch_holds(cluster, &own);
        }
    }

    fn branch_holds(&self, cluster: &str, all: &[(&Operation, &Came)]) {
        let path = self.world.path(format!("{}-{cluster}.git", self.name));
        let remote = Remote::parse(path.to_str().unwrap(), &path).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let branch = DeployBranch::open(&Git::default(), &remote, cluster, cache.path()).unwrap();
        let view = branch.view().unwrap();

        // What the outcomes say: which release of which instance is whose.
        let mut said = BTreeMap::new();
        let mut holds = 0;
        for (operation, came) in all {
            let Operation { address, .. } = operation;
            let mut releases = |release: u32| {
                let other = said.insert((address.clone(), release), *operation);
                assert!(
                    other.is_none(),
                    "{operation:?} and {other:?} are both {release}"
                );
            };
            match came {
                Came::Deployed(outcome) => {
                    let [row] = &outcome.instances[..] else {
                        panic!("{operation:?}: {outcome:?}");
                    };
                    assert_eq!((&row.instance, &outcome.failure), (address, &None));
                    if row.action == Action::Released {
                        assert!(branch.has_commit(row.commit.unwrap()).unwrap());
                        releases(row.release.unwrap());
                    } else {
                        assert_eq!(row.commit, None);
                    }
                }
                Came::RolledBack(outcome) => {
                    assert_eq!((&outcome.instance, outcome.to), (address, 1));
                    // One that came after another one and changed nothing did nothing.
                    if !outcome.repeated {
                        releases(outcome.release);
                    }
                }
                Came::Held(outcome) => {
                    assert_eq!(outcome.instances.keys().collect::<Vec<_>>(), [address]);
                    let said = &outcome.instances[address];
                    holds += usize::from(
                        said.starts_with("held at") || said.starts_with("no longer held"),
                    );
                }
                Came::Read(outcome) => {
                    assert_eq!((outcome.instances.len(), &outcome.failure), (1, &None));
                    let Row::Releases {
                        instance, releases, ..
                    } = &outcome.instances[0]
                    else {
                        panic!("{outcome:?}");
                    };
                    assert_eq!(instance, address);
                    for record in releases {
                        let own = format!("{0} <{0}@acme.example>", self.name);
                        assert_eq!(record.author, own);
                    }
                }
                Came::Seen(status) => {
                    let clusters = status.clusters.iter().map(|row| &row.cluster);
                    assert_eq!(clusters.collect::<Vec<_>>(), [cluster]);
                }
                Came::Failed(error) => panic!("{operation:?}: {error}"),
            }
        }

        // What the branch says: no gap, and each is as it was asked for.
        let mut count = 0;
        for number in 0..INSTANCES {
            let name = format!("{cluster}-{number}");
            let address = format!("{cluster}/{name}");
            let history = view.history(&name).unwrap();
            let numbers: Vec<u32> = history.iter().rev().map(|record| record.release).collect();
            let whole: Vec<u32> = (1..).take(history.len()).collect();
            assert_eq!(numbers, whole, "{address}");
            for record in history {
                let settings = branch.objects_of(record.tree).unwrap()[SETTINGS]["data"].clone();
                assert_eq!(settings["fleet"], self.name.as_str());
                assert_eq!(settings["instance"], address.as_str());
                if record.release <= 2 {
                    continue;
                }
                count += 1;
                let operation = said[&(address.clone(), record.release)];
                let id = record.request.as_ref().map(ToString::to_string);
                assert_eq!(id.as_ref(), Some(&operation.id));
                assert_eq!(record.message, Some(operation.words()));
                let value = match operation.verb {
                    Verb::Deploy => operation.source.1,
                    _ => 1,
                };
                assert_eq!(settings["value"], value.to_string(), "{operation:?}");
            }
            if let Some(hold) = view.hold(&name).unwrap() {
                let own = format!("{address} of {} by ", self.name);
                assert!(hold.reason.starts_with(&own), "{hold:?}");
            }
        }
        assert_eq!(count, said.len());
        assert!(count > 3, "{count} releases of {cluster} are few");

        // One commit for each, and none twice.
        let branch_name = format!("deploy/{cluster}");
        let log = self
            .world
            .open(&path)
            .git(["log", "--format=%B", &branch_name]);
        let requests: Vec<&str> = log
            .lines()
            .filter_map(|line| line.strip_prefix("Grove-Request: "))
            .collect();
        let once: BTreeSet<&str> = requests.iter().copied().collect();
        assert_eq!(once.len(), requests.len());
        assert_eq!(requests.len(), count + holds);
        let commits = self
            .world
            .open(&path)
            .git(["rev-list", "--count", &branch_name]);
        assert_eq!(commits, (2 + count + holds).to_string());
    }
}
