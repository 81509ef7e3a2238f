//! What runs in a real cluster as pods, or stands around it: played by processes and by answers.

mod answers;
mod workloads;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::{ControlPlane, Error, plane::runtime};

/// How often it is looked whether something is to be done.
const ROUND: Duration = Duration::from_millis(300);

/// A thread that plays for one control plane until this is dropped.
#[derive(Debug)]
pub(crate) struct Player {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Player {
    pub(crate) fn start(directory: &Path) -> Result<Self, Error> {
        let plane = ControlPlane::attach(directory)?;
        let end = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&end);
        let thread = std::thread::Builder::new()
            .name("player".to_owned())
            .spawn(move || {
                // What went wrong in a round is tried again in the next one; the log has it.
                let _ended = rounds(&plane, &seen);
            })?;
        Ok(Self {
            end,
            thread: Some(thread),
        })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Plays for the control plane in `directory` as long as its API server is there.
pub fn play(directory: &Path) -> Result<(), Error> {
    let plane = ControlPlane::attach(directory)?;
    let end = AtomicBool::new(false);
    rounds(&plane, &end)
}

fn rounds(plane: &ControlPlane, end: &AtomicBool) -> Result<(), Error> {
    runtime()?.block_on(async {
        let mut workloads = workloads::Workloads::default();
        let mut connection = None;
        while !end.load(Ordering::Relaxed) {
            let reached = if let Some(reached) = &connection {
                reached
            } else if let Ok(reached) = plane.connect().await {
                connection.insert(reached)
            } else {
                tokio::time::sleep(ROUND).await;
                continue;
            };
            let one = match plane.revive() {
                Ok(()) => workloads.round(plane, reached).await,
                Err(error) => Err(error),
            };
            let other = answers::round(plane, reached).await;
            if let Err(error) = one.and(other) {
                note(plane, &error.to_string());
                // A gone API server gives no reason to end what runs.
                connection = None;
            }
            tokio::time::sleep(ROUND).await;
        }
        Ok(())
    })
}

/// Writes a line to the player's log.
fn note(plane: &ControlPlane, text: &str) {
    use std::io::Write as _;
    let file = fs_err::OpenOptions::new()
        .create(true)
        .append(true)
        .open(plane.logs().join("player.log"));
    if let Ok(mut file) = file {
        // A log that cannot be written has no other place.
        let _lost = writeln!(file, "{text}");
    }
}
