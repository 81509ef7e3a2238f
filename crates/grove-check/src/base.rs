//! The small valid fleet that every rule's example changes.

use grove_fleet::{Address, Snapshot, load, model::Identity};
use jiff::Timestamp;

use crate::context::{Context, Released, ReleasedDistribution, ReleasedInstance};

/// The end of the base fleet's sealing certificate, in seconds since 1970.
const CERTIFICATE_ENDS: i64 = 2_051_222_400;

/// A day, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// One cluster, one distribution, one ring and one instance, without a finding.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot::default()
        .with("grove.yaml", include_str!("base/grove.yaml"))
        .with(
            "distributions/verawood-1.yaml",
            include_str!("base/distribution.yaml"),
        )
        .with(
            "distributions/verawood-1.lock",
            include_str!("base/distribution.lock"),
        )
        .with(
            "clusters/prod/cluster.yaml",
            include_str!("base/cluster.yaml"),
        )
        .with(
            "clusters/prod/sealing.pem",
            include_str!("base/sealing.pem"),
        )
        .with(
            "clusters/prod/instances/uni/instance.yaml",
            include_str!("base/instance.yaml"),
        )
        .with(
            "clusters/prod/instances/uni/secrets.sops.yaml",
            include_str!("base/secrets.sops.yaml"),
        )
}

/// A day within the certificate's time; nothing was released yet.
pub(crate) fn context() -> Context {
    Context {
        now: at(CERTIFICATE_ENDS - 1000 * DAY),
        released: Some(Released::default()),
    }
}

/// The day after the certificate's last one.
pub(crate) fn after_certificate() -> Context {
    Context {
        now: at(CERTIFICATE_ENDS + DAY),
        ..context()
    }
}

/// A week before the certificate's end.
pub(crate) fn before_end_of_certificate() -> Context {
    Context {
        now: at(CERTIFICATE_ENDS - 7 * DAY),
        ..context()
    }
}

/// An instance was released that the fleet does not have.
pub(crate) fn with_gone_instance() -> Context {
    with(|released| {
        released.instances.insert(
            Address::new("prod", "college"),
            ReleasedInstance {
                release: "0012".to_owned(),
                identity: Identity {
                    namespace: "college".to_owned(),
                    id: "m5GhQ2yW8eXa6JdK1sFzN9uL".to_owned(),
                },
            },
        );
    })
}

/// The instance was released in another namespace.
pub(crate) fn with_other_identity() -> Context {
    with(|released| {
        for instance in released.instances.values_mut() {
            "university".clone_into(&mut instance.identity.namespace);
        }
    })
}

/// The distribution was released with another content.
pub(crate) fn with_other_distribution() -> Context {
    with(|released| {
        for distribution in released.distributions.values_mut() {
            distribution.input = format!("sha256:{}", "0".repeat(64));
        }
    })
}

/// The base fleet was released as it is, but for this change.
fn with(change: impl FnOnce(&mut Released)) -> Context {
    let fleet = load::fleet(&load::documents(&snapshot()));
    let mut released = Released::default();
    for (address, instance) in fleet.instances {
        for (name, distribution) in &fleet.distributions {
            released.distributions.insert(
                name.clone(),
                ReleasedDistribution {
                    input: distribution.input(),
                    by: address.clone(),
                },
            );
        }
        released.instances.insert(
            address,
            ReleasedInstance {
                release: "0007".to_owned(),
                identity: instance.identity,
            },
        );
    }
    change(&mut released);
    Context {
        released: Some(released),
        ..context()
    }
}

fn at(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(second).ok()
}
