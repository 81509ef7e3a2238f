//! The fleet of the simulation: few instances, of which little is said, so that a check of it is quick.

use std::{collections::BTreeMap, sync::Arc};

use grove_check::{Checked, Context, Severity, check};
use grove_fleet::{Address, Snapshot};
use grove_operations::Checker;
use grove_release::memory::Random;

/// The clusters. The second one says which cluster it is, so that a freeze tries to reach it.
pub(crate) const CLUSTERS: [&str; 2] = ["alpha", "beta"];
/// Every instance that there ever is; six of them, since more than five at once need consent.
const NAMES: [(&str, &str); 6] = [
    ("alpha", "uni"),
    ("alpha", "uni-next"),
    ("alpha", "uni-old"),
    ("beta", "academy"),
    ("beta", "labs"),
    ("beta", "library"),
];
/// The add-on that the clusters share something by.
const ADDON: &str = "notes";
/// Both certificates are of the example fleet. Nothing is ever opened, so that one suffices.
const CERTIFICATE: &str = include_str!("../../../../examples/fleet/clusters/alpha/sealing.pem");
/// Of what stands in the distribution below.
const LOCK: &str = "\
#: version: 1
#: input: sha256:INPUT
#: tutor: \"21.0.8\"
tutor==21.0.8
";

/// What the fleet says of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Whether the fleet has it.
    pub(crate) is_there: bool,
    /// What a ConfigMap says.
    pub(crate) value: u32,
    /// Whether it has a volume.
    pub(crate) has_volume: bool,
    /// Whether it serves a further host.
    pub(crate) has_host: bool,
    /// The text of its init task.
    pub(crate) task: u32,
    /// Where its data stands, which goes forward only.
    pub(crate) mark: u32,
    /// Whether it serves.
    pub(crate) is_active: bool,
}

/// What the fleet says.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) sites: BTreeMap<Address, Site>,
    /// What instances share, by cluster.
    pub(crate) shared: BTreeMap<&'static str, u32>,
}

/// Someone's copy of the fleet.
#[derive(Clone)]
pub(crate) struct Copy {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) files: Arc<Snapshot>,
    pub(crate) checker: Arc<Known>,
}

/// What a check of a copy says. It is made once: no rule looks at the clock here, or finds in what was
/// released what an operation would refuse.
pub(crate) struct Known(Checked);

impl Checker for Known {
    fn check(&self, _: &Snapshot, _: &Context) -> Checked {
        let Checked { fleet, findings } = &self.0;
        Checked {
            fleet: fleet.clone(),
            findings: findings.clone(),
        }
    }
}

/// Every address that there ever is.
pub(crate) fn addresses() -> Vec<Address> {
    let addresses = NAMES.iter();
    addresses
        .map(|(cluster, name)| Address::new(cluster, name))
        .collect()
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let site = Site {
            is_there: true,
            value: 1,
            has_volume: true,
            has_host: false,
            task: 1,
            mark: 1,
            is_active: true,
        };
        let sites = addresses().into_iter();
        Self {
            sites: sites.map(|address| (address, site.clone())).collect(),
            shared: CLUSTERS.map(|cluster| (cluster, 1)).into(),
        }
    }

    /// Changes something, and says what.
    pub(crate) fn edit(&mut self, random: &mut Random) -> String {
        let chance = random.below(22);
        if chance >= 20
            && let Some(cluster) = random.pick(&CLUSTERS)
        {
            let shared = self.shared.entry(cluster).or_default();
            *shared += 1;
            return format!("{cluster} shares {shared}");
        }
        let addresses: Vec<Address> = self.sites.keys().cloned().collect();
        let Some(address) = random.pick(&addresses) else {
            return String::new();
        };
        let Some(site) = self.sites.get_mut(address) else {
            return String::new();
        };
        match chance {
            0..2 => site.is_there = !site.is_there,
            2..4 => site.has_volume = !site.has_volume,
            4..7 => site.has_host = !site.has_host,
            7 | 8 => site.task += 1,
            9 | 10 => site.mark += 1,
            11 => site.is_active = !site.is_active,
            _ => site.value += 1,
        }
        format!("{address}: {site:?}")
    }

    pub(crate) fn copy(&self) -> Copy {
        let files = self.files();
        let checked = check(&files, &Context::default());
        let errors = checked.findings.iter();
        let mut errors = errors.filter(|finding| finding.severity == Severity::Error);
        assert_eq!(errors.next(), None, "the fleet is sound");
        Copy {
            fleet: Arc::new(self.clone()),
            files: Arc::new(files),
            checker: Arc::new(Known(checked)),
        }
    }

    fn files(&self) -> Snapshot {
        let mut files = Snapshot::default()
            .with(
                "grove.yaml",
                "version: 1\nname: simulation\ndeploy: {remote: \"memory/{cluster}\"}\n",
            )
            .with(
                "distributions/one.yaml",
                "release: ulmo\ntutor: \"21.0.8\"\n",
            )
            .with("distributions/one.lock", &LOCK.replace("INPUT", INPUT));
        for (cluster, shared) in &self.shared {
            let uid = match *cluster {
                "beta" => "kubernetes: {uid: 0b1c9d1e-7d58-4a0e-9c50-6a1f5f2b8f11}\n",
                _ => "",
            };
            files = files
                .with(
                    &format!("clusters/{cluster}/cluster.yaml"),
                    &format!(
                        "provider: existing\ndomain: {cluster}.example.org\n{uid}addons: {{{ADDON}: {{}}}}\n"
                    ),
                )
                .with(&format!("clusters/{cluster}/sealing.pem"), CERTIFICATE);
            // One add-on a fleet: what it says is what both clusters come to share.
            files = files.with(
                &format!("addons/{ADDON}/{cluster}.yaml"),
                &note(cluster, *shared),
            );
        }
        for (address, site) in &self.sites {
            if site.is_there {
                let Address { cluster, instance } = address;
                files = files.with(
                    &format!("clusters/{cluster}/instances/{instance}/instance.yaml"),
                    &site.text(instance),
                );
            }
        }
        files
    }
}

fn note(cluster: &str, shared: u32) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: note-{cluster}, namespace: notes}}\ndata: {{value: \"{shared}\"}}\n"
    )
}

impl Site {
    fn text(&self, name: &str) -> String {
        let Self {
            value,
            has_volume,
            has_host,
            task,
            mark,
            ..
        } = self;
        let state = if self.is_active { "active" } else { "stopped" };
        format!(
            "client: acme
environment: staging
distribution: one
identity: {{namespace: {name}, id: {id}}}
state: {state}
hosts: {{lms: {name}.acme.example, cms: studio.{name}.acme.example}}
config:
  SIMULATED_VALUE: {value}
  SIMULATED_VOLUME: {has_volume}
  SIMULATED_HOST: {has_host}
  SIMULATED_TASK: {task}
  SIMULATED_MARK: {mark}
",
            id = format_args!("{:x<24}", name.replace('-', "")),
        )
    }
}

/// The digest of the distribution.
const INPUT: &str = "c2762ff8092fe77cc5b25c28cf826677550259d80bf2804cef5c1f63cae4ed5f";
