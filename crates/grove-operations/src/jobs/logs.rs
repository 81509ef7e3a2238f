//! What the pods of an instance wrote.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::jobs::logs;
//!
//! let mut request = logs::Request::of("prod/uni");
//! request.service = Some("lms".to_owned());
//! for pod in logs::read(around, &request)?.pods {
//!     assert!(pod.lines.len() <= 50);
//! }
//! # Ok(())
//! # }
//! ```

use std::convert::Infallible;

use grove_cluster::logs::{self, Heard, Meant};
use grove_fleet::{Address, model::Cluster};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Error, Kind, Result,
    fleet::{
        find::{address, find, find_cluster},
        workspace::Workspace,
    },
};

/// Asks what pods wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// `cluster/instance`.
    pub instance: String,
    /// Only pods of this service or init task: a workload's name, such as `lms` or `cms-worker`, or an init
    /// task's, such as `lms-migrate`.
    #[serde(default)]
    pub service: Option<String>,
    /// At most this many lines of each pod, the last ones.
    #[serde(default = "tail")]
    pub tail: i64,
    /// What the container wrote before it was last restarted; not to be followed.
    #[serde(default)]
    pub previous: bool,
}

fn tail() -> i64 {
    50
}

impl Request {
    /// The last lines of every pod of an instance, `cluster/instance`.
    pub fn of(instance: &str) -> Self {
        Self {
            revision: None,
            instance: instance.to_owned(),
            service: None,
            tail: tail(),
            previous: false,
        }
    }
}

/// What pods wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// `cluster/instance`.
    pub instance: String,
    /// Each pod.
    pub pods: Vec<Pod>,
}

/// What one pod wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pod {
    /// Its name.
    pub pod: String,
    /// Its lines, without control characters. Of a container that has not started, one says that, in brackets.
    pub lines: Vec<String>,
}

/// A line that was just written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Line<'a> {
    /// The pod that wrote it.
    pub pod: &'a str,
    /// The line, without control characters.
    pub line: &'a str,
}

/// Where the pods are.
struct Place {
    address: Address,
    namespace: String,
    cluster: Cluster,
}

impl Place {
    fn find(around: &Around, request: &Request) -> Result<Self> {
        let workspace = Workspace::open(around, request.revision.as_deref())?;
        let fleet = workspace.check().fleet;
        let address = address(&request.instance)?;
        let instance = find(&fleet, &address)?;
        let cluster = find_cluster(&fleet, &address.cluster)?;
        Ok(Self {
            namespace: instance.identity.namespace.clone(),
            cluster: cluster.clone(),
            address,
        })
    }

    fn meant<'a>(&'a self, request: &'a Request) -> Meant<'a> {
        Meant {
            namespace: &self.namespace,
            service: request.service.as_deref(),
            tail: request.tail,
        }
    }
}

/// The last lines that pods wrote.
///
/// # Errors
///
/// [`Kind::No`] where there is no such pod.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let place = Place::find(around, request)?;
    let found = around.block_on(async {
        let connection = around.connect(&place.cluster).await?;
        Ok(logs::read(&connection, &place.meant(request), request.previous).await?)
    })?;
    let address = place.address;
    if found.is_empty() {
        let what = request
            .service
            .as_deref()
            .map_or_else(String::new, |service| format!(" of `{service}`"));
        return Err(Error::new(Kind::No, format!("{address} has no pod{what}"))
            .hint("`grove status` shows whether it runs"));
    }
    let pods = found.into_iter().map(|(pod, lines)| Pod { pod, lines });
    Ok(Outcome {
        instance: address.to_string(),
        pods: pods.collect(),
    })
}

/// The last lines that pods wrote, then what they write, and everything that pods write which start meanwhile.
/// It goes on until `hear` gives an error, or the cluster does.
pub fn follow(
    around: &Around,
    request: &Request,
    mut hear: impl FnMut(Line<'_>) -> Result<()>,
) -> Result<Infallible> {
    let _entered = around.enter()?;
    if request.previous {
        return Err(Error::usage(
            "what a container wrote before it was restarted cannot be followed",
        ));
    }
    let place = Place::find(around, request)?;
    around.block_on(async {
        let connection = around.connect(&place.cluster).await?;
        logs::follow(&connection, &place.meant(request), |heard| match heard {
            Heard::Line { pod, line } => hear(Line { pod, line }),
            Heard::Nothing => {
                around.note("no pod has begun to write yet; waiting for one");
                Ok(())
            }
        })
        .await
    })
}
