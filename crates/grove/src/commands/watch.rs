//! `grove watch`.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use grove_fleet::model::Cluster;
use grove_release::{DeployBranch, Id};
use grove_watch::{InstanceRow, Status, fold};
use rayon::prelude::*;
use tokio::sync::Notify;

use crate::{
    asking::{Asking, GitSide, Observed, Scope},
    cli::Global,
    commands::status::{state, text},
    connecting::block_on,
    error::{CommandError, Exit, Result},
    output::Output,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Show what runs, and then every change of it, until it is interrupted.
///
/// Begins with what `grove status` shows. What changes in a cluster is shown as it happens; the deploy
/// branches are asked every few seconds. As JSON it prints a line for each state that differs from the
/// one before, in the format of `grove status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove watch\n\
    \x20 grove watch prod --interval 5")]
pub(crate) struct Arguments {
    /// Seconds between two looks at Git, and at whether a quiet cluster still answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    interval: u64,
    /// End after this many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    duration: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

/// What is heard.
enum News {
    Cluster(String, Observed),
    Branch(String, Box<Result<DeployBranch>>),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let scope = Scope::new(&arguments.asking, &workspace, &fleet)?;
    let interval = Duration::from_secs(arguments.interval);
    let (tell, news) = mpsc::channel();
    let (ask, asked) = mpsc::channel();
    let end = Notify::new();
    output.progress(&format!("asking {}", scope.names()));
    std::thread::scope(|threads| {
        let (told, scope, stop) = (tell.clone(), &scope, &end);
        let clusters = threads.spawn(move || {
            block_on(async {
                let all = scope.clusters.iter();
                let all = join_all(all.map(|cluster| listen(scope, cluster, interval, &told)));
                tokio::select! {
                    _never = all => {}
                    () = stop.notified() => {}
                }
                Ok(())
            })
        });
        let branches = threads.spawn(move || look(scope, interval, &asked, &tell));
        let ended = Screen::new(scope, output, &ask).show(&news, arguments.duration);
        end.notify_one();
        drop(ask);
        let died = || CommandError::new(Exit::Bug, "a thread ended without a word");
        branches.join().map_err(|_| died())?;
        clusters.join().map_err(|_| died())??;
        ended
    })?;
    Ok(Exit::Done)
}

/// Hears what a cluster says, for ever.
async fn listen(scope: &Scope<'_>, cluster: &Cluster, interval: Duration, tell: &Sender<News>) {
    let limit = scope.asking.limit();
    let say = |observed: Observed| {
        // Nobody listens once the command ends.
        tell.send(News::Cluster(cluster.name.clone(), observed))
            .ok();
    };
    loop {
        let error = match tokio::time::timeout(limit, scope.asking.reach.connect(cluster)).await {
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
        let clusters = scope.clusters.par_iter();
        let branches: Vec<_> = clusters.map(|cluster| scope.branch(cluster)).collect();
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

/// Both sides as they are known, and what was shown of them.
struct Screen<'a> {
    scope: &'a Scope<'a>,
    output: &'a Output,
    ask: &'a Sender<()>,
    git: BTreeMap<String, GitSide>,
    observed: BTreeMap<String, Observed>,
    /// The commits that were looked for last, by cluster.
    looked_for: BTreeMap<String, Id>,
    shown: Option<Status>,
}

impl<'a> Screen<'a> {
    fn new(scope: &'a Scope<'a>, output: &'a Output, ask: &'a Sender<()>) -> Self {
        Self {
            scope,
            output,
            ask,
            git: BTreeMap::new(),
            observed: BTreeMap::new(),
            looked_for: BTreeMap::new(),
            shown: None,
        }
    }

    fn show(&mut self, news: &Receiver<News>, seconds: Option<u64>) -> Result<()> {
        let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        loop {
            let first = match end {
                None => news.recv().ok(),
                Some(end) => match end.checked_duration_since(Instant::now()) {
                    None => return Ok(()),
                    Some(left) => match news.recv_timeout(left) {
                        Ok(news) => Some(news),
                        Err(RecvTimeoutError::Timeout) => return Ok(()),
                        Err(RecvTimeoutError::Disconnected) => None,
                    },
                },
            };
            let Some(first) = first else { return Ok(()) };
            self.take(first)?;
            while let Ok(next) = news.try_recv() {
                self.take(next)?;
            }
            // The first picture is whole: everybody has answered, or will not.
            let all = self.scope.clusters.len();
            if self.git.len() == all && self.observed.len() == all {
                self.draw()?;
            }
        }
    }

    /// Takes one piece of news. A commit that Argo CD has seen and nobody here has is looked for.
    fn take(&mut self, news: News) -> Result<()> {
        let name = match news {
            News::Cluster(name, observed) => {
                self.observed.insert(name.clone(), observed);
                name
            }
            News::Branch(name, branch) => {
                match (*branch, self.git.get_mut(&name)) {
                    // What could not be read now was read before, and still is what is wanted.
                    (Err(error), Some(side)) if side.tip().is_some() => {
                        side.wanted.problem = Some(error.to_string());
                    }
                    (branch, _) => {
                        let mut clusters = self.scope.clusters.iter();
                        if let Some(cluster) = clusters.find(|cluster| cluster.name == name) {
                            let side = GitSide::read(self.scope, cluster, branch)?;
                            self.git.insert(name.clone(), side);
                        }
                    }
                }
                name
            }
        };
        if let Some(side) = self.git.get_mut(&name)
            && let Some(commit) = side.see(self.observed.get(&name))?
            && self.looked_for.insert(name, commit) != Some(commit)
        {
            self.ask.send(()).ok();
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<()> {
        self.output.progress_done();
        let wanted = self
            .git
            .iter()
            .map(|(name, side)| (name.clone(), side.wanted.clone()))
            .collect();
        let status = fold(surroundings::now()?, &wanted, &self.observed);
        match &self.shown {
            Some(before) if is_same(before, &status) => return Ok(()),
            _ if is_json(self.output) => self.output.json_line(&status)?,
            None => self.output.print(&text(&status))?,
            Some(before) => self.output.print(&changes(before, &status))?,
        }
        self.shown = Some(status);
        Ok(())
    }
}

/// Whether two looks saw the same; when they were made does not count.
fn is_same(before: &Status, after: &Status) -> bool {
    before.clusters == after.clusters && before.instances == after.instances
}

/// A line for each cluster and instance that is not as it was.
fn changes(before: &Status, after: &Status) -> String {
    let time = after.time.strftime("%H:%M:%SZ");
    let mut lines = Vec::new();
    for (old, new) in before.clusters.iter().zip(&after.clusters) {
        if old.reached != new.reached {
            let word = if new.reached {
                "answers again".to_owned()
            } else {
                format!("does not answer: {}", new.problems.join("; "))
            };
            lines.push(format!("{time} {}: {word}\n", new.cluster));
        }
    }
    let old: BTreeMap<_, _> = before
        .instances
        .iter()
        .map(|row| (&row.instance, words(row)))
        .collect();
    for row in &after.instances {
        let now = words(row);
        match old.get(&row.instance) {
            Some(before) if *before == now => {}
            _ => lines.push(format!("{time} {}: {now}\n", row.instance)),
        }
    }
    lines.concat()
}

/// What is said of an instance in a line.
fn words(row: &InstanceRow) -> String {
    let release = row
        .running
        .or(row.wanted)
        .map_or_else(|| "-".to_owned(), |number| format!("{number:04}"));
    let mut words = vec![state(row.state).to_owned(), release];
    words.extend(row.sync.iter().chain(&row.health).cloned());
    words.extend(row.hold.iter().map(|hold| format!("held: {hold}")));
    words.extend(row.problem.iter().chain(&row.unready).cloned());
    words.join(", ")
}
