//! The second reference that names a deploy branch's newest commit: what tells a branch that is gone, or that
//! another history took the place of, from one that nobody has written to yet.

use crate::Id;

/// The names of the second reference of a branch.
pub(super) struct Mark {
    /// `refs/grove/<cluster>`.
    reference: String,
    /// `refs/tags/grove/<cluster>`.
    tag: String,
}

/// The forms that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Neither a branch nor a tag, so that nothing lists it, builds it or prunes it.
    Reference,
    /// A tag, where a remote takes nothing but branches and tags.
    Tag,
}

impl Form {
    /// All of them, the better one first.
    pub(super) const ALL: [Self; 2] = [Self::Reference, Self::Tag];
}

impl Mark {
    pub(super) fn of(cluster: &str) -> Self {
        Self {
            reference: format!("refs/grove/{cluster}"),
            tag: format!("refs/tags/grove/{cluster}"),
        }
    }

    /// Its whole name.
    pub(super) fn reference(&self, form: Form) -> &str {
        match form {
            Form::Reference => &self.reference,
            Form::Tag => &self.tag,
        }
    }

    /// What keeps the last commit of a branch that was begun anew.
    pub(super) fn kept(&self, form: Form, last: Id) -> String {
        format!("{}@{}", self.reference(form), last.short())
    }
}
