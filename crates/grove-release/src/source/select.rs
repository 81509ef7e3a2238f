//! Which files below a fleet's root belong to the fleet, and how much of them is read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use grove_core::File;

use crate::Error;

/// The most entries (files and directories) that are visited.
const ENTRIES: usize = 200_000;
/// The most bytes that are read.
const BYTES: u64 = 1 << 30;
/// The deepest directory that is read, in levels below the fleet's root.
pub(super) const DEPTH: usize = 24;

/// Whether a file or directory can be one that the model reads. Directories are asked before what is
/// in them.
///
/// Left out: `themes/` and an instance's `theme/` (images and fonts that only builds read), and what
/// OpenTofu keeps beside a root module that it ran in.
pub(super) fn is_wanted(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [.., ".git" | ".terraform"] | ["clusters", _, "instances", _, "theme", ..] => false,
        // Text at the root may be the key that an example publishes.
        [name]
            if std::path::Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "txt") =>
        {
            true
        }
        ["grove.yaml" | ".sops.yaml"]
        | [
            "addons" | "charts" | "clusters" | "distributions" | "groups" | "modules" | "plugins",
            ..,
        ] => true,
        _ => false,
    }
}

/// How much was read so far, by all who read at once.
#[derive(Default)]
pub(super) struct Count {
    entries: AtomicUsize,
    bytes: AtomicU64,
}

impl Count {
    /// Counts an entry, wanted or not.
    pub(super) fn visit(&self, place: &str) -> Result<(), Error> {
        if self.entries.fetch_add(1, Relaxed) >= ENTRIES {
            return Err(too_much("200,000 files", place));
        }
        Ok(())
    }

    /// Counts a file's bytes, and makes a file of them.
    pub(super) fn file(&self, path: &str, bytes: Vec<u8>) -> Result<File, Error> {
        let read = bytes.len() as u64;
        if self.bytes.fetch_add(read, Relaxed) + read > BYTES {
            return Err(too_much("1 GiB of files", path));
        }
        Ok(File::Bytes(Arc::from(bytes)))
    }
}

/// The error of a directory that is too deep.
pub(super) fn too_deep(place: &str) -> Error {
    too_much("24 levels of directories", place)
}

fn too_much(limit: &'static str, place: &str) -> Error {
    Error::TooMuch {
        limit,
        place: place.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_wanted;

    #[test]
    fn only_what_the_model_reads_is_wanted() {
        let wanted = [
            "grove.yaml",
            ".sops.yaml",
            "distributions/v.lock",
            "groups/g/secrets.sops.yaml",
            "plugins/shop.py",
            "clusters/prod/cluster.yaml",
            "clusters/prod/outputs/db.json",
            "clusters/prod/stacks/db/main.tf",
            "modules/db/main.tf",
            "clusters/prod/instances/uni/plugins/shop.py",
            "clusters/prod/instances/theme/instance.yaml",
        ];
        let left_out = [
            "README.md",
            "themes/x/logo.png",
            "clusters/prod/stacks/db/.terraform",
            "clusters/prod/instances/uni/theme/logo.png",
            "plugins/.git",
            ".git",
            "src/grove.yaml",
        ];
        for path in wanted {
            assert!(is_wanted(path), "{path}");
        }
        for path in left_out {
            assert!(!is_wanted(path), "{path}");
        }
    }
}
