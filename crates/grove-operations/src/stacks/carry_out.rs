//! Carrying out a plan that is kept.

use std::time::Duration;

use super::runner::{Head, Planned, Ready, Runner, forget};
use crate::{Doing, Error, Result};

impl Runner {
    /// Refuses a plan that was made from other inputs or on another state.
    pub fn must_be_fresh(&self, planned: &Planned, ready: &Ready) -> Result<()> {
        let address = &ready.address;
        let stale = |why: &str| {
            Error::refused(format!("the plan of `{address}` is stale: {why}"))
                .hint(format!("`grove stack plan {address}` makes a new one"))
        };
        if planned.record.inputs != ready.root.digest {
            return Err(stale("its inputs changed since it was made"));
        }
        let head = self.head(&planned.work, ready)?;
        let now = head.map(|head| (head.lineage, head.serial));
        if now != planned.record.state {
            return Err(stale("somebody applied since it was made"));
        }
        Ok(())
    }

    /// Applies the plan, which may take `limit`; the state's head after it. The plan is gone afterwards,
    /// whatever came of it: it is never applied twice.
    pub fn apply(&self, planned: &Planned, ready: &Ready, limit: Duration) -> Result<Head> {
        let stack = ready.address.to_string();
        let work = &planned.work;
        let run = work.run(&self.program, &ready.environment);
        if !planned.record.changes.is_empty() || planned.record.state.is_none() {
            let applying = work.plan().with_extension("applying");
            fs_err::rename(planned.file(), &applying)?;
            forget(work)?;
            let name = applying.display().to_string();
            let words = ["apply", "-input=false", "-no-color", &name];
            let applied = run.follow(
                &words,
                limit,
                |id| work.note_running(id),
                |line| {
                    let line = shown(line);
                    if !line.is_empty() {
                        self.around.doing(Doing::Said {
                            stack: &stack,
                            line: &line,
                        });
                    }
                },
            );
            work.note_ended();
            fs_err::remove_file(&applying)?;
            if let Err(error) = applied {
                let hint = self.unwritten(ready)?.map(|unwritten| unwritten.hint());
                return Err(hint.into_iter().fold(error, Error::hint));
            }
        } else {
            forget(work)?;
        }
        self.head(work, ready)?
            .ok_or_else(|| Error::tool(format!("`{}` was applied and has no state", ready.address)))
    }
}

/// A line of the program's as progress shows it: what a module prints may be of any length, and may hold
/// what moves a terminal's cursor.
fn shown(line: &str) -> String {
    const LONGEST: usize = 160;
    let line = line.trim();
    let mut text: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    if line.chars().count() > LONGEST {
        text.push('…');
    }
    text
}
