//! Starting and ending process groups.
//!
//! Every program runs in a process group of its own, so that ending it ends what it started too.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions, waitid};

/// How long a program may take to put away what it has begun, when all are told to end, unless more
/// is asked for.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// The groups that run now, and how long each may take to end: their leaders have not been reaped.
static GROUPS: Mutex<BTreeMap<i32, Duration>> = Mutex::new(BTreeMap::new());

/// The thread that starts programs, by the channel that it reads.
static STARTER: Mutex<Option<Sender<Request>>> = Mutex::new(None);

/// A command and where its child is awaited.
type Request = (Command, Sender<io::Result<Child>>);

/// A process group, by its leader's process id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group(i32);

impl Group {
    /// Ends every process of the group at once, where it still runs. The number of a group that
    /// was [closed](Self::close) may be another's by now and is left alone.
    pub(crate) fn end(self) {
        if locked(&GROUPS).contains_key(&self.0) {
            self.kill();
        }
    }

    /// Asks every process of the group to end, where it still runs.
    pub(crate) fn interrupt(self) {
        if locked(&GROUPS).contains_key(&self.0) {
            // It fails only where nothing is left to end.
            let _: Result<_, _> = killpg(Pid::from_raw(self.0), Signal::SIGINT);
        }
    }

    /// The leader's process id.
    pub(crate) fn leader(self) -> i32 {
        self.0
    }

    /// To be called before the leader is reaped: ends what is left of the group and forgets it.
    pub(crate) fn close(self) {
        if locked(&GROUPS).remove(&self.0).is_some() {
            self.kill();
        }
    }

    fn kill(self) {
        // It fails only where nothing is left to end.
        let _: Result<_, _> = killpg(Pid::from_raw(self.0), Signal::SIGKILL);
    }
}

/// Starts `command` as the leader of a group.
///
/// All programs are started by one thread that lives as long as Grove does: the signal that a
/// confined program gets at its parent's death is sent when the *thread* that started it ends.
pub(crate) fn start(command: Command, farewell: Duration) -> io::Result<(Child, Group)> {
    let gone = || io::Error::other("the thread that starts programs is gone");
    let (reply, child) = mpsc::channel();
    // Held while it starts: `end_all` sees it or keeps it from starting.
    let mut groups = locked(&GROUPS);
    starter()?.send((command, reply)).map_err(|_| gone())?;
    let child = child.recv().map_err(|_| gone())??;
    let id = i32::try_from(child.id()).map_err(io::Error::other)?;
    groups.insert(id, farewell);
    Ok((child, Group(id)))
}

/// The starter thread's channel; the first call starts the thread.
fn starter() -> io::Result<Sender<Request>> {
    let mut starter = locked(&STARTER);
    if let Some(sender) = &*starter {
        return Ok(sender.clone());
    }
    let (sender, requests) = mpsc::channel::<Request>();
    thread::Builder::new()
        .name("start programs".to_owned())
        .spawn(move || {
            for (mut command, reply) in requests {
                command.process_group(0);
                // The caller waits for the reply as long as it lives.
                drop(reply.send(command.spawn()));
            }
        })?;
    *starter = Some(sender.clone());
    Ok(sender)
}

/// Ends every program that runs now, with all that they started; for the moment at which Grove
/// itself is told to end. They are asked first, so that Git takes its lock files away, and have a
/// second for that, or what [`Invocation::farewell`](crate::Invocation::farewell) says.
///
/// From here on no program is started, and who waits for one waits for ever: Grove is to exit.
pub fn end_all() {
    let groups = locked(&GROUPS);
    for (group, farewell) in &*groups {
        // What needs time is asked as a terminal would: the plugins of OpenTofu die of the other signal.
        let signal = if *farewell > FAREWELL {
            Signal::SIGINT
        } else {
            Signal::SIGTERM
        };
        // It fails only where nothing is left to end.
        let _: Result<_, _> = killpg(Pid::from_raw(*group), signal);
    }
    let asked = Instant::now();
    let may_go_on =
        |(group, farewell): (&i32, &Duration)| asked.elapsed() < *farewell && runs(*group);
    while groups.iter().any(may_go_on) {
        thread::sleep(Duration::from_millis(5));
    }
    for group in groups.keys() {
        Group(*group).kill();
    }
    mem::forget(groups);
}

/// Whether a group's leader runs; it is left to be reaped by who started it.
fn runs(leader: i32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    rustix::process::Pid::from_raw(leader)
        .is_some_and(|leader| matches!(waitid(WaitId::Pid(leader), options), Ok(None)))
}

fn locked<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    // What these two guard is changed in one step each, so a panic leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
