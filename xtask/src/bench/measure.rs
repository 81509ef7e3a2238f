//! What a command and everything it starts used.
//!
//! The operating system adds up the processor time of all children that a process has waited for.
//! So each measurement runs in a process of its own: this program again, as
//! `xtask measure FILE -- COMMAND`. It adopts what the command leaves behind, so that nothing is
//! missed. Memory is sampled, since no counter knows the sum over several processes.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::{
    resource::{UsageWho, getrusage},
    wait::wait,
};
use serde::{Deserialize, Serialize};

/// Time between two looks at the memory.
const INTERVAL: Duration = Duration::from_millis(20);

/// Options of the hidden command.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the figures are written.
    file: PathBuf,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// The figures of one run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Processor time of all processes, user and system, in seconds.
    pub(crate) cpu: f64,
    /// From start to end, in seconds.
    pub(crate) wall: f64,
    /// Resident memory of the largest process, in bytes.
    pub(crate) largest: f64,
    /// Most memory that all processes held at one moment, in bytes; what processes share counts
    /// once (proportional set size).
    pub(crate) together: f64,
}

/// Runs a command in a process of its own and says what it used. The command's output is thrown
/// away, but for stderr where it fails.
pub(crate) fn measure(command: &Command) -> Result<Usage> {
    let file = tempfile::NamedTempFile::new()?;
    let mut outer = Command::new(std::env::current_exe()?);
    outer
        .arg("measure")
        .arg(file.path())
        .arg("--")
        .arg(command.get_program());
    outer.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        outer.current_dir(directory);
    }
    crate::process::read(&mut outer)?;
    let text = fs_err::read_to_string(file.path())?;
    serde_json::from_str(&text).context("a measurement left no figures")
}

/// The hidden command.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    nix::sys::prctl::set_child_subreaper(true)?;
    let (program, rest) = arguments.command.split_first().context("no command")?;
    let ended = Arc::new(AtomicBool::new(false));
    let sampler = thread::spawn({
        let ended = Arc::clone(&ended);
        move || sample(&ended)
    });
    let start = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .status()?;
    while wait().is_ok() {}
    let wall = start.elapsed().as_secs_f64();
    ended.store(true, Ordering::Relaxed);
    let together = sampler.join().unwrap_or_default();
    ensure!(status.success(), "the measured command failed: {status}");

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()).as_secs_f64()
            + Duration::from_micros(time.tv_usec().unsigned_abs()).as_secs_f64()
    };
    let usage = Usage {
        cpu: seconds(usage.user_time()) + seconds(usage.system_time()),
        wall,
        // Linux gives kibibytes.
        largest: bytes(usage.max_rss().unsigned_abs()),
        together: bytes(together),
    };
    fs_err::write(&arguments.file, serde_json::to_string(&usage)?)?;
    Ok(true)
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn bytes(kibibytes: u64) -> f64 {
    (kibibytes * 1024) as f64
}

/// The most memory of all descendants at one moment, in kibibytes.
fn sample(ended: &AtomicBool) -> u64 {
    let mut most = 0;
    while !ended.load(Ordering::Relaxed) {
        most = most.max(
            descendants()
                .iter()
                .map(|process| proportional(process))
                .sum(),
        );
        thread::sleep(INTERVAL);
    }
    most
}

/// The directories under `/proc` of everything that this process started, and that in turn.
fn descendants() -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir("/proc") else {
        return Vec::new();
    };
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in entries.flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some(parent) = parent(&entry.path()) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![std::process::id()];
    while let Some(id) = next.pop() {
        for child in children.remove(&id).unwrap_or_default() {
            found.push(Path::new("/proc").join(child.to_string()));
            next.push(child);
        }
    }
    found
}

/// Field 4 of `/proc/PID/stat`; the name in field 2 stands in parentheses and may hold anything.
fn parent(process: &Path) -> Option<u32> {
    let stat = fs_err::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// A process's share of memory in kibibytes; nothing where it has just ended.
fn proportional(process: &Path) -> u64 {
    let text = fs_err::read_to_string(process.join("smaps_rollup")).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}
