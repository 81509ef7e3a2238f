//! What the binary takes from its surroundings: environment, clock, directories. Nothing below the
//! binary looks at any of these.

use std::path::{Path, PathBuf};

use crate::error::{CommandError, Result};

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

/// Every environment variable that is text.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The time. `GROVE_TEST_NOW` (RFC 3339) replaces it, so that a run can be repeated byte for byte.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now() -> Result<jiff::Timestamp> {
    match variable("GROVE_TEST_NOW") {
        None => {
            let now = jiff::Timestamp::now();
            Ok(jiff::Timestamp::from_second(now.as_second()).unwrap_or(now))
        }
        Some(text) => text
            .parse()
            .map_err(|error| CommandError::usage(format!("GROVE_TEST_NOW is not a time: {error}"))),
    }
}

/// Where Grove keeps what it can make again: `GROVE_CACHE_DIR`, else `grove` in the user's cache
/// directory (XDG base directory specification).
pub(crate) fn cache_directory() -> Result<PathBuf> {
    if let Some(directory) = variable("GROVE_CACHE_DIR") {
        return Ok(PathBuf::from(directory));
    }
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home().map(|home| home.join(".cache")))
        .ok_or_else(|| {
            CommandError::usage("no place for the cache: neither HOME nor XDG_CACHE_HOME is set")
                .hint("set GROVE_CACHE_DIR to a directory that can be written")
        })?;
    Ok(base.join("grove"))
}

/// The user's home directory.
pub(crate) fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from)
}

/// The running executable, which is also the launcher of sandboxes.
pub(crate) fn executable() -> Result<PathBuf> {
    Ok(std::env::current_exe()?)
}

/// The fleet's root: `stated`, else the nearest directory above here with a `grove.yaml`.
pub(crate) fn fleet_directory(stated: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = stated {
        return Ok(path.to_owned());
    }
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|directory| directory.join("grove.yaml").is_file())
        .map(Path::to_owned)
        .ok_or_else(|| {
            CommandError::usage(format!(
                "no fleet here: `{}` and its parents have no `grove.yaml`",
                here.display()
            ))
            .hint("name one with `--fleet DIR`, or make one with `grove init`")
        })
}

/// Who is doing this, for release records: `GIT_AUTHOR_NAME` and `_EMAIL` or Git's own settings
/// are asked by the caller; this is the operating system's answer.
pub(crate) fn user() -> String {
    variable("USER")
        .or_else(|| variable("LOGNAME"))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Replaces a file by a rename, so that a crash leaves the old content or the new one.
pub(crate) fn write_atomically(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    use std::io::Write as _;
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    fs_err::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_all()?;
    file.persist(path)
        .map_err(|error| CommandError::from(error.error))?;
    Ok(())
}

/// Makes a directory that is there once it is complete: `fill` gets the one that is renamed in the end.
pub(crate) fn new_directory(path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let beside = tempfile::Builder::new()
        .prefix(".grove-")
        .tempdir_in(parent.unwrap_or(Path::new(".")))?;
    fill(beside.path())?;
    fs_err::rename(beside.path(), path)?;
    // It is no temporary directory any more.
    let _renamed = beside.keep();
    Ok(())
}

/// Makes a file that only its owner reads; one that is there is an error.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;

    use fs_err::os::unix::fs::OpenOptionsExt as _;
    if let Some(directory) = path.parent() {
        fs_err::create_dir_all(directory)?;
    }
    let mut file = fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
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
