//! The files of a fleet, read at one moment from a work tree or a Git revision.

use std::{collections::BTreeMap, sync::Arc};

/// The largest file of a fleet that is read; a larger one is [`File::TooLarge`].
pub const FILE_LIMIT: u64 = 4 << 20;

/// What a fleet's files held at one moment. Paths are relative to the fleet's root, with `/`.
///
/// Whoever makes one reads the file system or Git; everything after it is a pure function of it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Every file and symbolic link, by path.
    pub files: BTreeMap<String, File>,
}

/// One entry of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// A regular file's bytes.
    Bytes(Arc<[u8]>),
    /// A symbolic link and what it says; never followed by the reader.
    Link(String),
    /// A file of more than [`FILE_LIMIT`] bytes, not read.
    TooLarge(u64),
    /// A file that the operating system would not give, and why.
    Unreadable(String),
}

impl Snapshot {
    /// The bytes of a regular file.
    pub fn bytes(&self, path: &str) -> Option<&Arc<[u8]>> {
        match self.files.get(path) {
            Some(File::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Adds a regular file; for tests and examples.
    #[must_use]
    pub fn with(mut self, path: &str, content: &str) -> Self {
        self.files
            .insert(path.to_owned(), File::Bytes(content.as_bytes().into()));
        self
    }
}
