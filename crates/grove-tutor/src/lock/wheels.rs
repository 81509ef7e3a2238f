//! The wheels that Grove builds, in the cache by their hash.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use fs_err as fs;
use grove_core::{Lock, Requirement, Wheel};
use sha2::{Digest as _, Sha256};

use super::build::Builder;
use super::source::{Source, check};
use crate::cache::{Cache, Progress, write_whole};
use crate::environment::Error;
use crate::environment::pins::{Pin, is_sha256, normal};
use crate::environment::tools::Tools;

/// A wheel in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its SHA-256 digest.
    pub(crate) sha256: String,
}

impl Local {
    /// Its `file:` URL.
    pub(crate) fn url(&self) -> String {
        let mut url = String::from("file://");
        for byte in self.path.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
                url.push(char::from(*byte));
            } else {
                let _ = write!(url, "%{byte:02X}");
            }
        }
        url
    }
}

/// Puts a wheel that was just built into the cache.
pub(crate) fn keep(cache: &Cache, file: &str, content: &[u8]) -> Result<Local, Error> {
    let sha256 = format!("{:x}", Sha256::digest(content));
    let path = cache.directory("wheels/v1")?.join(&sha256);
    fs::create_dir_all(&path)?;
    let path = path.join(file);
    write_whole(&path, content)?;
    Ok(Local { path, sha256 })
}

/// The wheels of a lock by normalised name: those of the cache, the others built as the lock says.
/// Each has the lock's hash.
pub(crate) fn local(
    pins: &[Pin],
    lock: &Lock,
    cache: &Cache,
    tools: &Tools,
    progress: &dyn Progress,
) -> Result<BTreeMap<String, Local>, Error> {
    let builder = Builder::new(cache, tools);
    let mut local = BTreeMap::new();
    for (package, wheel) in &lock.wheels {
        let found = match find(cache, wheel)? {
            Some(found) => found,
            None => build(package, wheel, pins, lock, &builder, progress)?,
        };
        local.insert(normal(package), found);
    }
    Ok(local)
}

/// The wheel in the cache, where it is there and whole.
fn find(cache: &Cache, wheel: &Wheel) -> Result<Option<Local>, Error> {
    if !is_sha256(&wheel.sha256) {
        return Err(Error::Invalid {
            what: "the hash",
            text: wheel.sha256.clone(),
        });
    }
    if !is_file_name(&wheel.file) {
        return Err(Error::Invalid {
            what: "the wheel",
            text: wheel.file.clone(),
        });
    }
    let place = cache.directory("wheels/v1")?.join(&wheel.sha256);
    let path = place.join(&wheel.file);
    let whole = fs::read(&path)
        .is_ok_and(|content| format!("{:x}", Sha256::digest(content)) == wheel.sha256);
    Ok(whole.then(|| Local {
        path,
        sha256: wheel.sha256.clone(),
    }))
}

fn build(
    package: &str,
    wheel: &Wheel,
    pins: &[Pin],
    lock: &Lock,
    builder: &Builder<'_>,
    progress: &dyn Progress,
) -> Result<Local, Error> {
    let pin = pins
        .iter()
        .find(|pin| normal(&pin.name) == normal(package))
        .ok_or_else(|| Error::Line(package.to_owned()))?;
    progress.step(&format!("building {package} {}", pin.version));
    let source = if wheel.git.is_empty() {
        let source = Source::archive(package, &pin.version, builder.cache, builder.tools)?;
        source.ok_or_else(|| Error::NotFound {
            package: package.to_owned(),
            version: pin.version.clone(),
            reason: "it is a wheel now".to_owned(),
        })?
    } else {
        let (git, rev) = (wheel.git.clone(), wheel.rev.clone());
        check(package, &Requirement::Git { git, rev })?;
        Source::git(&wheel.git, &wheel.rev, builder.cache)?
    };
    if source.sha256 != wheel.archive {
        return Err(Error::ArchiveChanged {
            package: package.to_owned(),
            wanted: wheel.archive.clone(),
            found: source.sha256,
        });
    }
    let requirements = lock.builds.get(&wheel.build);
    let requirements = requirements.ok_or_else(|| Error::Invalid {
        what: "the name of build requirements",
        text: wheel.build.clone(),
    })?;
    let built = builder.wheel(package, &source, requirements)?;
    let local = keep(builder.cache, &built.file, &built.content)?;
    if local.sha256 != wheel.sha256 || built.file != wheel.file {
        return Err(Error::WheelChanged {
            package: package.to_owned(),
            wanted: wheel.sha256.clone(),
            found: local.sha256,
        });
    }
    Ok(local)
}

/// Whether `text` is the name of a wheel that fits every machine, and nothing else.
pub(crate) fn is_file_name(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._+!-".contains(&c);
    text.ends_with("-none-any.whl") && !text.starts_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_no_character_that_means_something_else() {
        let local = Local {
            path: "/a b/#é/x-1+y.whl".into(),
            sha256: String::new(),
        };
        assert_eq!(local.url(), "file:///a%20b/%23%C3%A9/x-1%2By.whl");
    }

    #[test]
    fn a_file_name_is_no_path() {
        assert!(is_file_name("tutor_mfe-22.1.0-py3-none-any.whl"));
        for name in [
            "../x-none-any.whl",
            "/x-none-any.whl",
            "x.whl",
            "..-none-any.whl",
            "",
        ] {
            assert!(!is_file_name(name), "{name}");
        }
    }
}
