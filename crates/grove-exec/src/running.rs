//! A program that runs.

use std::io;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::ExecError;
use crate::collect::{Beyond, Collected, Event, collect};
use crate::outcome::last_lines;
use crate::processes::Group;

/// How much of standard error is kept, in bytes.
const STDERR_LIMIT: usize = 64 << 10;

/// How long output is awaited that was written before the program ended. Only something that it
/// left behind, with the pipe still open, makes this run out.
const GRACE: Duration = Duration::from_millis(500);

/// A program that runs, with its standard input and output as pipes. It is ended, with all that
/// it started, when this is dropped.
#[derive(Debug)]
pub struct Running {
    program: String,
    child: Child,
    group: Group,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Collected,
    sender: Sender<Event>,
    events: Receiver<Event>,
    status: Option<ExitStatus>,
    started: Instant,
}

/// Ends a [`Running`] program from another thread.
#[derive(Clone, Copy, Debug)]
pub struct Ender(Group);

impl Ender {
    /// Ends the program and all that it started, at once; nothing happens where it has ended.
    pub fn end(&self) {
        self.0.end();
    }
}

/// How waiting for a program ended.
pub(crate) enum Waited {
    /// It ended.
    Ended(ExitStatus),
    /// The time was over first.
    TimedOut,
    /// It wrote more than it may.
    Flooded,
}

impl Running {
    /// Takes over a child that was just started.
    pub(crate) fn new(program: String, mut child: Child, group: Group) -> io::Result<Self> {
        let (sender, events) = mpsc::channel();
        let pipe: Option<ChildStderr> = child.stderr.take();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut running = Self {
            program,
            child,
            group,
            stdin,
            stdout,
            stderr: Collected::default(),
            sender,
            events,
            status: None,
            started: Instant::now(),
        };
        if let Some(pipe) = pipe {
            let sender = running.sender.clone();
            running.stderr = collect(pipe, STDERR_LIMIT, Beyond::Forget, sender)?;
        }
        let sender = running.sender.clone();
        let leader = Pid::from_raw(group.leader());
        thread::Builder::new().spawn(move || {
            if let Some(leader) = leader {
                // Left unreaped, so that its group's number stays its own until it is closed.
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while matches!(waitid(WaitId::Pid(leader), options), Err(Errno::INTR)) {}
            }
            // Nobody listens where the program was dropped.
            let _: Result<_, _> = sender.send(Event::Ended);
        })?;
        Ok(running)
    }

    /// The pipe to its standard input, once.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// The pipe from its standard output, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines that it wrote to standard error until now.
    pub fn stderr_tail(&self) -> String {
        last_lines(&self.stderr.copy())
    }

    /// A handle that ends it from another thread.
    pub fn ender(&self) -> Ender {
        Ender(self.group)
    }

    /// Ends it and all that it started, at once.
    pub fn end(&mut self) {
        self.group.end();
    }

    /// Asks it to end, as the terminal's Ctrl-C would.
    pub fn interrupt(&self) {
        self.group.interrupt();
    }

    /// Waits for it to end by itself; `None` where it still runs after `limit`. Standard input is
    /// closed first, unless it was taken.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>, ExecError> {
        drop(self.stdin.take());
        match self.wait_until(Some(Instant::now() + limit)) {
            Ok(Waited::Ended(status)) => Ok(Some(status)),
            Ok(Waited::TimedOut | Waited::Flooded) => Ok(None),
            Err(source) => Err(ExecError::Start {
                program: self.program.clone(),
                source,
            }),
        }
    }

    /// Collects standard output, `limit` bytes at most.
    pub(crate) fn collect_stdout(&mut self, limit: usize) -> io::Result<Collected> {
        match self.stdout.take() {
            Some(pipe) => collect(pipe, limit, Beyond::Refuse, self.sender.clone()),
            None => Ok(Collected::default()),
        }
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// What was collected of standard error.
    pub(crate) fn stderr(&self) -> &Collected {
        &self.stderr
    }

    /// Waits until the program ends, and then for the output that it left in its pipes.
    pub(crate) fn wait_until(&mut self, deadline: Option<Instant>) -> io::Result<Waited> {
        if let Some(status) = self.status {
            return Ok(Waited::Ended(status));
        }
        let mut closed = 0;
        loop {
            match receive(&self.events, deadline) {
                Some(Event::Ended) => break,
                Some(Event::Closed) => closed += 1,
                Some(Event::Flooded) => return Ok(Waited::Flooded),
                None => return Ok(Waited::TimedOut),
            }
        }
        self.group.close();
        let status = self.child.wait()?;
        self.status = Some(status);
        let deadline = Some(Instant::now() + GRACE);
        while closed < 2 {
            match receive(&self.events, deadline) {
                Some(Event::Flooded) => return Ok(Waited::Flooded),
                Some(_) => closed += 1,
                None => break,
            }
        }
        Ok(Waited::Ended(status))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.group.close();
            // It was killed, so this does not wait long; a failure leaves nothing to do.
            drop(self.child.wait());
        }
    }
}

/// The next event; `None` after `deadline`.
fn receive(events: &Receiver<Event>, deadline: Option<Instant>) -> Option<Event> {
    let Some(deadline) = deadline else {
        return events.recv().ok();
    };
    let left = deadline.saturating_duration_since(Instant::now());
    events.recv_timeout(left).ok()
}
