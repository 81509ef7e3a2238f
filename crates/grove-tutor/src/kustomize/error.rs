//! Why Kustomize gave no objects.

use std::io;

use grove_exec::ExecError;

/// Why Kustomize gave no objects.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeError {
    /// A kustomization names what Tutor did not render: something remote, or a file of a plugin
    /// that is missing.
    #[error("{file} names `{entry}`, which is not among the rendered files")]
    NotRendered {
        /// The kustomization.
        file: String,
        /// What it names.
        entry: String,
    },
    /// A kustomization asks for something that has no place in a rendering.
    #[error("{file} uses `{field}`, which is not supported")]
    Unsupported {
        /// The kustomization.
        file: String,
        /// Its field.
        field: String,
    },
    /// A kustomization is not one.
    #[error("{file} is not a kustomization: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Kustomize refused the files.
    #[error("kustomize refused what Tutor rendered: {0}")]
    Refused(String),
    /// What Kustomize printed is not YAML.
    #[error("the output of kustomize is not valid: {0}")]
    Output(#[from] grove_yaml::StreamError),
    /// Kustomize is missing, too old, or was stopped.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] crate::error::Error),
    /// A temporary file cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl KustomizeError {
    /// Whether the fault lies with what the fleet says, not with the machine.
    pub fn is_fleet(&self) -> bool {
        !matches!(self, Self::Exec(_) | Self::Cache(_) | Self::Io(_))
    }

    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotRendered { entry: text, .. } | Self::Refused(text)
                if text.contains("://") || text.contains("git@") =>
            {
                Some(
                    "nothing is fetched while rendering: put the content into a plugin of the \
                     instance"
                        .to_owned(),
                )
            }
            Self::Exec(error) => error.hint(),
            _ => None,
        }
    }
}
