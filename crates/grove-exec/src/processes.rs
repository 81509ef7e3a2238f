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

use crate::{Caller, Token};

/// How long a program may take to put away what it has begun, when all are told to end, unless more
/// is asked for.
pub(crate) const FAREWELL: Duration = Duration::from_secs(1);

/// The groups that run now: their leaders have not been reaped.
static GROUPS: Mutex<BTreeMap<i32, Known>> = Mutex::new(BTreeMap::new());

/// The thread that starts programs, by the channel that it reads.
static STARTER: Mutex<Option<Sender<Request>>> = Mutex::new(None);

/// A command and where its child is awaited.
type Request = (Command, Sender<io::Result<Child>>);

/// What is known of a group that runs.
struct Known {
    /// How long it may take to end.
    farewell: Duration,
    /// Under which token it was started.
    token: Option<Token>,
}

impl Known {
    /// The signal that asks it to end. What needs time is asked as a terminal would: the plugins of
    /// OpenTofu die of the other one.
    fn signal(&self) -> Signal {
        if self.farewell > FAREWELL {
            Signal::SIGINT
        } else {
            Signal::SIGTERM
        }
    }
}

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
    let token = Caller::current().map(|caller| caller.token);
    if token.as_ref().is_some_and(Token::is_ended) {
        return Err(io::ErrorKind::Interrupted.into());
    }
    starter()?.send((command, reply)).map_err(|_| gone())?;
    let child = child.recv().map_err(|_| gone())??;
    let id = i32::try_from(child.id()).map_err(io::Error::other)?;
    groups.insert(id, Known { farewell, token });
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
    for (group, known) in &*groups {
        // It fails only where nothing is left to end.
        let _: Result<_, _> = killpg(Pid::from_raw(*group), known.signal());
    }
    let asked = Instant::now();
    let may_go_on =
        |(group, known): (&i32, &Known)| asked.elapsed() < known.farewell && runs(*group);
    while groups.iter().any(may_go_on) {
        thread::sleep(Duration::from_millis(5));
    }
    for group in groups.keys() {
        Group(*group).kill();
    }
    mem::forget(groups);
}

/// Ends the programs that were started under a token: asks them, and ends what is left when their time is
/// over. Does not wait.
pub(crate) fn end_those_of(token: &Token) {
    let is_its = |known: &Known| known.token.as_ref().is_some_and(|its| its.is(token));
    let mut left: Vec<(i32, Duration)> = Vec::new();
    for (group, known) in &*locked(&GROUPS) {
        if is_its(known) {
            // It fails only where nothing is left to end.
            let _: Result<_, _> = killpg(Pid::from_raw(*group), known.signal());
            left.push((*group, known.farewell));
        }
    }
    if left.is_empty() {
        return;
    }
    left.sort_by_key(|(_, farewell)| *farewell);
    let token = token.clone();
    let reap = move || {
        let asked = Instant::now();
        for (group, farewell) in left {
            // The number of a group that was closed may be another's by now.
            let still = || {
                let groups = locked(&GROUPS);
                let known = groups.get(&group).and_then(|known| known.token.as_ref());
                known.is_some_and(|its| its.is(&token))
            };
            while still() && asked.elapsed() < farewell {
                thread::sleep(Duration::from_millis(20));
            }
            let groups = locked(&GROUPS);
            let known = groups.get(&group).and_then(|known| known.token.as_ref());
            if known.is_some_and(|its| its.is(&token)) {
                Group(group).kill();
            }
        }
    };
    // Without a thread they are not waited for: what was asked ends by itself.
    drop(
        thread::Builder::new()
            .name("end programs".to_owned())
            .spawn(reap),
    );
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
