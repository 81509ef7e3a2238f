//! What runs, and then every change of it.
//!
//! What changes in a cluster is heard as it happens; the deploy branches are asked every few seconds.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, status::watch::{self, Watcher}};
//! # use grove_watch::Status;
//! struct Count(usize);
//!
//! impl Watcher for Count {
//!     fn see(&mut self, _before: Option<&Status>, _now: &Status) -> Result<()> {
//!         self.0 += 1;
//!         Ok(())
//!     }
//! }
//!
//! # fn example(around: &Around, request: &watch::Request) -> Result<()> {
//! watch::watch(around, request, &mut Count(0))?;
//! # Ok(())
//! # }
//! ```

mod heard;

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::Duration,
};

use futures_util::future::join_all;
use grove_fleet::model::Cluster;
use grove_release::Id;
use grove_watch::Status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use self::heard::{Heard, News};
use super::gather::{AT_ONCE, Asking, Observed, Scope};
use crate::{Around, Doing, Error, Kind, Result, fleet::workspace::Workspace, threads};

/// Asks for what runs, and for its changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What is asked about.
    pub asking: Asking,
    /// Seconds between two looks at Git, and at whether a quiet cluster still answers; one at least.
    pub interval: u64,
    /// How many seconds it goes on; for ever where nothing is said.
    #[serde(default)]
    pub seconds: Option<u64>,
}

/// Who is shown what runs.
pub trait Watcher {
    /// Sees what runs now, which differs from what was seen before. An error of it ends the watch.
    fn see(&mut self, before: Option<&Status>, now: &Status) -> Result<()>;

    /// Whether nobody watches any more: asked about once a second.
    fn is_over(&self) -> bool {
        false
    }
}

/// How often a watcher is asked whether it still watches.
const TURN: Duration = Duration::from_secs(1);

/// Shows what runs, whole, and then whenever it is not as it was, until the time is over, or the watcher.
pub fn watch(around: &Around, request: &Request, watcher: &mut dyn Watcher) -> Result<()> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.asking.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let scope = &Scope::new(&request.asking, &workspace, &fleet)?;
    let interval = Duration::from_secs(request.interval.max(1));
    let (tell, news) = mpsc::channel();
    let (ask, asked) = mpsc::channel();
    let end = Notify::new();
    around.doing(Doing::Asking {
        clusters: &scope.names(),
    });
    std::thread::scope(|threads| {
        let (told, stop) = (tell.clone(), &end);
        let clusters = threads.spawn(move || {
            around.block_on(async {
                let all = scope.clusters.iter();
                let all = join_all(all.map(|cluster| listen(scope, cluster, interval, &told)));
                tokio::select! {
                    _never = all => {}
                    () = stop.notified() => {}
                }
                Ok(())
            })
        });
        let caller = around.caller();
        let branches = threads.spawn(move || {
            let _entered = caller.enter();
            look(scope, interval, &asked, &tell);
        });
        let ended = show(
            &mut Heard::new(scope, &ask),
            &news,
            request.seconds.map(Duration::from_secs),
            watcher,
        );
        end.notify_one();
        drop(ask);
        let died = || Error::new(Kind::Bug, "a thread ended without a word");
        branches.join().map_err(|_| died())?;
        clusters.join().map_err(|_| died())??;
        ended
    })
}

/// Hears what a cluster says, for ever.
async fn listen(scope: &Scope<'_>, cluster: &Cluster, interval: Duration, tell: &Sender<News>) {
    let limit = scope.asking.limit();
    let say = |observed: Observed| {
        // Nobody listens once the watch ends.
        tell.send(News::Cluster(cluster.name.clone(), observed))
            .ok();
    };
    loop {
        let reached = tokio::time::timeout(limit, scope.around().connect(cluster)).await;
        let error = match reached {
            Err(_) => format!("it did not answer within {} s", limit.as_secs()),
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(connection)) => {
                let heard = |observation| say(Ok(observation));
                let namespace = &cluster.argocd_namespace;
                match grove_watch::watch(&connection, namespace, interval, limit, &heard).await {
                    Ok(never) => match never {},
                    Err(error) => error.to_string(),
                }
            }
        };
        say(Err(error));
        tokio::time::sleep(interval).await;
    }
}

/// Looks at the deploy branches again and again, and at once where it is asked to; ends with the one
/// who asks.
fn look(scope: &Scope<'_>, interval: Duration, asked: &Receiver<()>, tell: &Sender<News>) {
    let mut before: BTreeMap<&str, std::result::Result<Option<Id>, String>> = BTreeMap::new();
    loop {
        let branches = threads::each(AT_ONCE, scope.clusters.clone(), |cluster| {
            scope.branch(cluster)
        });
        for (cluster, branch) in scope.clusters.iter().zip(branches) {
            let now = match &branch {
                Ok(branch) => Ok(branch.tip()),
                Err(error) => Err(error.to_string()),
            };
            if before.get(cluster.name.as_str()) != Some(&now) {
                before.insert(&cluster.name, now);
                let news = News::Branch(cluster.name.clone(), Box::new(branch));
                tell.send(news).ok();
            }
        }
        match asked.recv_timeout(interval) {
            // What was asked meanwhile is answered by the same look.
            Ok(()) => while asked.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Shows what is heard, until the time is over, or the watcher.
fn show(
    heard: &mut Heard<'_>,
    news: &Receiver<News>,
    duration: Option<Duration>,
    watcher: &mut dyn Watcher,
) -> Result<()> {
    let begun = heard.around().clock.elapsed();
    let mut shown: Option<Status> = None;
    while !watcher.is_over() {
        let _entered = heard.around().enter()?;
        let spent = heard.around().since(begun);
        let left = match duration.map(|duration| duration.checked_sub(spent)) {
            None => TURN,
            Some(Some(left)) => left.min(TURN),
            Some(None) => return Ok(()),
        };
        let first = match news.recv_timeout(left) {
            Ok(news) => news,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        heard.take(first)?;
        while let Ok(next) = news.try_recv() {
            heard.take(next)?;
        }
        let Some(status) = heard.status() else {
            continue;
        };
        heard.around().progress_done();
        if shown
            .as_ref()
            .is_none_or(|before| !is_same(before, &status))
        {
            watcher.see(shown.as_ref(), &status)?;
            shown = Some(status);
        }
    }
    Ok(())
}

/// Whether two looks saw the same; when they were made does not count.
fn is_same(before: &Status, after: &Status) -> bool {
    before.clusters == after.clusters && before.instances == after.instances
}
