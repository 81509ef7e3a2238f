//! Bundles: what a bootstrap installs, and where its files are kept.
//!
//! A bundle is a lock file: names, versions, upstream's addresses and SHA-256 of install manifests. Grove
//! carries one; each file is kept in the cache once it is what the lock says.

use std::{path::Path, time::Duration};

use grove_cluster::bundle::{Bundle, File, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Around, Doing, Error, Result, place::Place};

/// How long one file may take.
const LIMIT: Duration = Duration::from_mins(2);

/// Where the files are kept.
pub fn store(around: &Around) -> Result<Store> {
    Ok(Store::new(&around.cache_directory()?.join("bundle-v1")))
}

/// The bundle of a lock file; of none, the one that Grove carries.
pub fn open(around: &Around, lock: Option<&Path>) -> Result<Bundle> {
    let Some(path) = lock else {
        return Ok(Bundle::embedded()?);
    };
    let place = Place::of(around, path);
    let text = fs_err::read(&*place).map_err(|error| place.named(error.into()))?;
    Ok(Bundle::parse(&path.display().to_string(), &text)?)
}

/// Brings files of a bundle into the cache.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// Only these versions of engines, as `argocd@3.6.1`; none for those that a cluster gets which states
    /// none.
    pub only: Vec<String>,
}

/// What was brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// How many files are there that were asked for.
    pub files: usize,
    /// How many of them were not there before.
    pub fetched: usize,
}

/// Brings files of a bundle into the cache: from upstream's addresses by `curl`, or from a directory that
/// holds `<name>/<version>/<file>`. A file whose SHA-256 is not the lock's is refused.
pub fn pull(
    around: &Around,
    request: &Request,
    lock: Option<&Path>,
    from: Option<&Path>,
) -> Result<Outcome> {
    let _entered = around.enter()?;
    let bundle = open(around, lock)?;
    let store = store(around)?;
    let mut files: Vec<&File> = Vec::new();
    if request.only.is_empty() {
        for (name, version) in &bundle.defaults {
            files.extend(bundle.files(name, version)?);
        }
    }
    for only in &request.only {
        let (name, version) = only
            .split_once('@')
            .ok_or_else(|| Error::usage(format!("`{only}` is not `NAME@VERSION`")))?;
        files.extend(bundle.files(name, version)?);
    }
    let mut fetched = 0;
    for file in &files {
        if store.has(file) {
            continue;
        }
        around.doing(Doing::FetchingFile {
            name: &file.name,
            version: &file.version,
            file: &file.file,
        });
        let (bytes, place) = match from {
            Some(directory) => {
                let path = directory.join(file.path());
                let place = Place::of(around, &path);
                let bytes = fs_err::read(&*place).map_err(|error| place.named(error.into()))?;
                (bytes, path.display().to_string())
            }
            None => (fetch(file)?, file.source.clone()),
        };
        store.add(file, &bytes, &place)?;
        fetched += 1;
    }
    around.progress_done();
    Ok(Outcome {
        files: files.len(),
        fetched,
    })
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
        Error::from(error)
            .context(format!("cannot fetch {}", file.source))
            .hint("without the internet, take the files from a directory with `--from DIR`")
    })?;
    Ok(outcome.stdout)
}

/// The files of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct List {
    /// Each, in the order of the lock.
    pub files: Vec<Listed>,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
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
    /// Whether it is in the cache.
    pub here: bool,
    /// Whether it is of the version that a cluster gets which states none.
    pub default: bool,
}

/// What a bundle has, and what of it is in the cache.
pub fn list(around: &Around, lock: Option<&Path>) -> Result<List> {
    let _entered = around.enter()?;
    let bundle = open(around, lock)?;
    let store = store(around)?;
    let listed = |file: &File| Listed {
        name: file.name.clone(),
        version: file.version.clone(),
        file: file.file.clone(),
        source: file.source.clone(),
        sha256: file.sha256.clone(),
        here: store.has(file),
        default: bundle.defaults.get(&file.name) == Some(&file.version),
    };
    Ok(List {
        files: bundle.files.iter().map(listed).collect(),
    })
}
