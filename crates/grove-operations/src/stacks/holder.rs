//! Who holds a lock from another host: a pod of a cluster, often a Workflow's, or a machine that Grove
//! cannot see.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use grove_cluster::{Access, Connection, pod};

use crate::Around;

/// How long the clusters are asked: it is a hint in an error.
const LIMIT: Duration = Duration::from_secs(10);

/// What the fleet's clusters say of a host, in half a sentence.
pub(super) fn explain(around: &Around, host: &str, clusters: &BTreeMap<String, Access>) -> String {
    if !is_pods_name(host) {
        return "whether it still runs is to be seen on its host".to_owned();
    }
    let asked = clusters
        .iter()
        .map(|(cluster, access)| of_cluster(cluster, access, host));
    let answers = around
        .block_on(async { Ok(join_all(asked).await) })
        .unwrap_or_default();
    let silent: Vec<&str> = clusters
        .keys()
        .zip(&answers)
        .filter(|(_, answer)| answer.is_none())
        .map(|(cluster, _)| cluster.as_str())
        .collect();
    let mut found = answers.iter().flatten().flatten().peekable();
    if found.peek().is_some() {
        let found: Vec<&str> = found.map(String::as_str).collect();
        return found.join(", and ");
    }
    let here = format!("whether it still runs is to be seen on {host}");
    if clusters.is_empty() {
        here
    } else if silent.is_empty() {
        format!("no cluster of the fleet has a pod of that name; {here}")
    } else {
        format!("{here} ({} did not answer)", silent.join(", "))
    }
}

/// What a cluster says of its pods of a name; none where it does not answer.
async fn of_cluster(cluster: &str, access: &Access, name: &str) -> Option<Vec<String>> {
    let ask = async {
        let connection = Connection::open(cluster, access).await?;
        pod::named(&connection, name).await
    };
    let pods = tokio::time::timeout(LIMIT, ask).await.ok()?.ok()?;
    let lines = pods.iter().map(|pod| {
        let what = pod.workflow.as_ref().map_or_else(
            || format!("the pod {name}"),
            |workflow| format!("the pod {name} of the Workflow {workflow}"),
        );
        let state = if pod.has_ended() {
            "has ended and works on it no more"
        } else {
            "still lives"
        };
        format!(
            "{what} in {cluster}, namespace {}, {state} ({})",
            pod.namespace, pod.phase
        )
    });
    Some(lines.collect())
}

/// Whether a text may be a pod's name: what a back end says of a lock is anybody's text.
fn is_pods_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
}
