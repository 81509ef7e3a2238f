//! The state that the last apply of a stack could not write to its back end: the one copy of what it made.
//!
//! Until it is there, a plan would make all of that a second time. Applying the stack puts it there first;
//! nothing else does.

use std::path::{Path, PathBuf};

use grove_stack::{root::Root, stack::Address};
use sha2::{Digest as _, Sha256};

use super::{
    runner::{Head, Ready, Runner},
    work,
};
use crate::{Error, Result, consent::Need};

/// A state that is kept on this machine alone.
pub(super) struct Unwritten {
    file: PathBuf,
    serial: Option<u64>,
    sha256: String,
}

impl Unwritten {
    /// That of a stack; none where its last apply wrote it. `parent` is where work directories are.
    pub(super) fn find(parent: &Path, address: &Address, root: &Root) -> Result<Option<Self>> {
        let file = work::errored(parent, address, root);
        let text = match fs_err::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let head: Option<Head> = serde_json::from_slice(&text).ok();
        Ok(Some(Self {
            file,
            serial: head.map(|head| head.serial),
            sha256: format!("sha256:{:x}", Sha256::digest(&text)),
        }))
    }

    /// What must be agreed to before it is put into the back end.
    pub(super) fn need(&self, address: &Address) -> Need {
        Need::Recover {
            stack: address.to_string(),
            serial: self.serial,
            sha256: self.sha256.clone(),
        }
    }

    /// Why nothing is done that begins from the state in the back end.
    pub(super) fn refusal(&self, address: &Address) -> Error {
        Error::refused(format!(
            "the last apply of `{address}` could not write its state, which is kept in {}",
            self.file.display()
        ))
        .hint(format!(
            "`grove stack apply {address}` puts it into the back end first"
        ))
    }

    /// What helps whoever applied.
    pub(super) fn hint(&self) -> String {
        format!(
            "the state could not be written and is kept in {}: the next apply puts it into the back end",
            self.file.display()
        )
    }

    /// The same for whoever goes on.
    pub(super) fn warning(&self, address: &Address) -> String {
        let Error {
            messages, hints, ..
        } = self.refusal(address);
        format!("{}; {}", messages.join(": "), hints.join("; "))
    }
}

impl Runner {
    /// The state that a stack's last apply could not write.
    pub(super) fn unwritten(&self, ready: &Ready) -> Result<Option<Unwritten>> {
        Unwritten::find(&self.directory, &ready.address, &ready.root)
    }

    /// Refuses to go on from a state that lacks what the last apply made.
    pub(super) fn must_be_written(&self, ready: &Ready) -> Result<()> {
        match self.unwritten(ready)? {
            None => Ok(()),
            Some(unwritten) => Err(unwritten.refusal(&ready.address)),
        }
    }

    /// Warns of a state that lacks what the last apply made.
    pub(super) fn warn_of_unwritten(&self, ready: &Ready) -> Result<()> {
        if let Some(unwritten) = self.unwritten(ready)? {
            self.around.warn(&unwritten.warning(&ready.address));
        }
        Ok(())
    }

    /// Puts it into the back end.
    pub(super) fn recover(&self, ready: &mut Ready, agreed: &Unwritten) -> Result<()> {
        let work = self.open(ready)?;
        let Unwritten { file, sha256, .. } = agreed;
        if self
            .unwritten(ready)?
            .is_none_or(|now| now.sha256 != *sha256)
        {
            return Err(Error::refused(format!(
                "{} is not the state any more that was agreed to",
                file.display()
            )));
        }
        let run = work.run(&self.program, &ready.environment);
        run.push(file).map_err(|error| {
            error
                .context(format!(
                    "the last apply of `{}` could not write its state, and it still cannot be written",
                    ready.address
                ))
                .hint(format!("it is kept in {}", file.display()))
        })?;
        fs_err::remove_file(file)?;
        self.around.note(&format!(
            "{}: the state that the last apply could not write is in the back end now",
            ready.address
        ));
        Ok(())
    }
}
