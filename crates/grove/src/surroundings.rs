//! What the binary takes from its surroundings: environment, clock, directories. Nothing below the
//! binary looks at any of these.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use grove_operations::{Clock, request::RequestId};

use crate::error::{Error, Result};

/// An environment variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// An environment variable as the operating system has it.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn raw_variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

/// The machine's clock, to the second, but for the time where another is told.
struct Machine {
    told: Option<jiff::Timestamp>,
    begun: Instant,
}

impl Clock for Machine {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now(&self) -> jiff::Timestamp {
        if let Some(told) = self.told {
            return told;
        }
        let now = jiff::Timestamp::now();
        jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// The clock. `GROVE_TEST_NOW` (RFC 3339) replaces it, so that a run can be repeated byte for byte.
pub(crate) fn clock() -> Result<Arc<dyn Clock>> {
    let told = variable("GROVE_TEST_NOW")
        .map(|text| text.parse())
        .transpose()
        .map_err(|error: jiff::Error| {
            Error::usage(format!("GROVE_TEST_NOW is not a time: {error}"))
        })?;
    let begun = Instant::now();
    Ok(Arc::new(Machine { told, begun }))
}

/// What a command's request is called: by chance, so that no other has the name. None where the time is
/// replaced, as a run is then to be repeated byte for byte.
pub(crate) fn request_id() -> Option<RequestId> {
    use std::hash::{BuildHasher as _, RandomState};
    if variable("GROVE_TEST_NOW").is_some() {
        return None;
    }
    let [one, other] = [0, 1].map(|half: u8| RandomState::new().hash_one(half));
    format!("{one:016x}{other:016x}").parse().ok()
}

/// Where Grove keeps what it can make again: `GROVE_CACHE_DIR`, else `grove` in the user's cache
/// directory (XDG base directory specification).
pub(crate) fn cache_directory() -> Option<PathBuf> {
    if let Some(directory) = variable("GROVE_CACHE_DIR") {
        return Some(PathBuf::from(directory));
    }
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home().map(|home| home.join(".cache")));
    Some(base?.join("grove"))
}

/// The user's home directory.
pub(crate) fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from)
}

/// The fleet's root: `stated`, else the nearest directory above here with a `grove.yaml`.
pub(crate) fn fleet_directory(stated: Option<&Path>) -> Result<Option<PathBuf>> {
    if let Some(path) = stated {
        return Ok(Some(path.to_owned()));
    }
    let here = std::env::current_dir()?;
    let root = here
        .ancestors()
        .find(|directory| directory.join("grove.yaml").is_file());
    Ok(root.map(Path::to_owned))
}

/// Who is doing this, for release records: `GIT_AUTHOR_NAME` and `_EMAIL` or Git's own settings
/// are asked by the caller; this is the operating system's answer.
pub(crate) fn user() -> String {
    variable("USER")
        .or_else(|| variable("LOGNAME"))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The user's kubeconfig files that exist: those of `KUBECONFIG`, else `~/.kube/config`.
pub(crate) fn kubeconfigs() -> Vec<PathBuf> {
    let paths = match raw_variable("KUBECONFIG") {
        Some(list) => std::env::split_paths(&list).collect(),
        None => home()
            .map(|home| home.join(".kube/config"))
            .into_iter()
            .collect::<Vec<_>>(),
    };
    paths.into_iter().filter(|path| path.is_file()).collect()
}

/// This machine's name.
pub(crate) fn host() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "localhost".to_owned())
}
