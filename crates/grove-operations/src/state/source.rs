//! Where a state is read from.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use grove_state::State;

use crate::{Around, Error, Result, place::Place};

/// Where the text of a state is.
pub enum Source {
    /// In a file; a relative path begins at [`Around::directory`].
    File(PathBuf),
    /// Here.
    Text {
        /// What errors call it.
        name: PathBuf,
        /// The text.
        text: String,
    },
}

impl Source {
    /// What errors call it.
    pub(super) fn name(&self) -> &Path {
        let (Self::File(name) | Self::Text { name, .. }) = self;
        name
    }

    /// Its text.
    pub(super) fn read(&self, around: &Around) -> Result<Cow<'_, str>> {
        match self {
            Self::File(path) => {
                let place = Place::of(around, path);
                read(&place)
                    .map(Cow::Owned)
                    .map_err(|error| place.named(error))
            }
            Self::Text { text, .. } => Ok(Cow::Borrowed(text)),
        }
    }
}

/// The text of a state's file.
pub(super) fn read(path: &Path) -> Result<String> {
    fs_err::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("there is no {}", path.display()))
            .hint("`tofu state pull` writes the state of a back end to stdout"),
        _ => error.into(),
    })
}

/// Reads a state; an error names its file.
pub(super) fn parse<'a>(path: &Path, text: &'a str) -> Result<State<'a>> {
    State::parse(text)
        .map_err(|error| Error::from(error).context(format!("cannot read {}", path.display())))
}
