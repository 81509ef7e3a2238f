//! What instances have outside of their namespaces: server, names and who makes them.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::jobs::data::list;
//!
//! let outcome = list::read(around, &list::Request::default())?;
//! # Ok(())
//! # }
//! ```

use grove_fleet::model::{Engine, credentials};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Result,
    fleet::{selection::Selection, workspace::Workspace},
};

/// Asks what instances have outside of their namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances.
    pub selection: Selection,
}

/// What they have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Each database, number or bucket.
    pub data: Vec<Row>,
}

/// One database, number or bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// What kind of server it is on, such as `mysql` or `s3`.
    pub engine: String,
    /// The server's name in `cluster.yaml`, where it has one.
    pub server: Option<String>,
    /// The server's host.
    pub host: String,
    /// Which application it is of, such as `openedx`.
    pub application: String,
    /// What it is called on the server.
    pub name: String,
    /// Who gets in.
    pub user: Option<String>,
    /// Who makes it: `create`, `adopt` or `external`.
    pub manage: String,
    /// Whether a rotation of its user stands between its two steps.
    pub rotating: bool,
}

/// Reads the fleet, whatever its findings.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = workspace.check().fleet;
    let mut data = Vec::new();
    for instance in request.selection.select(&fleet)? {
        for (engine, outside) in &instance.data.outside {
            for (application, name) in &outside.databases {
                let of = match engine {
                    Engine::Mysql => application.as_str(),
                    _ => "openedx",
                };
                let names = credentials(*engine, of);
                data.push(Row {
                    instance: instance.address.to_string(),
                    engine: engine.name().to_owned(),
                    server: outside.server.clone(),
                    host: outside.host.clone(),
                    application: application.clone(),
                    name: name.clone(),
                    user: outside.users.get(of).cloned(),
                    manage: outside.manage.name().to_owned(),
                    rotating: instance.secrets.contains_key(&names.previous),
                });
            }
        }
    }
    Ok(Outcome { data })
}
