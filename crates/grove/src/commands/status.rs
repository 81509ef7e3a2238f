//! `grove status`.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use futures_util::future::join_all;
use grove_fleet::{Fleet, model::Instance};
use grove_release::{DeployBranch, Id};
use grove_watch::{InstanceRow, Observation, Released, State, Status, Wanted, fold, observe};
use jiff::Timestamp;
use rayon::prelude::*;

use crate::{
    cli::Global,
    commands::selection::Selection,
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    output::Output,
    releasing::Remotes,
    surroundings,
    workspace::{Workspace, is_json},
};

/// Show what should run and what runs, on all clusters at once.
///
/// Reads the deploy branches and the clusters' API, and writes nowhere. A cluster that does not
/// answer is unknown, never empty, and costs its own rows only.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove status\n\
    \x20 grove status prod --check\n\
    \x20 grove status -l client=uni --format json")]
pub(crate) struct Arguments {
    /// End with exit code 5 unless every instance that was released runs.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    asking: Asking,
}

/// What is asked, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Asking {
    /// How long a cluster may take to answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = workspace.check()?.fleet;
    let status = gather(&arguments.asking, &workspace, &fleet, output)?;
    if is_json(output) {
        output.json(&status)?;
    } else {
        output.print(&text(&status))?;
    }
    let is_fine = |row: &InstanceRow| matches!(row.state, State::Running | State::NeverReleased);
    if arguments.check && !status.instances.iter().all(is_fine) {
        return Ok(Exit::Unhealthy);
    }
    Ok(Exit::Done)
}

/// Asks Git and the clusters, at the same time.
pub(super) fn gather(
    arguments: &Asking,
    workspace: &Workspace,
    fleet: &Fleet,
    output: &Output,
) -> Result<Status> {
    let instances = arguments.selection.select(fleet)?;
    let everything =
        arguments.selection.selectors.is_empty() && arguments.selection.labels.is_empty();
    let clusters: Vec<&str> = if everything {
        fleet.clusters.keys().map(String::as_str).collect()
    } else {
        let mut names: Vec<&str> = instances
            .iter()
            .map(|instance| instance.address.cluster.as_str())
            .collect();
        names.dedup();
        names
    };
    let side = Side {
        arguments,
        workspace,
        fleet,
        instances: &instances,
        everything,
    };
    output.progress(&format!("asking {}", clusters.join(", ")));
    let (branches, observed) = rayon::join(
        || -> Vec<_> {
            clusters
                .par_iter()
                .map(|name| (*name, side.branch(name)))
                .collect()
        },
        || block_on(async { Ok(side.observe(&clusters).await) }),
    );
    output.progress_done();
    let observed = observed?;
    let mut wanted = BTreeMap::new();
    for (name, branch) in branches {
        let side = match branch {
            Ok(branch) => side.wanted(name, &branch, observed.get(name))?,
            Err(error) => Wanted {
                problem: Some(error.to_string()),
                ..side.fleet_only(name)
            },
        };
        wanted.insert(name.to_owned(), side);
    }
    Ok(fold(surroundings::now()?, &wanted, &observed))
}

/// What both sides are asked with.
struct Side<'a> {
    arguments: &'a Asking,
    workspace: &'a Workspace,
    fleet: &'a Fleet,
    instances: &'a [&'a Instance],
    /// Whether nothing was selected: instances that are gone from the fleet are shown too.
    everything: bool,
}

impl Side<'_> {
    fn branch(&self, cluster: &str) -> Result<DeployBranch> {
        self.arguments
            .remotes
            .open(self.workspace, self.fleet, cluster)
    }

    /// Every cluster at once, each within its own time.
    async fn observe(
        &self,
        clusters: &[&str],
    ) -> BTreeMap<String, std::result::Result<Observation, String>> {
        let limit = Duration::from_secs(self.arguments.timeout);
        let all = clusters.iter().map(|name| async move {
            let asked = async {
                let cluster = self.fleet.clusters.get(*name).ok_or_else(|| {
                    CommandError::new(Exit::Bug, "a cluster that the fleet does not have")
                })?;
                let connection = self.arguments.reach.connect(cluster).await?;
                Ok::<_, CommandError>(observe(&connection, &cluster.argocd_namespace).await?)
            };
            let result = match tokio::time::timeout(limit, asked).await {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(_) => Err(format!("it did not answer within {} s", limit.as_secs())),
            };
            ((*name).to_owned(), result)
        });
        join_all(all).await.into_iter().collect()
    }

    fn fleet_only(&self, cluster: &str) -> Wanted {
        let certificate = self
            .fleet
            .clusters
            .get(cluster)
            .and_then(|cluster| cluster.sealing.as_ref());
        Wanted {
            instances: self
                .instances
                .iter()
                .filter(|instance| instance.address.cluster == cluster)
                .map(|instance| {
                    let released = Released {
                        namespace: instance.identity.namespace.clone(),
                        in_fleet: true,
                        ..Released::default()
                    };
                    (instance.address.instance.clone(), released)
                })
                .collect(),
            sealing_certificate_ends: certificate
                .and_then(|certificate| Timestamp::from_second(certificate.not_after).ok()),
            problem: None,
        }
    }

    fn wanted(
        &self,
        cluster: &str,
        branch: &DeployBranch,
        observed: Option<&std::result::Result<Observation, String>>,
    ) -> Result<Wanted> {
        let mut wanted = self.fleet_only(cluster);
        let view = branch.view()?;
        if self.everything {
            for name in view.instances()? {
                wanted.instances.entry(name).or_default();
            }
        }
        for (name, released) in &mut wanted.instances {
            if let Some(record) = view.latest(name)? {
                released.newest = Some((record.release, record.time));
                if let Some(identity) = record.identity {
                    released.namespace = identity.namespace;
                }
            }
            released.hold = view.hold(name)?.map(|hold| hold.reason);
            let application = grove_fleet::Address::new(cluster, name).application();
            let revision = observed
                .and_then(|result| result.as_ref().ok())
                .and_then(|observation| {
                    observation.applications.get(&application)?.revision.clone()
                })
                .and_then(|revision| revision.parse::<Id>().ok());
            if let Some(commit) = revision
                && branch.has_commit(commit)?
            {
                released.seen = branch.view_at(commit)?.releases(name)?.first().copied();
            }
        }
        Ok(wanted)
    }
}

pub(super) fn text(status: &Status) -> String {
    let mut text = String::new();
    for cluster in &status.clusters {
        let mut words = vec![match &cluster.kubernetes {
            Some(version) => format!("Kubernetes {version}"),
            None => "not reached".to_owned(),
        }];
        words.extend(
            cluster
                .roots
                .iter()
                .map(|(name, state)| format!("{name} {state}")),
        );
        if let Some(ends) = cluster.sealing_certificate_ends {
            words.push(format!(
                "sealing certificate until {}",
                ends.strftime("%Y-%m-%d")
            ));
        }
        let _written = writeln!(text, "{}: {}", cluster.cluster, words.join(", "));
        for problem in &cluster.problems {
            let _written = writeln!(text, "  ! {problem}");
        }
    }
    let mut rows = vec![
        [
            "INSTANCE", "STATE", "WANTED", "RUNNING", "SYNC", "HEALTH", "AGE", "NOTES",
        ]
        .map(str::to_owned),
    ];
    for row in &status.instances {
        let number = |number: Option<u32>| {
            number.map_or_else(|| "-".to_owned(), |number| format!("{number:04}"))
        };
        let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        let mut notes = Vec::new();
        notes.extend(row.hold.as_ref().map(|hold| format!("held: {hold}")));
        notes.extend(row.problem.clone());
        if !row.drift.is_empty() {
            notes.push(format!("not as released: {}", row.drift.join(", ")));
        }
        if let Some(ends) = row.certificate_ends {
            notes.push(format!("certificate until {}", ends.strftime("%Y-%m-%d")));
        }
        rows.push([
            row.instance.to_string(),
            state(row.state).to_owned(),
            number(row.wanted),
            number(row.running),
            word(&row.sync),
            word(&row.health),
            row.released
                .map_or_else(|| "-".to_owned(), |time| age(status.time, time)),
            notes.join("; "),
        ]);
    }
    let widths: Vec<usize> = (0..8)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    text.push('\n');
    for row in rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(word, width)| format!("{word:<width$}", width = *width))
            .collect();
        let _written = writeln!(text, "{}", line.join("  ").trim_end());
    }
    text
}

pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::NeverReleased => "never released",
        State::Deploying => "deploying",
        State::Drifted => "drifted",
        State::Unhealthy => "unhealthy",
        State::Unknown => "unknown",
    }
}

/// How long ago something was, in one unit.
fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = (now.as_second() - then.as_second()).max(0);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}
