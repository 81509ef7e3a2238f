//! The bundle: upstream's install manifests, by version and SHA-256.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use grove_core::digest::hex;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The lock of this version of Grove.
const EMBEDDED: &str = include_str!("bundle/bundle.lock");

/// The format of a lock that this program reads.
const VERSION: u32 = 1;

/// A lock file: which files there are, where they come from, and what they must be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    version: u32,
    /// The version of each engine that a cluster gets which states none.
    pub defaults: BTreeMap<String, String>,
    /// Every file.
    pub files: Vec<File>,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The engine: `argocd`, `sealed-secrets`.
    pub name: String,
    /// The engine's version, without a `v`.
    pub version: String,
    /// The file's name.
    pub file: String,
    /// Where upstream publishes it: an `https` address.
    pub source: String,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// Why a bundle does not give what is needed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lock cannot be read.
    #[error("`{path}` is no bundle lock: {message}")]
    Lock {
        /// Where it stands.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// The lock has no such version.
    #[error("the bundle has no {name} {version}")]
    UnknownVersion {
        /// The engine.
        name: String,
        /// The version that was asked for.
        version: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A file was not pulled yet.
    #[error("{name} {version} is not here: `{file}` was not pulled")]
    NotPulled {
        /// The engine.
        name: String,
        /// Its version.
        version: String,
        /// The file.
        file: String,
    },
    /// A file is another one than the lock says.
    #[error("`{place}` is not the file of the lock: its SHA-256 is {found}, not {expected}")]
    Changed {
        /// Where the file is.
        place: String,
        /// What the lock says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A file holds no Kubernetes objects.
    #[error("`{file}` of {name} cannot be read: {message}")]
    Content {
        /// The engine.
        name: String,
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownVersion { name, known, .. } => Some(format!(
                "it has {name} {}; `--lock FILE` names another bundle",
                known.join(", ")
            )),
            Self::NotPulled { name, version, .. } => Some(format!(
                "`grove bundle pull --only {name}@{version}` brings it; `--from DIR` takes it from a directory"
            )),
            Self::Changed { .. } => {
                Some("nothing of it was kept or used; compare with upstream's release".to_owned())
            }
            _ => None,
        }
    }
}

impl Bundle {
    /// The bundle of this version of Grove.
    pub fn embedded() -> Result<Self, Error> {
        Self::parse("bundle.lock", EMBEDDED.as_bytes())
    }

    /// Reads a lock; `path` is for messages.
    pub fn parse(path: &str, text: &[u8]) -> Result<Self, Error> {
        let invalid = |message: String| Error::Lock {
            path: path.to_owned(),
            message,
        };
        let parsed = grove_yaml::parse(text, grove_yaml::Limits::default());
        if let Some(problem) = parsed.problems.first() {
            return Err(invalid(problem.message.clone()));
        }
        let value = parsed.root.map(|node| node.to_json()).unwrap_or_default();
        let bundle = Self::deserialize(value).map_err(|error| invalid(error.to_string()))?;
        if bundle.version != VERSION {
            return Err(invalid(format!(
                "its format is {}, this Grove reads {VERSION}",
                bundle.version
            )));
        }
        for file in &bundle.files {
            let is_digest = file.sha256.len() == 64
                && file
                    .sha256
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            // Names become paths.
            let is_name = |name: &str| {
                !name.is_empty()
                    && !name.starts_with('.')
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            };
            if !is_digest
                || ![&file.name, &file.version, &file.file]
                    .into_iter()
                    .all(|name| is_name(name))
            {
                return Err(invalid(format!(
                    "its entry for `{}` has a bad name or SHA-256",
                    file.file
                )));
            }
            if !file.source.starts_with("https://") {
                return Err(invalid(format!("`{}` is no https address", file.source)));
            }
        }
        Ok(bundle)
    }

    /// The version of an engine: the one that is stated, else the default.
    pub fn version<'a>(&'a self, name: &str, stated: Option<&'a str>) -> &'a str {
        stated
            .or_else(|| self.defaults.get(name).map(String::as_str))
            .unwrap_or_default()
    }

    /// The files of one version of an engine.
    pub fn files(&self, name: &str, version: &str) -> Result<Vec<&File>, Error> {
        let files: Vec<&File> = self
            .files
            .iter()
            .filter(|file| file.name == name && file.version == version)
            .collect();
        if files.is_empty() {
            let known = self.files.iter().filter(|file| file.name == name);
            return Err(Error::UnknownVersion {
                name: name.to_owned(),
                version: version.to_owned(),
                known: known.map(|file| file.version.clone()).collect(),
            });
        }
        Ok(files)
    }
}

impl File {
    /// Where the file is in a directory: `<name>/<version>/<file>`.
    pub fn path(&self) -> PathBuf {
        Path::new(&self.name).join(&self.version).join(&self.file)
    }

    /// Whether these are the file's bytes; `place` is for the message.
    pub fn verify(&self, bytes: &[u8], place: &str) -> Result<(), Error> {
        let found = hex(&Sha256::digest(bytes));
        if found == self.sha256 {
            return Ok(());
        }
        Err(Error::Changed {
            place: place.to_owned(),
            expected: self.sha256.clone(),
            found,
        })
    }
}

/// Files that were pulled, by their SHA-256.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The files that are kept in `directory`, which may not be there yet.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Whether a file is here.
    pub fn has(&self, file: &File) -> bool {
        self.directory.join(&file.sha256).is_file()
    }

    /// Keeps a file if its bytes are what the lock says. A crash leaves the whole file or none.
    pub fn add(&self, file: &File, bytes: &[u8], place: &str) -> Result<(), Error> {
        use std::io::Write as _;
        file.verify(bytes, place)?;
        fs_err::create_dir_all(&self.directory)?;
        let mut beside = tempfile::NamedTempFile::new_in(&self.directory)?;
        beside.write_all(bytes)?;
        beside.as_file().sync_all()?;
        beside
            .persist(self.directory.join(&file.sha256))
            .map_err(|error| Error::Io(error.error))?;
        Ok(())
    }

    /// The objects in the files of one version of an engine, each verified again.
    pub fn objects(&self, bundle: &Bundle, name: &str, version: &str) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        for file in bundle.files(name, version)? {
            let path = self.directory.join(&file.sha256);
            let bytes = match fs_err::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(Error::NotPulled {
                        name: name.to_owned(),
                        version: version.to_owned(),
                        file: file.file.clone(),
                    });
                }
                Err(error) => return Err(error.into()),
            };
            file.verify(&bytes, &path.display().to_string())?;
            let read = grove_yaml::parse_all(&bytes).map_err(|error| Error::Content {
                name: name.to_owned(),
                file: file.file.clone(),
                message: error.to_string(),
            })?;
            objects.extend(read);
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_lock_has_its_defaults() {
        let bundle = Bundle::embedded().unwrap();
        for (name, version) in &bundle.defaults {
            assert!(!bundle.files(name, version).unwrap().is_empty(), "{name}");
        }
        let error = bundle.files("argocd", "2.0.0").unwrap_err();
        insta::assert_snapshot!(error, @"the bundle has no argocd 2.0.0");
        insta::assert_snapshot!(error.hint().unwrap(), @"it has argocd 3.4.13, 3.5.7, 3.6.1; `--lock FILE` names another bundle");
    }

    #[test]
    fn a_lock_with_bad_names_or_addresses_is_refused() {
        let read = |name: &str, source: &str, sha256: &str| {
            let text = format!(
                "version: 1\ndefaults: {{}}\nfiles:\n- {{name: {name}, version: '1', file: a.yaml, source: '{source}', sha256: '{sha256}'}}\n"
            );
            Bundle::parse("x.lock", text.as_bytes())
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        let digest = "0".repeat(64);
        read("a", "https://x.example/a", &digest).unwrap();
        insta::assert_snapshot!(read("../a", "https://x.example/a", &digest).unwrap_err(), @"`x.lock` is no bundle lock: its entry for `a.yaml` has a bad name or SHA-256");
        insta::assert_snapshot!(read("a", "http://x.example/a", &digest).unwrap_err(), @"`x.lock` is no bundle lock: `http://x.example/a` is no https address");
        read("a", "https://x.example/a", "00").unwrap_err();
        insta::assert_snapshot!(Bundle::parse("x.lock", b"version: 9\ndefaults: {}\nfiles: []\n").unwrap_err(), @"`x.lock` is no bundle lock: its format is 9, this Grove reads 1");
    }

    #[test]
    fn only_the_file_of_the_lock_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let bytes = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
        let digest = hex(&Sha256::digest(bytes));
        let text = format!(
            "version: 1\ndefaults: {{}}\nfiles:\n- {{name: a, version: '1', file: a.yaml, source: 'https://x.example/a', sha256: {digest}}}\n"
        );
        let bundle = Bundle::parse("x.lock", text.as_bytes()).unwrap();
        let file = &bundle.files[0];
        let missing = store.objects(&bundle, "a", "1").unwrap_err();
        insta::assert_snapshot!(missing, @"a 1 is not here: `a.yaml` was not pulled");
        insta::assert_snapshot!(missing.hint().unwrap(), @"`grove bundle pull --only a@1` brings it; `--from DIR` takes it from a directory");
        let error = store.add(file, b"other", "dir/a.yaml").unwrap_err();
        assert!(matches!(error, Error::Changed { .. }) && !store.has(file));
        store.add(file, bytes, "dir/a.yaml").unwrap();
        assert_eq!(store.objects(&bundle, "a", "1").unwrap().len(), 1);
        // A file that changed in the cache is not used.
        std::fs::write(directory.path().join(&file.sha256), b"other").unwrap();
        assert!(matches!(
            store.objects(&bundle, "a", "1"),
            Err(Error::Changed { .. })
        ));
    }
}
