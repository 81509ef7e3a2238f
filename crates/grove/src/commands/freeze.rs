//! `grove freeze`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use grove_cluster::Connection;
use grove_fleet::{Address, Fleet, model::Instance};
use grove_release::{Changes, Draft, Freeze, Message, View, thaw};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::Global,
    commands::{
        rollback::find_cluster,
        selection::{Agreement, Selection},
    },
    connecting::{Reach, block_on},
    error::{CommandError, Exit, Result},
    following,
    freezing::described,
    output::Output,
    releasing::{self, Remotes},
    surroundings,
    workspace::{Workspace, is_json},
};

/// The longest freeze: what is left alone for longer is held.
const LONGEST: SignedDuration = SignedDuration::from_hours(744);
/// The root Application, which brings the projects of instances.
const ROOT: &str = "grove-apps";
/// How long Argo CD may take to bring a freeze to its cluster.
const PATIENCE: Duration = Duration::from_mins(1);
const ROUND: Duration = Duration::from_millis(300);

/// Make Argo CD leave instances alone for some time.
///
/// While an instance is frozen, nothing is synced to it by itself: what is done by hand in the cluster
/// stays, and a deploy passes it over. The freeze ends by itself, or with `grove unfreeze`; then Argo CD
/// puts back what the release has. `status`, `history` and Argo CD show who froze it, why and until when.
///
/// It is a commit to the deploy branch. Where Git cannot be reached, it is written to the cluster alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove freeze prod/uni --for 2h -m \"Restoring a table by hand\"\n\
    \x20 grove freeze 'prod/*' --for 90m -m \"The database moves\"")]
pub(crate) struct Arguments {
    /// For how long: `2h`, `90m`, `1d`; whole minutes.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    time: SignedDuration,
    /// Why; shown wherever the freeze is.
    #[arg(short, long = "message", visible_alias = "reason", value_name = "TEXT")]
    message: String,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    remotes: Remotes,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    arguments.selection.must_be_stated()?;
    let workspace = Workspace::open(global)?;
    // At night the fleet may have errors that are none of these instances'.
    let fleet = workspace.check()?.fleet;
    let author = releasing::author(&workspace)?;
    let by = format!("{} <{}>", author.name, author.email);
    let seconds = u32::try_from(arguments.time.as_secs()).unwrap_or(u32::MAX);
    let freeze = Freeze::new(surroundings::now()?, seconds, &arguments.message, &by)
        .ok_or_else(|| CommandError::usage("the freeze would end beyond all calendars"))?;
    let instances = arguments.selection.select(&fleet)?;
    arguments.agreement.ask(&instances, output)?;
    let change = Change {
        workspace: &workspace,
        fleet: &fleet,
        remotes: &arguments.remotes,
        reach: &arguments.reach,
        freeze: Some(&freeze),
    };
    change.run(&instances, output)
}

/// A freeze, or the end of one.
pub(super) struct Change<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) fleet: &'a Fleet,
    pub(super) remotes: &'a Remotes,
    pub(super) reach: &'a Reach,
    /// None ends what there is.
    pub(super) freeze: Option<&'a Freeze>,
}

/// What became of one instance.
#[derive(Debug, Serialize)]
struct Row {
    instance: Address,
    /// Whether the deploy branch has it.
    in_git: bool,
    /// Whether the cluster has it.
    in_cluster: bool,
    /// Why nothing was done, where nothing was to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'static str>,
}

impl Row {
    fn new(instance: &Instance, skipped: Option<&'static str>, in_git: bool) -> Self {
        Self {
            instance: instance.address.clone(),
            in_git: in_git && skipped.is_none(),
            in_cluster: false,
            skipped,
        }
    }
}

impl Change<'_> {
    /// Changes the deploy branches, then sees to it that the clusters have it.
    pub(super) fn run(&self, instances: &[&Instance], output: &Output) -> Result {
        let clusters: BTreeSet<&str> = instances
            .iter()
            .map(|instance| instance.address.cluster.as_str())
            .collect();
        let mut rows = Vec::new();
        let mut failed = None;
        for cluster in clusters {
            let of_cluster: Vec<&Instance> = instances
                .iter()
                .copied()
                .filter(|instance| instance.address.cluster == cluster)
                .collect();
            let (mut changed, is_in_git) = match self.commit(cluster, &of_cluster, output) {
                Ok(changed) => (changed, true),
                // The cluster may be had all the same.
                Err(error) if error.exit == Exit::Tool => {
                    output.progress_done();
                    output.warn(&format!("{error}"));
                    output.note(&format!("it is written to {cluster} itself instead"));
                    if self.freeze.is_none() {
                        output.note("a freeze that the deploy branch has comes back with it: say this again then");
                    }
                    (
                        of_cluster
                            .iter()
                            .map(|one| Row::new(one, None, false))
                            .collect(),
                        false,
                    )
                }
                Err(error) => return Err(error),
            };
            if let Err(error) = self.reach(cluster, &mut changed, is_in_git, output) {
                output.progress_done();
                if is_in_git && error.exit != Exit::OutOfTime {
                    output.warn(&format!("{error}"));
                    output.note(
                        "it is in the deploy branch: Argo CD has it when it next looks there",
                    );
                } else {
                    failed = Some(error);
                }
            }
            rows.extend(changed);
        }
        output.progress_done();
        self.print(&rows, output)?;
        failed.map_or(Ok(Exit::Done), Err)
    }

    /// One commit to the branch of a cluster. Gives the instances, and why some were passed over.
    fn commit(&self, cluster: &str, instances: &[&Instance], output: &Output) -> Result<Vec<Row>> {
        output.progress(&format!("fetching the deploy branch of {cluster}"));
        let mut branch = self.remotes.open(self.workspace, self.fleet, cluster)?;
        let mut changes = Changes::default();
        let mut names = Vec::new();
        let mut rows = Vec::new();
        let view = branch.view()?;
        for instance in instances {
            let name = &instance.address.instance;
            let skipped = self.edit(&view, name, &mut changes)?;
            if skipped.is_none() {
                names.push(name.clone());
            }
            rows.push(Row::new(instance, skipped, true));
        }
        if !changes.is_empty() {
            let subject = match self.freeze {
                Some(freeze) => {
                    let why = freeze.reason.lines().next().unwrap_or_default();
                    format!("Freeze {} until {}: {why}", names.join(", "), freeze.until)
                }
                None => format!("End the freeze of {}", names.join(", ")),
            };
            let draft = Draft {
                changes,
                message: Message {
                    subject,
                    grove: env!("CARGO_PKG_VERSION").to_owned(),
                    ..Message::default()
                },
                author: releasing::author(self.workspace)?,
                time: surroundings::now()?,
            };
            branch.commit(draft, grove_release::refuse)?;
        }
        Ok(rows)
    }

    fn edit(
        &self,
        view: &View<'_>,
        name: &str,
        changes: &mut Changes,
    ) -> Result<Option<&'static str>> {
        let apps = view.apps(name)?;
        match self.freeze {
            _ if view.latest(name)?.is_none() => {
                return Ok(Some("was never released: there is nothing to leave alone"));
            }
            Some(freeze) => changes.freeze(name, freeze, &apps),
            None if view.freeze(name)?.is_none() && thaw(&apps, name) == apps => {}
            None => changes.unfreeze(name, &apps),
        }
        Ok(None)
    }

    /// Waits until a cluster has what the branch has, or writes it there.
    fn reach(
        &self,
        cluster: &str,
        rows: &mut [Row],
        is_in_git: bool,
        output: &Output,
    ) -> Result<()> {
        let cluster = find_cluster(self.fleet, cluster)?;
        output.progress(&format!("reaching {}", cluster.name));
        following::proven(cluster)?;
        block_on(async {
            let connection = self.reach.connect(cluster).await?;
            let argocd = &cluster.argocd_namespace;
            for row in rows.iter_mut().filter(|row| row.skipped.is_none()) {
                let application = row.instance.application();
                output.progress(&format!("{}: waiting for Argo CD", row.instance));
                if is_in_git {
                    self.follow(&connection, argocd, &application).await?;
                } else {
                    self.write(&connection, argocd, &application).await?;
                }
                row.in_cluster = true;
            }
            Ok(())
        })
    }

    /// Makes Argo CD look at the branch until the project has the window, or has none.
    async fn follow(&self, connection: &Connection, argocd: &str, name: &str) -> Result<()> {
        let begun = Instant::now();
        let wanted = self.freeze.map(Freeze::windows);
        if self.freeze.is_none() {
            // What was written to the cluster alone, Argo CD leaves there.
            self.write(connection, argocd, name).await?;
            connection.refresh(argocd, ROOT).await?;
            tokio::time::sleep(ROUND).await;
        }
        loop {
            if connection.windows(argocd, name).await? == wanted {
                // The window of its project is no reason for Argo CD to look at an Application.
                connection.refresh(argocd, name).await?;
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(CommandError::new(
                    Exit::OutOfTime,
                    format!("Argo CD has not brought it to {name} in time"),
                )
                .hint("it is in the deploy branch; `grove status` shows what Argo CD says"));
            }
            connection.refresh(argocd, ROOT).await?;
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn write(&self, connection: &Connection, argocd: &str, name: &str) -> Result<()> {
        let windows = self.freeze.map_or(Value::Null, Freeze::windows);
        let mut annotations: BTreeMap<String, Value> = BTreeMap::new();
        match self.freeze {
            Some(freeze) => {
                annotations.extend(freeze.annotations().map(|(key, value)| (key, value.into())));
            }
            None => annotations.extend(Freeze::keys().map(|key| (key, Value::Null))),
        }
        let annotations = json!(annotations);
        connection
            .write_freeze(argocd, name, &windows, &annotations)
            .await?;
        Ok(())
    }

    fn print(&self, rows: &[Row], output: &Output) -> Result<()> {
        if is_json(output) {
            return output.json(&json!({
                "version": 1, "until": self.freeze.map(|freeze| freeze.until), "instances": rows,
            }));
        }
        for row in rows {
            let text = match (row.skipped, self.freeze) {
                (Some(why), _) => why.to_owned(),
                (None, None) => "not frozen".to_owned(),
                (None, Some(freeze)) => described(freeze),
            };
            output.print(&format!("{}: {text}\n", row.instance))?;
        }
        Ok(())
    }
}

/// Reads how long a freeze lasts.
fn span(text: &str) -> std::result::Result<SignedDuration, String> {
    let time = text
        .parse()
        .and_then(|span: Span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| "such as `2h`, `90m` or `1d`".to_owned())?;
    match time {
        time if time < SignedDuration::from_mins(1) => Err("at least a minute".to_owned()),
        time if time > LONGEST => {
            Err("at most 31 days; `grove hold` keeps a release for longer".to_owned())
        }
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_minutes_to_a_month() {
        for (text, minutes) in [("2h", 120), ("90m", 90), ("1h 30m", 90), ("31d", 44_640)] {
            assert_eq!(span(text), Ok(SignedDuration::from_mins(minutes)), "{text}");
        }
        for text in ["", "2", "30s", "32d", "-2h", "two hours"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
