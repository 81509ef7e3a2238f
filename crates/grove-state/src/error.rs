//! What can go wrong, and what to do about it.

use grove_yaml::Span;

/// How many addresses a message names.
pub(crate) const NAMED: usize = 10;

/// Why a state cannot be read, split or joined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON, or not of the shape of a state.
    #[error("this is no state: {message}")]
    NotAState {
        /// What is wrong, with line and column.
        message: String,
    },
    /// The state is encrypted.
    #[error("the state is encrypted")]
    Encrypted,
    /// A state of another version.
    #[error("the state has version {found}, and only version 4 can be read")]
    Version {
        /// Its version.
        found: u64,
    },
    /// An address in a state that cannot be read.
    #[error("the state has an address that cannot be read: `{text}`")]
    Address {
        /// The text.
        text: String,
    },
    /// One object twice.
    #[error("the state has {address} twice")]
    Twice {
        /// Its address.
        address: String,
    },
    /// Two objects that are one thing outside.
    #[error("{first} and {second} have one id, `{id}`")]
    OneId {
        /// One object.
        first: String,
        /// The other.
        second: String,
        /// The id that both have.
        id: String,
    },
    /// Objects that wait for an apply.
    #[error("{} cannot be moved as they are: {}", objects(.addresses.len()), named(.addresses))]
    Unsettled {
        /// Their addresses, each with the reason.
        addresses: Vec<String>,
    },
    /// Objects that no rule claims.
    #[error("no rule claims {}: {}", objects(.addresses.len()), named(.addresses))]
    Unclaimed {
        /// Their addresses.
        addresses: Vec<String>,
    },
    /// Two objects that would have one address in one part.
    #[error("{first} and {second} would both be {address} of `{stack}`")]
    Collision {
        /// One object.
        first: String,
        /// The other.
        second: String,
        /// The address that both would have.
        address: String,
        /// The stack.
        stack: String,
    },
    /// A rule whose result is no address or no stack's name.
    #[error("rule {rule} makes `{text}` of {address}, which is no {what}")]
    Made {
        /// The rule's number, from 1.
        rule: usize,
        /// What it made.
        text: String,
        /// Of which object.
        address: String,
        /// What it should be.
        what: &'static str,
    },
    /// The rules cannot be used.
    #[error("the rules cannot be used: {}", .0.first().map_or("", |problem| problem.message.as_str()))]
    Rules(Vec<Problem>),
    /// A part that is not the one of the record.
    #[error("`{stack}` is not what was split off: {message}")]
    Part {
        /// The stack.
        stack: String,
        /// What is wrong.
        message: String,
    },
}

/// What is wrong with rules, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where in the text.
    pub span: Span,
}

fn objects(count: usize) -> String {
    format!("{count} object{}", if count == 1 { "" } else { "s" })
}

fn named(addresses: &[String]) -> String {
    let mut text = addresses
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if addresses.len() > NAMED {
        text.push_str(", …");
    }
    text
}

impl Error {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Encrypted => Some("`tofu state pull` prints it in plain text"),
            Self::Version { .. } => {
                Some("a current OpenTofu or Terraform writes version 4 at its next apply")
            }
            Self::OneId { .. } => Some(
                "both would own one thing: `tofu state rm` one of them, or import it once, and split then",
            ),
            Self::Unsettled { .. } => Some(
                "apply the combined state first, so that nothing is tainted or deposed; `--unsettled` moves them as they are",
            ),
            Self::Unclaimed { .. } => {
                Some("every object needs a stack: add a rule, the last one may claim the rest")
            }
            _ => None,
        };
        hint.map(str::to_owned)
    }
}
