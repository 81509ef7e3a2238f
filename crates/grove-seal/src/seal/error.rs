//! Why a tree cannot be sealed.

use crate::positions::Unfit;

/// Why a tree cannot be sealed. Never holds a secret.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The values are sealed for another namespace: the controller would open none.
    #[error("the values are sealed for the namespace {sealed}, not {wanted}")]
    Namespace {
        /// The namespace in `sealed.yaml`.
        sealed: String,
        /// The instance's namespace.
        wanted: String,
    },
    /// A placeholder without a value.
    #[error("there is no secret `{name}`{}", needed_by(.objects))]
    Unknown {
        /// The name.
        name: String,
        /// The objects that need it, as `Kind name`.
        objects: Vec<String>,
    },
    /// A Secret whose content stands in plain text.
    #[error("{object} would put its content into Git in plain text")]
    PlainSecret {
        /// `Secret name`.
        object: String,
    },
    /// A placeholder where no secret can be put.
    #[error(
        "{object} has the secret `{name}` at `{path}`, where Kubernetes takes no reference to a secret"
    )]
    Misplaced {
        /// `Kind name`.
        object: String,
        /// Where in the object.
        path: String,
        /// The name.
        name: String,
    },
    /// Text that speaks of variables whose names this crate gives.
    #[error(
        "{object} uses a variable whose name starts with {}",
        crate::names::VARIABLE
    )]
    Reserved {
        /// `Kind name`.
        object: String,
    },
    /// A source of variables behind one that is sealed: which of them wins cannot be kept.
    #[error(
        "{object}, container `{container}`: `envFrom` takes `{source_name}`, which the instance does not bring, after an object with secrets"
    )]
    EnvFrom {
        /// `Kind name`.
        object: String,
        /// The container.
        container: String,
        /// The name of that source.
        source_name: String,
    },
    /// A variable with two values, both of which are needed.
    #[error(
        "{object}, container `{container}`: the variable `{name}` of an object with secrets is replaced in `env` and still needed"
    )]
    Variable {
        /// `Kind name`.
        object: String,
        /// The container.
        container: String,
        /// The variable.
        name: String,
    },
    /// A file that an object outside of the tree may have, behind one that is sealed.
    #[error(
        "{object}: the file `{path}` of a projected volume may come from an object that the instance does not bring, over that of an object with secrets"
    )]
    Projected {
        /// `Kind name`.
        object: String,
        /// The file.
        path: String,
    },
    /// A key that an object does not have, and that would be found once it is sealed.
    #[error("{object} takes the key `{key}` of an object that does not have it")]
    NoKey {
        /// `Kind name`.
        object: String,
        /// The key.
        key: String,
    },
    /// A secret that no Job of the running release reads.
    #[error("the secret `{name}` is given to no Job of the running release")]
    Unread {
        /// The name.
        name: String,
    },
    /// An object that is not as Kubernetes has it.
    #[error("{object}: `{path}` is not as Kubernetes defines it")]
    Shape {
        /// `Kind name`.
        object: String,
        /// Where in the object.
        path: String,
    },
    /// Two objects of one kind and name.
    #[error("two objects would be written to {file}")]
    Clash {
        /// The file.
        file: String,
    },
    /// Values that would change the meaning of the files they are put into.
    #[error("{}", unfit(.0))]
    Positions(Vec<Unfit>),
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { name, .. } => Some(format!(
                "`grove secret set` or `grove secret generate` makes `{name}`; an older release that needs it cannot come back without it"
            )),
            Self::PlainSecret { .. } => Some(
                "put its content into the instance's secrets and name it by its placeholder".to_owned(),
            ),
            Self::Misplaced { .. } => {
                Some("secrets go into configuration files, `env`, `args` and `command`".to_owned())
            }
            Self::Positions(_) => Some(
                "a value of letters, digits, `_`, `.` and `-` fits everywhere: `grove secret generate` draws such".to_owned(),
            ),
            Self::Unread { .. } => Some(
                "`grove run` runs a command with what a service itself has".to_owned(),
            ),
            Self::EnvFrom { source_name, .. } => Some(format!(
                "put `{source_name}` first in `envFrom`, or name its variables one by one in `env`"
            )),
            Self::Variable { name, .. } => Some(format!(
                "give the variable in `env` another name than `{name}`, or take the keys of the object one by one"
            )),
            Self::Projected { path, .. } => Some(format!(
                "drop `optional` there, or give one of the two another path than `{path}`"
            )),
            Self::NoKey { .. } => Some(
                "name a key that the object has, or leave the reference out".to_owned(),
            ),
            Self::Namespace { .. } | Self::Reserved { .. } | Self::Shape { .. } | Self::Clash { .. } => None,
        }
    }
}

fn needed_by(objects: &[String]) -> String {
    if objects.is_empty() {
        return String::new();
    }
    format!(", which {} needs", objects.join(", "))
}

fn unfit(all: &[Unfit]) -> String {
    all.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
