//! What rendering refuses, and what to do about it.

/// Why an instance cannot be rendered. Each pass, and each part that passes share, says what it refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    hint: String,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What to do next, where it is not plain from the message.
    pub fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}
