//! `grove bundle`.

use std::{path::PathBuf, time::Duration};

use grove_cluster::bundle::{Bundle, File, Store};

use crate::{
    error::{CommandError, Exit, Result, from_error},
    output::{Output, count},
    surroundings,
    workspace::is_json,
};

from_error!(grove_cluster::bundle::Error, |error| match error {
    grove_cluster::bundle::Error::Io(_) => Exit::Tool,
    _ => Exit::No,
});

/// How long one file may take.
const LIMIT: Duration = Duration::from_mins(2);

/// Fetch what `grove cluster bootstrap` installs.
///
/// A bundle is a lock file: names, versions, upstream's addresses and SHA-256 of install manifests.
/// Grove carries one; each file is kept in the cache once it is what the lock says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove bundle pull\n\
    \x20 grove bundle pull --from /media/bundle")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Pull(Pull),
    List(List),
}

/// Bring the bundle's files into the cache.
///
/// From upstream's addresses by `curl`, or from a directory that holds
/// `<name>/<version>/<file>`, for a network without the internet. A file whose SHA-256 is not the
/// lock's is refused.
#[derive(Debug, clap::Args)]
struct Pull {
    /// Take the files from this directory.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Only this version of this engine, as `argocd@3.6.1`; may be given several times.
    ///
    /// Default: the versions that a cluster gets which states none.
    #[arg(long, value_name = "NAME@VERSION")]
    only: Vec<String>,
    #[command(flatten)]
    lock: Lock,
}

/// List what the bundle has, and what of it is here.
#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    lock: Lock,
}

/// Which bundle.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Lock {
    /// Use this lock file instead of the one that Grove carries.
    #[arg(long = "lock", value_name = "FILE")]
    lock: Option<PathBuf>,
}

impl Lock {
    /// The bundle that is meant.
    pub(crate) fn bundle(&self) -> Result<Bundle> {
        match &self.lock {
            None => Ok(Bundle::embedded()?),
            Some(path) => Ok(Bundle::parse(
                &path.display().to_string(),
                &fs_err::read(path)?,
            )?),
        }
    }
}

/// Where the files are kept.
pub(crate) fn store() -> Result<Store> {
    Ok(Store::new(
        &surroundings::cache_directory()?.join("bundle-v1"),
    ))
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    match &arguments.command {
        Command::Pull(arguments) => pull(arguments, output),
        Command::List(arguments) => list(arguments, output),
    }
}

fn pull(arguments: &Pull, output: &Output) -> Result {
    let bundle = arguments.lock.bundle()?;
    let store = store()?;
    let mut files: Vec<&File> = Vec::new();
    if arguments.only.is_empty() {
        for (name, version) in &bundle.defaults {
            files.extend(bundle.files(name, version)?);
        }
    }
    for only in &arguments.only {
        let (name, version) = only
            .split_once('@')
            .ok_or_else(|| CommandError::usage(format!("`{only}` is not `NAME@VERSION`")))?;
        files.extend(bundle.files(name, version)?);
    }
    let mut new = 0;
    for file in &files {
        if store.has(file) {
            continue;
        }
        output.progress(&format!(
            "fetching {} {}: {}",
            file.name, file.version, file.file
        ));
        let (bytes, place) = match &arguments.from {
            Some(directory) => {
                let path = directory.join(file.path());
                (fs_err::read(&path)?, path.display().to_string())
            }
            None => (fetch(file)?, file.source.clone()),
        };
        store.add(file, &bytes, &place)?;
        new += 1;
    }
    output.progress_done();
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "files": files.len(), "fetched": new}))?;
    } else {
        output.print(&format!(
            "{}, {new} of them new\n",
            count(files.len(), "file")
        ))?;
    }
    Ok(Exit::Done)
}

/// A file from its address. `curl` knows the machine's proxies and certificates.
fn fetch(file: &File) -> Result<Vec<u8>> {
    let mut curl = grove_exec::Invocation::new("curl")
        .args([
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--proto",
            "=https",
        ])
        .args(["--", file.source.as_str()])
        .timeout(LIMIT)
        .output_limit(64 << 20)
        .hint("install `curl`, or take the files from a directory with `--from DIR`");
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "NO_PROXY",
        "no_proxy",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    ] {
        curl = curl.pass_env(name);
    }
    let outcome = curl.run().map_err(|error| {
        CommandError::from(error)
            .context(format!("cannot fetch {}", file.source))
            .hint("without the internet, take the files from a directory with `--from DIR`")
    })?;
    Ok(outcome.stdout)
}

fn list(arguments: &List, output: &Output) -> Result {
    let bundle = arguments.lock.bundle()?;
    let store = store()?;
    let rows: Vec<_> = bundle
        .files
        .iter()
        .map(|file| {
            serde_json::json!({
                "name": file.name, "version": file.version, "file": file.file,
                "source": file.source, "sha256": file.sha256, "here": store.has(file),
                "default": bundle.defaults.get(&file.name) == Some(&file.version),
            })
        })
        .collect();
    if is_json(output) {
        output.json(&serde_json::json!({"version": 1, "files": rows}))?;
        return Ok(Exit::Done);
    }
    for file in &bundle.files {
        let default = bundle.defaults.get(&file.name) == Some(&file.version);
        output.print(&format!(
            "{} {}{}  {}  {}\n",
            file.name,
            file.version,
            if default { " (default)" } else { "" },
            file.file,
            if store.has(file) {
                "here"
            } else {
                "not pulled"
            },
        ))?;
    }
    Ok(Exit::Done)
}
