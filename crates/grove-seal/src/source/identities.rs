//! The private keys that open SOPS files, and where `sops` itself looks for them.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use age::secrecy::ExposeSecret;

use super::Error;
use crate::Secret;

/// Private age keys. Never printed.
#[derive(Clone, Default)]
pub struct Identities {
    keys: Vec<age::x25519::Identity>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.recipients()).finish()
    }
}

impl Identities {
    /// Adds the identities of a text, one a line or divided by spaces; `place` names it in errors.
    ///
    /// Empty lines and comments are skipped, and so are identities of kinds that only the `sops`
    /// program handles (plugins, post-quantum): what they alone open needs that program anyway.
    pub fn add(&mut self, place: &str, text: &str) -> Result<(), Error> {
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            for word in line.split_whitespace() {
                if word.starts_with("AGE-PLUGIN-") || word.starts_with("AGE-SECRET-KEY-PQ-") {
                    continue;
                }
                self.keys.push(word.parse().map_err(|_| Error::Identity {
                    place: place.to_owned(),
                    line: index + 1,
                })?);
            }
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The public keys that belong to them.
    pub fn recipients(&self) -> Vec<String> {
        self.keys
            .iter()
            .map(|key| key.to_public().to_string())
            .collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| key as &dyn age::Identity)
    }
}

/// A new private key and its public half (`age1…`).
pub fn new_identity() -> (Secret, String) {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    (
        Secret::from(identity.to_string().expose_secret()),
        recipient,
    )
}

/// A place where `sops` looks for age identities.
#[derive(Clone, Debug)]
pub enum Place {
    /// The value of a variable is the identities.
    Text {
        /// The variable's name.
        variable: &'static str,
        /// Its value.
        text: Secret,
    },
    /// A file of identities.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether its absence is an error: it was named, not merely the usual place.
        required: bool,
    },
    /// A command whose output is the identities; split into words as a shell does, run without one.
    Command {
        /// The variable's name.
        variable: &'static str,
        /// The command line.
        line: String,
    },
}

/// Where `sops` 3.13 looks for age identities, in its order. `variable` looks a variable of the
/// environment up; `home` is the user's home directory.
///
/// SSH keys, which `sops` also tries, are left to the `sops` program.
pub fn places(variable: impl Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(text) = variable("SOPS_AGE_KEY").and_then(|text| text.into_string().ok()) {
        places.push(Place::Text {
            variable: "SOPS_AGE_KEY",
            text: Secret::new(text),
        });
    }
    if let Some(path) = variable("SOPS_AGE_KEY_FILE") {
        places.push(Place::File {
            path: path.into(),
            required: true,
        });
    }
    if let Some(line) = variable("SOPS_AGE_KEY_CMD").and_then(|line| line.into_string().ok()) {
        places.push(Place::Command {
            variable: "SOPS_AGE_KEY_CMD",
            line,
        });
    }
    let configured = variable("XDG_CONFIG_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let usual = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".config"
    };
    if let Some(directory) = configured.or_else(|| home.map(|home| home.join(usual))) {
        places.push(Place::File {
            path: directory.join("sops/age/keys.txt"),
            required: false,
        });
    }
    places
}
