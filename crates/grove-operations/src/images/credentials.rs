//! The credentials that an image is built with.
//!
//! ```no_run
//! # fn f(around: &grove_operations::Around) -> grove_operations::Result<()> {
//! use grove_operations::images::credentials;
//!
//! let request = credentials::Request {
//!     revision: None,
//!     instance: "prod/uni".to_owned(),
//! };
//! let secret = credentials::open(around, &request)?;
//! # Ok(())
//! # }
//! ```

use grove_seal::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::contexts::fleet;
use crate::{
    Around, Error, Kind, Result,
    fleet::{find, workspace::Workspace},
    secrets::open::Secrets,
};

/// Asks for the credentials of an instance's build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// `cluster/instance`.
    pub instance: String,
}

/// Opens the credentials, for the builder's secret `netrc`: a line for each host in the form of a `.netrc`,
/// which Python's installers, Git and curl read.
pub fn open(around: &Around, request: &Request) -> Result<Secret> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = fleet(&workspace)?;
    let instance = find::find(&fleet, &find::address(&request.instance)?)?;
    let secrets = Secrets::new(&workspace, &fleet);
    let mut text = Zeroizing::new(String::new());
    for (host, login) in &instance.build.credentials {
        let name = &login.password;
        let reference = instance.secrets.get(name).ok_or_else(|| {
            Error::new(
                Kind::Bug,
                format!("a checked fleet lacks the secret `{name}`"),
            )
        })?;
        let password = secrets.value(reference)?;
        // A word ends at a blank, and readers do not agree on how a quote is written.
        let is_word = |c: char| c.is_ascii_graphic() && !"\"'\\#".contains(c);
        if password.expose().is_empty() || !password.expose().chars().all(is_word) {
            return Err(Error::new(
                Kind::No,
                format!("the value of `{name}` cannot stand in a `.netrc`"),
            )
            .hint("tokens of forges and indexes have letters, digits and dashes; blanks, quotes and `#` do not pass"));
        }
        // It names no port.
        let machine = host.split(':').next().unwrap_or(host);
        for word in [
            "machine ",
            machine,
            " login ",
            &login.user,
            " password ",
            password.expose(),
            "\n",
        ] {
            text.push_str(word);
        }
    }
    if text.is_empty() {
        return Err(
            Error::refused(format!("{} states no credentials", instance.address))
                .hint("`build: {credentials: {HOST: {user: …, password: {secret: NAME}}}}`"),
        );
    }
    Ok(Secret::from(text.as_str()))
}
