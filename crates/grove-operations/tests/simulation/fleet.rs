//! The fleet of the simulation: few instances, of which little is said, so that a check of it is quick.

use std::collections::BTreeMap;

use grove_fleet::{Address, Snapshot, layout};
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
/// Both certificates are of the example fleet. Nothing that was sealed is ever opened, so that one suffices.
const CERTIFICATE: &str = include_str!("../../../../examples/fleet/clusters/alpha/sealing.pem");
/// The key that opens the fleet's secrets.
pub(crate) const KEY: &str = include_str!("../../../../examples/fleet/example-key.txt");
/// Who may read them: whoever has that key.
pub(crate) const READERS: &str = include_str!("../../../../examples/fleet/.sops.yaml");
/// Of what stands in the distribution below.
const LOCK: &str = "\
#: version: 1
#: input: sha256:INPUT
#: tutor: \"21.0.8\"
tutor==21.0.8
";

/// What instances do.
pub(crate) const ACTIVE: &str = "active";
const STOPPED: &str = "stopped";

/// What the fleet says of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Whether the fleet has it.
    pub(crate) is_there: bool,
    /// What a `ConfigMap` says.
    pub(crate) value: u32,
    /// Whether it has a volume.
    pub(crate) has_volume: bool,
    /// Whether it serves a further host.
    pub(crate) has_host: bool,
    /// The text of its init task.
    pub(crate) task: u32,
    /// Where its data stands, which goes forward only.
    pub(crate) mark: u32,
    /// What it does.
    pub(crate) state: String,
}

/// What the fleet says.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) sites: BTreeMap<Address, Site>,
    /// What instances share, by cluster.
    pub(crate) shared: BTreeMap<&'static str, u32>,
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
            state: ACTIVE.to_owned(),
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
            9..13 => site.mark += 1,
            13 => {
                let state = if site.state == ACTIVE {
                    STOPPED
                } else {
                    ACTIVE
                };
                state.clone_into(&mut site.state);
            }
            _ => site.value += 1,
        }
        format!("{address}: {site:?}")
    }

    /// Takes over what a verb changed in a file.
    pub(crate) fn read(&mut self, path: &str, text: &str) {
        for (address, site) in &mut self.sites {
            if path == layout::instance(address) {
                let mut lines = text.lines();
                let state = lines.find_map(|line| line.strip_prefix("state: "));
                state.expect("it has a state").clone_into(&mut site.state);
                assert_eq!(text, site.text(&address.instance), "{path}");
            }
        }
    }

    /// Its files, but for secrets.
    pub(crate) fn files(&self) -> Snapshot {
        let mut files = Snapshot::default()
            .with(
                "grove.yaml",
                "version: 1\nname: simulation\npublished_key: key.txt\ndeploy: {remote: \"memory/{cluster}\"}\n",
            )
            .with(
                "distributions/one.yaml",
                "release: ulmo\ntutor: \"21.0.8\"\n",
            )
            .with("key.txt", KEY)
            .with(".sops.yaml", READERS)
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
            state,
            ..
        } = self;
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
