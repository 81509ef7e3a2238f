//! Long-lived programs: started with a log of their own, known by number and start, ended by number.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::Error;

/// How long a program has to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// The processes of one control plane, by the files in its directory.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    directory: PathBuf,
}

impl Processes {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    pub(crate) fn log(&self, part: &str) -> PathBuf {
        self.directory.join("logs").join(format!("{part}.log"))
    }

    fn file(&self, part: &str) -> PathBuf {
        self.directory.join("processes").join(part)
    }

    /// Starts a part in a process group of its own, so that it outlives what started it.
    pub(crate) fn start(&self, part: &'static str, command: &mut Command) -> Result<(), Error> {
        for directory in ["logs", "processes"] {
            fs_err::create_dir_all(self.directory.join(directory))?;
        }
        let log = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log(part))?
            .into_file();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let id = child.id();
        let known = format!("{id} {}\n", started(id).unwrap_or_default());
        // A process that ended must not stay behind as a zombie of a long-lived test.
        std::thread::spawn(move || child.wait());
        fs_err::write(self.file(part), known)?;
        Ok(())
    }

    /// The process of a part, where it runs.
    pub(crate) fn running(&self, part: &str) -> Option<u32> {
        let text = fs_err::read_to_string(self.file(part)).ok()?;
        let (id, start) = text.trim().split_once(' ')?;
        let id = id.parse().ok()?;
        // The number may be another process's by now.
        (started(id).as_deref() == Some(start)).then_some(id)
    }

    /// Ends a part, where it runs.
    pub(crate) fn stop(&self, part: &str) {
        let Some(id) = self.running(part) else { return };
        let Ok(number) = i32::try_from(id) else {
            return;
        };
        let begun = Instant::now();
        let _gone = kill(Pid::from_raw(number), Signal::SIGTERM);
        while self.running(part).is_some() {
            if begun.elapsed() > GRACE {
                let _gone = kill(Pid::from_raw(number), Signal::SIGKILL);
            }
            if begun.elapsed() > GRACE * 2 {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every part that was ever started.
    pub(crate) fn all(&self) -> Vec<String> {
        let Ok(entries) = fs_err::read_dir(self.directory.join("processes")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// An error of a part, with the end of its log.
    pub(crate) fn failure(&self, part: &'static str, what: impl Into<String>) -> Error {
        let log = self.log(part);
        let text = fs_err::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        Error::Part {
            part,
            what: what.into(),
            tail: lines[lines.len().saturating_sub(12)..].join("\n"),
            log,
        }
    }
}

/// When a living process was started, in the kernel's ticks: field 22 of `/proc/<id>/stat` (proc(5)).
fn started(id: u32) -> Option<String> {
    let text = fs_err::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold spaces.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if fields.next() == Some("Z") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}
