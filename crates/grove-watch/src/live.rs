//! Watching one cluster.

use std::{convert::Infallible, pin::pin, time::Duration};

use futures_util::{
    Stream, StreamExt as _,
    stream::{BoxStream, select_all},
};
use grove_cluster::{Connection, Error};
use kube::runtime::{
    WatchStreamExt as _,
    watcher::{self, Event, watcher},
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    Observation,
    facts::{Fact, Facts, Kind, Place, Read, ReadApplication, ReadCertificate, ReadWorkflow},
    observe::{PAGE, complete, version},
};

/// Changes within this time are told together: a sync changes an Application many times a second.
const TOGETHER: Duration = Duration::from_millis(300);

/// Tells of everything that a cluster says, and of each change of it as it happens. A cluster that
/// says nothing may be gone without a word: it is asked for its version `every` so often. Ends only
/// with an error: when the cluster does not answer within `limit`.
pub async fn watch(
    connection: &Connection,
    argocd: &str,
    every: Duration,
    limit: Duration,
    tell: &(dyn Fn(Observation) + Sync),
) -> Result<Infallible, Error> {
    let mut live = Live::default();
    let mut events = pin!(events(connection, argocd));
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kubernetes = String::new();
    let first = Instant::now() + limit;
    loop {
        let is_complete = live.is_complete();
        let due = live.due.filter(|_| is_complete);
        tokio::select! {
            Some((kind, event)) = events.next() => live.take(connection, kind, event),
            _ = ticks.tick() => {
                let asked = tokio::time::timeout(limit, version(connection));
                let now = asked.await.map_err(|_| connection.slow(limit))??;
                if now != kubernetes {
                    live.change();
                    kubernetes = now;
                }
            }
            () = sleep_until(first), if !is_complete => return Err(connection.slow(limit)),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                live.due = None;
                tell(complete(connection, &live.facts, &kubernetes).await?);
            }
        }
    }
}

/// What happens to a kind.
enum Happened {
    /// A list begins.
    Begun,
    /// The list has this.
    Listed(Place, Fact),
    /// The list is complete.
    Complete,
    Put(Place, Fact),
    Gone(Place),
    Failed(watcher::Error),
}

/// What happens to every kind. A watch that ends is begun again, the longer the pause the more often.
fn events(connection: &Connection, argocd: &str) -> impl Stream<Item = (Kind, Happened)> {
    select_all([
        of::<ReadApplication>(connection, argocd),
        of::<ReadCertificate>(connection, argocd),
        of::<ReadWorkflow>(connection, argocd),
    ])
}

fn of<R: Read>(connection: &Connection, argocd: &str) -> BoxStream<'static, (Kind, Happened)> {
    let config = watcher::Config::default().page_size(PAGE);
    watcher(R::KIND.api::<R>(connection, argocd), config)
        .default_backoff()
        .map(|event| {
            let happened = match event {
                Ok(Event::Init) => Happened::Begun,
                Ok(Event::InitApply(object)) => Happened::Listed(object.place(), object.fact()),
                Ok(Event::InitDone) => Happened::Complete,
                Ok(Event::Apply(object)) => Happened::Put(object.place(), object.fact()),
                Ok(Event::Delete(object)) => Happened::Gone(object.place()),
                Err(error) => Happened::Failed(error),
            };
            (R::KIND, happened)
        })
        .boxed()
}

/// The facts as they change.
#[derive(Default)]
struct Live {
    facts: Facts,
    /// Kinds that were listed, or cannot be.
    settled: Vec<Kind>,
    /// What a list that is under way has brought.
    listed: [Facts; Kind::ALL.len()],
    /// When what changed is told.
    due: Option<Instant>,
}

impl Live {
    fn is_complete(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.settled.contains(kind))
    }

    fn change(&mut self) {
        self.due.get_or_insert_with(|| Instant::now() + TOGETHER);
    }

    fn take(&mut self, connection: &Connection, kind: Kind, event: Happened) {
        let listed = &mut self.listed[kind as usize];
        let is_new = match event {
            Happened::Begun => {
                *listed = Facts::default();
                false
            }
            Happened::Listed(place, fact) => {
                listed.put((place, fact));
                false
            }
            Happened::Complete => {
                let listed = std::mem::take(listed);
                self.facts.replace(kind, listed) | self.settle(kind)
            }
            Happened::Put(place, fact) => self.facts.put((place, fact)),
            Happened::Gone(place) => self.facts.remove(kind, &place),
            Happened::Failed(error) => {
                let error = match error {
                    watcher::Error::InitialListFailed(error) => {
                        connection.error(&kind.doing("list"), error)
                    }
                    watcher::Error::WatchStartFailed(error) => {
                        connection.error(&kind.doing("watch"), error)
                    }
                    // The connection ended or the server forgot where the watch was; it is begun anew.
                    _ => return,
                };
                // Whether the cluster answers is asked at the next tick.
                if error.is_unreachable() {
                    return;
                }
                self.facts.unread(kind, &error) | self.settle(kind)
            }
        };
        if is_new {
            self.change();
        }
    }

    fn settle(&mut self, kind: Kind) -> bool {
        let is_new = !self.settled.contains(&kind);
        if is_new {
            self.settled.push(kind);
        }
        is_new
    }
}
