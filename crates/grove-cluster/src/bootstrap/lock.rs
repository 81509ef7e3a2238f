//! One bootstrap at a time: a Lease in the cluster.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, api::PostParams};
use tokio::task::JoinHandle;

use crate::{Connection, Error};

const NAME: &str = "grove-bootstrap";
const NAMESPACE: &str = "kube-system";
/// How long a lock holds without being renewed: what a killed run leaves.
const SECONDS: i32 = 60;
const RENEWAL: Duration = Duration::from_secs(15);

/// Who holds a lock: user, host and process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(pub String);

/// The lock, renewed until it is released or dropped. Dropped without a release it runs out.
pub struct Lock {
    leases: Api<Lease>,
    connection: Connection,
    holder: Holder,
    renewal: JoinHandle<()>,
}

impl Lock {
    /// Takes the lock. One that ran out, or whose holder is `gone`, is taken over; another is
    /// [`Error::Locked`].
    pub async fn take(
        connection: &Connection,
        holder: Holder,
        now: Timestamp,
        gone: &(dyn Fn(&Holder) -> bool + Sync),
    ) -> Result<Self, Error> {
        let leases: Api<Lease> = Api::namespaced(connection.client().clone(), NAMESPACE);
        let doing = format!("get leases.coordination.k8s.io/{NAME} in {NAMESPACE}");
        let found = connection.ask(&doing, leases.get_opt(NAME)).await?;
        let version = found
            .as_ref()
            .and_then(|lease| lease.metadata.resource_version.clone());
        if let Some(error) = found.and_then(|lease| held(connection, lease, now, gone)) {
            return Err(error);
        }
        let is_new = version.is_none();
        let lease = lease(&holder, now, version);
        let parameters = PostParams::default();
        let (doing, written) = if is_new {
            let doing = format!("create leases.coordination.k8s.io/{NAME} in {NAMESPACE}");
            let written = connection
                .ask(&doing, leases.create(&parameters, &lease))
                .await;
            (doing, written)
        } else {
            let doing = format!("update leases.coordination.k8s.io/{NAME} in {NAMESPACE}");
            let request = leases.replace(NAME, &parameters, &lease);
            let written = connection.ask(&doing, request).await;
            (doing, written)
        };
        match written {
            Ok(_) => {}
            // Somebody else was faster.
            Err(Error::Conflict { .. } | Error::Rejected { .. }) => {
                let found = connection.ask(&doing, leases.get_opt(NAME)).await?;
                return Err(found
                    .and_then(|lease| held(connection, lease, now, gone))
                    .unwrap_or_else(|| Error::Locked {
                        cluster: connection.cluster().to_owned(),
                        holder: "somebody".to_owned(),
                        until: "now".to_owned(),
                    }));
            }
            Err(error) => return Err(error),
        }
        let renewal = tokio::spawn(renew(leases.clone(), holder.clone()));
        Ok(Self {
            leases,
            connection: connection.clone(),
            holder,
            renewal,
        })
    }

    /// Gives the lock back.
    pub async fn release(self) -> Result<(), Error> {
        self.renewal.abort();
        let doing = format!("update leases.coordination.k8s.io/{NAME} in {NAMESPACE}");
        let found = self
            .connection
            .ask(&doing, self.leases.get_opt(NAME))
            .await?;
        let Some(mut lease) = found.filter(|lease| holder_of(lease) == Some(&self.holder.0)) else {
            return Ok(());
        };
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
        }
        self.connection
            .ask(
                &doing,
                self.leases.replace(NAME, &PostParams::default(), &lease),
            )
            .await?;
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Why a lock cannot be taken; none where it can.
fn held(
    connection: &Connection,
    lease: Lease,
    now: Timestamp,
    gone: &(dyn Fn(&Holder) -> bool + Sync),
) -> Option<Error> {
    let holder = Holder(holder_of(&lease)?.clone());
    let spec = lease.spec?;
    let seconds = i64::from(spec.lease_duration_seconds.unwrap_or(SECONDS));
    let until = spec
        .renew_time
        .and_then(|time| time.0.checked_add(SignedDuration::from_secs(seconds)).ok())?;
    (!holder.0.is_empty() && until > now && !gone(&holder)).then(|| Error::Locked {
        cluster: connection.cluster().to_owned(),
        holder: holder.0,
        until: until.strftime("%H:%M:%S UTC").to_string(),
    })
}

fn holder_of(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref()?.holder_identity.as_ref()
}

fn lease(holder: &Holder, now: Timestamp, version: Option<String>) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(NAMESPACE.to_owned()),
            resource_version: version,
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.0.clone()),
            lease_duration_seconds: Some(SECONDS),
            acquire_time: Some(MicroTime(now)),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        }),
    }
}

/// Moves the time of renewal on, as long as the lock is ours. Whatever fails is tried again at the
/// next time; a lock that runs out meanwhile is somebody else's by then.
async fn renew(leases: Api<Lease>, holder: Holder) {
    let begun = tokio::time::Instant::now();
    let mut first = None;
    loop {
        tokio::time::sleep(RENEWAL).await;
        let Ok(Some(mut lease)) = leases.get_opt(NAME).await else {
            continue;
        };
        if holder_of(&lease) != Some(&holder.0) {
            return;
        }
        if let Some(spec) = &mut lease.spec
            && let Some(time) = &mut spec.renew_time
        {
            let first = *first.get_or_insert(time.0);
            let passed = SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
            time.0 = first.checked_add(passed).unwrap_or(first);
        }
        let _tried_again = leases.replace(NAME, &PostParams::default(), &lease).await;
    }
}
