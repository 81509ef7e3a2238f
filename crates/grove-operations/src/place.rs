//! Paths on this machine that a caller names beside a request.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
};

use crate::{Around, Error};

/// A path as a caller wrote it, and where it leads: a relative one begins at [`Around::directory`].
#[derive(Clone, Debug)]
pub(crate) struct Place {
    written: PathBuf,
    path: PathBuf,
}

impl Place {
    /// Where a path leads.
    pub(crate) fn of(around: &Around, written: &Path) -> Self {
        Self {
            written: written.to_owned(),
            path: around.directory.join(written),
        }
    }

    /// An error that names the path as it was written.
    pub(crate) fn named(&self, mut error: Error) -> Error {
        let (path, written) = (self.path.to_string_lossy(), self.written.to_string_lossy());
        for text in error.messages.iter_mut().chain(&mut error.hints) {
            *text = text.replace(&*path, &written);
        }
        error
    }
}

impl Deref for Place {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_begins_at_the_directory_of_whoever_asks() {
        let here = Path::new("/nonexistent");
        let around = Around::new(here, here, here, jiff::Timestamp::UNIX_EPOCH);
        let place = |written: &str| Place::of(&around, Path::new(written));
        let parts = place("parts");
        assert_eq!(&*parts, Path::new("/nonexistent/parts"));
        assert_eq!(&*place("/elsewhere"), Path::new("/elsewhere"));
        let error = Error::usage("`/nonexistent/parts/one` is there already");
        assert_eq!(
            parts.named(error).messages,
            ["`parts/one` is there already"]
        );
    }
}
