//! What can be wrong with a SOPS file.

/// Why a file of secrets could not be read or written. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not one YAML document with a map at its root.
    #[error("{file}: not a readable YAML file: {detail}")]
    Syntax {
        /// The file, as the caller named it.
        file: String,
        /// What the parser says.
        detail: String,
    },
    /// A file without SOPS' own section.
    #[error("{file}: not encrypted: it has no `sops` section")]
    NotEncrypted {
        /// The file.
        file: String,
    },
    /// SOPS' own section is not as `sops` writes it.
    #[error("{file}: the `sops` section is damaged: {detail}")]
    Section {
        /// The file.
        file: String,
        /// What is missing or wrong.
        detail: String,
    },
    /// Encrypted in a way that only the `sops` program handles.
    #[error("{file}: only the `sops` program can open this file ({reason})")]
    NeedsProgram {
        /// The file.
        file: String,
        /// Which recipients or rules it has.
        reason: String,
    },
    /// No private key was found anywhere.
    #[error("{file}: there is no age identity to open it with")]
    NoIdentity {
        /// The file.
        file: String,
        /// Whom it is encrypted to.
        recipients: Vec<String>,
    },
    /// Keys were found, and none fits.
    #[error("{file}: not encrypted to any of your age identities")]
    WrongIdentity {
        /// The file.
        file: String,
        /// Whom it is encrypted to.
        recipients: Vec<String>,
        /// The public keys of the identities that were tried.
        tried: Vec<String>,
    },
    /// A value that does not open with the file's own data key.
    #[error("{file}: the value of `{key}` was changed, moved or renamed without `sops`")]
    Tampered {
        /// The file.
        file: String,
        /// The keys that lead to the value, joined by dots.
        key: String,
    },
    /// A value that should be encrypted and is plain.
    #[error("{file}: the value of `{key}` is not encrypted")]
    Plain {
        /// The file.
        file: String,
        /// The keys that lead to the value, joined by dots.
        key: String,
    },
    /// The values do not fit the file's authentication code.
    #[error(
        "{file}: the file's MAC does not fit its values: one was removed, added or put elsewhere without `sops`"
    )]
    Mac {
        /// The file.
        file: String,
    },
    /// An edit that would not have changed exactly one value.
    #[error("{file}: `{key}` cannot be changed: {detail}")]
    Edit {
        /// The file.
        file: String,
        /// The keys that lead to the value, joined by dots.
        key: String,
        /// Why.
        detail: String,
    },
    /// `.sops.yaml` cannot be understood.
    #[error("{file}: {detail}")]
    Rules {
        /// The configuration file.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No rule of `.sops.yaml` is for this file, or the one that is names nobody.
    #[error("{file}: no creation rule names recipients for {target}")]
    NoRule {
        /// The configuration file.
        file: String,
        /// The file that was to be created.
        target: String,
    },
    /// Not an age public key.
    #[error("`{recipient}` is not an age recipient")]
    Recipient {
        /// What it says.
        recipient: String,
    },
    /// A text that should hold age identities and does not.
    #[error("{place}: line {line} is not an age identity")]
    Identity {
        /// The file or variable.
        place: String,
        /// The line, from 1.
        line: usize,
    },
    /// The cipher itself failed; not reached by any file.
    #[error("{file}: encryption failed: {detail}")]
    Encryption {
        /// The file.
        file: String,
        /// What the library says.
        detail: String,
    },
    /// The `sops` program could not be run, or failed.
    #[error("{file}: {error}")]
    Program {
        /// The file.
        file: String,
        /// What happened.
        error: grove_exec::ExecError,
    },
    /// What the `sops` program printed is not what it prints.
    #[error("{file}: the output of `sops` cannot be understood")]
    Output {
        /// The file.
        file: String,
    },
    /// The file of ciphertext that `sops` edits could not be written or read.
    #[error("{file}: {error}")]
    Io {
        /// The file.
        file: String,
        /// What the operating system says.
        error: std::io::Error,
    },
}

/// How to get the `sops` program.
pub(super) const SOPS_HINT: &str =
    "install `sops` (https://getsops.io) and make it available on PATH";

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotEncrypted { file } => {
                Some(format!("encrypt it in place: `sops encrypt -i {file}`"))
            }
            Self::NeedsProgram { .. } => Some(SOPS_HINT.to_owned()),
            Self::NoIdentity { recipients, .. } => Some(format!(
                "set SOPS_AGE_KEY_FILE to the file with the private key of {}",
                either(recipients)
            )),
            Self::WrongIdentity {
                recipients, tried, ..
            } => Some(format!(
                "it needs the private key of {}; yours are of {}",
                either(recipients),
                tried.join(", ")
            )),
            Self::Tampered { .. } | Self::Plain { .. } => Some(
                "restore the file from Git; or take the line out and set the value with `grove secret set`"
                    .to_owned(),
            ),
            Self::Mac { file } => Some(format!(
                "restore the file from Git, or accept its values: `sops edit --ignore-mac {file}`"
            )),
            Self::NoRule { target, .. } => Some(format!(
                "add a rule whose `path_regex` matches {target} and whose `age` names the recipients"
            )),
            Self::Recipient { .. } => Some("a recipient starts with `age1`".to_owned()),
            Self::Identity { .. } => Some("an identity starts with `AGE-SECRET-KEY-1`".to_owned()),
            Self::Syntax { .. }
            | Self::Section { .. }
            | Self::Edit { .. }
            | Self::Rules { .. }
            | Self::Encryption { .. }
            | Self::Program { .. }
            | Self::Output { .. }
            | Self::Io { .. } => None,
        }
    }
}

fn either(recipients: &[String]) -> String {
    match recipients {
        [] => "a recipient".to_owned(),
        [one] => one.clone(),
        more => format!("one of {}", more.join(", ")),
    }
}
