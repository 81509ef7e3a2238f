//! What is kept of a request: one file each, in the cache.

use std::{
    fmt::Display,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::lock;
use crate::{Around, Error, Result, request::RequestId};

/// The format that is written, and read.
const VERSION: u32 = 1;
/// The directory, in the cache.
const DIRECTORY: &str = "requests";
/// For how long a request is known.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Progress {
    /// It began; what was there before.
    Begun(Value),
    /// It was carried out; what came of it. Values of secrets are in no outcome.
    Done(Value),
}

/// What is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    id: RequestId,
    /// The verb.
    verb: String,
    /// The digest of all else that the request says.
    request: String,
    time: Timestamp,
    author: String,
    progress: Progress,
}

/// Where a request is kept, and which one it is.
#[derive(Debug)]
pub(super) struct Place {
    around: Around,
    path: PathBuf,
    /// The file that is locked while it is carried out.
    pub(super) lock: PathBuf,
    /// What it is called.
    pub(super) id: RequestId,
    verb: &'static str,
    request: String,
}

impl Place {
    /// Where a request is kept; none where it has no name, or there is no cache.
    pub(super) fn of(
        around: &Around,
        verb: &'static str,
        id: Option<&RequestId>,
        request: &impl Serialize,
    ) -> Option<Self> {
        let id = id?;
        let path = path(around, id)?;
        Some(Self {
            lock: path.with_extension("lock"),
            path,
            id: id.clone(),
            verb,
            request: digest(request),
            around: around.clone(),
        })
    }

    /// How far the request is; none where nothing is known of it. Another one of the same name is refused.
    pub(super) fn look(&self) -> Result<Option<Progress>> {
        let Some(record) = read(&self.around, &self.path) else {
            return Ok(None);
        };
        let (id, time) = (&self.id, record.time);
        let done = match record.progress {
            Progress::Begun(_) => "begun",
            Progress::Done(_) => "carried out",
        };
        if record.id != *id || record.verb != self.verb || record.request != self.request {
            return Err(Error::refused(format!(
                "the request `{id}` was {done} before, and did something else: `{}` at {time}",
                record.verb
            ))
            .hint("give each request a name of its own"));
        }
        if let Progress::Done(_) = record.progress {
            self.around.note(&format!(
                "the request `{id}` was carried out at {time} by {}: this is what came of it then, and nothing is done now",
                record.author
            ));
        }
        Ok(Some(record.progress))
    }

    /// Writes down how far it is. That it cannot be written takes nothing back.
    pub(super) fn keep(&self, progress: Progress) {
        let around = &self.around;
        let record = Record {
            version: VERSION,
            id: self.id.clone(),
            verb: self.verb.to_owned(),
            request: self.request.clone(),
            time: around.now(),
            author: around
                .author
                .as_ref()
                .map_or_else(|| around.user.clone(), ToString::to_string),
            progress,
        };
        if let Err(error) = self.write(&record) {
            self.not_kept(&error);
        }
    }

    /// Tells that nothing is kept of the request.
    pub(super) fn not_kept(&self, why: &dyn Display) {
        self.around.warn(&format!(
            "the request `{}` is not kept, so that the same again is carried out again: {why}",
            self.id
        ));
    }

    fn write(&self, record: &Record) -> std::io::Result<()> {
        let text = serde_json::to_string(record)?;
        let text = format!("{}\n{text}\n", sum(&text));
        let directory = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs_err::create_dir_all(directory)?;
        let time = SystemTime::from(record.time);
        // Nobody else reads it.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_modified(time)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        sweep(directory, time);
        Ok(())
    }
}

/// Whether something is kept of a name.
pub(super) fn is_known(around: &Around, id: &RequestId) -> bool {
    path(around, id).is_some_and(|path| read(around, &path).is_some())
}

/// The file of a name: of each fleet, of each copy of it and wherever it is deployed to, the names are its own.
fn path(around: &Around, id: &RequestId) -> Option<PathBuf> {
    let directory = around.cache.as_ref()?.join(DIRECTORY);
    let fleet = around.fleet.as_deref().unwrap_or(&around.directory);
    let fleet = around.directory.join(fleet);
    let fleet = fs_err::canonicalize(&fleet).unwrap_or(fleet);
    let digest = Sha256::new()
        .chain_update(fleet.as_os_str().as_encoded_bytes())
        .chain_update([0])
        .chain_update(around.deploy_remote.as_deref().unwrap_or_default())
        .chain_update([0])
        .chain_update(id.as_str())
        .finalize();
    Some(directory.join(format!("{digest:x}.json")))
}

/// What a file says; none where there is none. One that is not as it was written is warned of, and says nothing.
fn read(around: &Around, path: &Path) -> Option<Record> {
    let text = match fs_err::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            around.warn(&format!(
                "what is kept of a request cannot be read: {error}"
            ));
            return None;
        }
    };
    let record = std::str::from_utf8(&text).ok().and_then(|text| {
        let (digest, text) = text.split_once('\n')?;
        let text = text.strip_suffix('\n')?;
        let record: Record = serde_json::from_str(text).ok()?;
        (digest == sum(text) && record.version == VERSION).then_some(record)
    });
    if record.is_none() {
        around.warn(&format!(
            "`{}` is not as it was written and is ignored: nothing is known of that request",
            path.display()
        ));
    }
    record
}

/// Removes what is old, or was left by who was interrupted.
fn sweep(directory: &Path, now: SystemTime) {
    let Ok(entries) = fs_err::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|known| known.modified());
        let age = changed.ok().and_then(|then| now.duration_since(then).ok());
        if age.is_none_or(|age| age < KEPT) {
            continue;
        }
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            lock::sweep(&path);
        } else {
            fs_err::remove_file(&path).ok();
        }
    }
}

fn sum(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// The digest of what a request says beside its name. How many instances are expected is a consent: whoever asks
/// again may give another, and means the same.
fn digest(request: &impl Serialize) -> String {
    // Plain structures are always written.
    let mut said = serde_json::to_value(request).unwrap_or_default();
    let forget = |said: &mut Value| {
        if let Some(map) = said.as_object_mut() {
            map.remove("id");
            map.remove("expect");
            if let Some(target) = map.get_mut("target").and_then(Value::as_object_mut) {
                target.remove("expect");
            }
        }
    };
    match &mut said {
        // A request, and what comes beside it.
        Value::Array(several) => several.iter_mut().for_each(forget),
        one => forget(one),
    }
    sum(&said.to_string())
}
