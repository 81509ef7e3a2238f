//! What Tutor and Kustomize made, kept by a digest of what went in.
//!
//! One compressed JSON file a result under `tutor-output-v1/`; the directory's name changes with
//! the format. Files are put in place by a rename, so a reader sees a whole one or none.

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use grove_fleet::model::Lock;
use grove_render::{TutorInput, TutorOutput};
use grove_tutor::{Cache, Kustomizer};
use sha2::{Digest as _, Sha256};

use crate::{Error, Kind, Result};

/// The largest result that is read back.
const LIMIT: u64 = 64 << 20;

/// The digest of everything that decides the result.
pub fn key(input: &TutorInput, lock: &Lock, kustomizer: &Kustomizer) -> Result<String> {
    let parts = serde_json::json!([
        lock.digest,
        grove_tutor::worker_digest(),
        kustomizer.version(),
        input.config,
        input.plugins,
        input.patches,
        input.secrets,
        input
            .plugin_files
            .iter()
            .map(|(name, content)| (name, hex(&Sha256::digest(content))))
            .collect::<Vec<_>>(),
    ]);
    let bytes = serde_json::to_vec(&parts).map_err(|error| Error::from_error(Kind::Bug, &error))?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// The kept result; none where there is none, or where it cannot be read.
pub fn read(cache: &Cache, key: &str) -> Option<TutorOutput> {
    let file = fs_err::File::open(path(cache, key)).ok()?;
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Keeps a result.
pub fn write(cache: &Cache, key: &str, output: &TutorOutput) -> Result<()> {
    let path = path(cache, key);
    let directory = path.parent().unwrap_or(&path);
    fs_err::create_dir_all(directory)?;
    let file = tempfile::NamedTempFile::new_in(directory)?;
    let mut encoder = GzEncoder::new(file, Compression::fast());
    let bytes = serde_json::to_vec(output).map_err(|error| Error::from_error(Kind::Bug, &error))?;
    encoder.write_all(&bytes)?;
    encoder
        .finish()?
        .persist(&path)
        .map_err(|error| Error::from_error(Kind::Tool, &error))?;
    Ok(())
}

fn path(cache: &Cache, key: &str) -> PathBuf {
    cache
        .root
        .join("tutor-output-v1")
        .join(format!("{key}.json.gz"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String does not fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
}
