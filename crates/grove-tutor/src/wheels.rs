//! The wheels that Grove builds, in the cache by their hash.

pub(crate) mod build;
pub(crate) mod resolve;
pub(crate) mod source;

use std::collections::BTreeMap;

use fs_err as fs;
use grove_core::{Lock, Requirement, Wheel};
use sha2::{Digest as _, Sha256};

use crate::cache::{Cache, Progress};
use crate::error::Error;
use crate::local::{Local, is_file_name, keep};
use crate::pins::{Pin, is_sha256, normal};
use crate::tools::Tools;
use build::Builder;
use source::{Source, check};

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
