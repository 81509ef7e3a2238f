//! Where a state is read from.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use grove_state::State;

use crate::{Around, Error, Result, place::Place};

/// Where the text of a state is.
pub enum Source<'a> {
    /// In a file; a relative path begins at [`Around::directory`].
    File(PathBuf),
    /// In a stream, read to its end.
    Stream {
        /// What errors call it.
        name: PathBuf,
        /// What is read.
        stream: &'a mut dyn Read,
    },
}

impl Source<'_> {
    /// What errors call it, and its text.
    pub(super) fn read(self, around: &Around) -> Result<(PathBuf, String)> {
        match self {
            Self::File(path) => {
                let place = Place::of(around, &path);
                let text = read(&place).map_err(|error| place.named(error))?;
                Ok((path, text))
            }
            Self::Stream { name, stream } => {
                let mut text = String::new();
                stream.read_to_string(&mut text)?;
                Ok((name, text))
            }
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
