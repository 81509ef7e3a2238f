//! The private keys that open secrets: where they are looked for, and nothing else.

use std::io::Read as _;

use grove_fleet::Fleet;
use grove_seal::source::{Identities, Place, places};

use crate::{Error, Result, fleet::workspace::Workspace};

/// The age identities of this machine: where `sops` looks, and the fleet's published key.
pub fn identities(workspace: &Workspace<'_>, fleet: &Fleet) -> Result<Identities> {
    let around = workspace.around;
    let mut identities = Identities::default();
    for place in places(|name| around.variable(name), around.home.as_deref()) {
        match place {
            Place::Text { variable, text } => identities.add(variable, text.expose())?,
            Place::File { path, required } => match fs_err::read_to_string(&path) {
                Ok(text) => identities.add(&path.display().to_string(), &text)?,
                Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            },
            Place::Command { variable, line } => {
                let words: Vec<&str> = line.split_whitespace().collect();
                let (program, arguments) = words.split_first().ok_or_else(|| {
                    Error::usage(format!("{variable} is set and names no command"))
                })?;
                let outcome = grove_exec::Invocation::new(program).args(arguments).run()?;
                let mut text = String::new();
                outcome.stdout.as_slice().read_to_string(&mut text)?;
                identities.add(variable, &text)?;
            }
        }
    }
    if let Some(path) = &fleet.published_key
        && let Some(bytes) = workspace.snapshot.bytes(path)
    {
        identities.add(path, &String::from_utf8_lossy(bytes))?;
    }
    Ok(identities)
}
