//! What a stack gave, from its state to the fleet.

use std::{collections::BTreeMap, path::Path};

use grove_fleet::{
    Snapshot,
    load::{self, output_secrets},
};
use grove_seal::Secret;
use grove_stack::{
    outputs::{OutputValue, Outputs, admit},
    stack::Address,
};

use super::{
    all::Stacks,
    runner::{Head, is_work_tree},
};
use crate::{Error, Kind, Result, files, secrets::open::Secrets};

/// What a stack gave, as the fleet keeps it.
pub(super) struct Given {
    address: Address,
    /// The file of the outputs.
    text: String,
    /// The file of the sensitive ones.
    secrets: Ciphertexts,
    /// Whether anything changed but where they are from.
    pub(super) is_changed: bool,
}

/// What becomes of the file of sensitive outputs.
enum Ciphertexts {
    /// There are none.
    None,
    /// It stays as it is.
    Same,
    /// It is written.
    New(String),
}

impl Given {
    /// Writes the files. That of the sensitive outputs comes first: the other names its ciphertexts.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        let secrets = root.join(self.address.outputs_secrets_file());
        match &self.secrets {
            Ciphertexts::None => match fs_err::remove_file(&secrets) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            },
            Ciphertexts::Same => {}
            Ciphertexts::New(text) => files::write_atomically(&secrets, text)?,
        }
        files::write_atomically(&root.join(self.address.outputs_file()), &self.text)
    }
}

impl Stacks<'_> {
    /// Refuses to go on where outputs could not be written.
    pub fn must_be_writable(&self) -> Result<()> {
        if is_work_tree(&self.workspace) {
            return Ok(());
        }
        Err(Error::usage(
            "outputs are written to the fleet's files, and a revision has none to write",
        )
        .hint("leave `--rev` out"))
    }

    /// Writes the outputs of a state to the fleet, sensitive ones encrypted; whether anything changed but
    /// where they are from.
    pub fn write_outputs(&mut self, address: &Address, head: Head, inputs: String) -> Result<bool> {
        let given = self.give(address, head, inputs)?;
        given.write(&self.workspace.root)?;
        Ok(given.is_changed)
    }

    /// Takes over what a state gives, and makes the files in which the fleet keeps it; nothing is written.
    pub(super) fn give(&mut self, address: &Address, head: Head, inputs: String) -> Result<Given> {
        let mut outputs = BTreeMap::new();
        let mut sensitive: BTreeMap<String, Secret> = BTreeMap::new();
        for (name, output) in head.outputs {
            admit(&name, &output.value).map_err(|error| {
                Error::from_error(Kind::No, &error)
                    .context(format!("what `{address}` gave is not kept"))
                    .hint("an output is configuration; it was applied, and the state has it")
            })?;
            if output.sensitive {
                sensitive.insert(name, Secret::new(output.value.to_string()));
            } else {
                outputs.insert(
                    name,
                    OutputValue::Plain {
                        value: output.value,
                    },
                );
            }
        }
        let before = self.get(address)?.outputs.clone();
        let (secrets, digests) = self.encrypt(address, before.as_ref(), &sensitive)?;
        for (name, sensitive) in digests {
            outputs.insert(name, OutputValue::Sensitive { sensitive });
        }
        let made = Outputs::new(
            address.to_string(),
            head.lineage,
            head.serial,
            inputs,
            outputs,
        );
        let given = Given {
            address: address.clone(),
            text: made.text(),
            secrets,
            is_changed: before.is_none_or(|before| before.outputs != made.outputs),
        };
        self.renew(address, made, sensitive);
        Ok(given)
    }

    /// What becomes of the file of sensitive outputs, and the digests of the ciphertexts in it, by name. A value
    /// that is what it was keeps its ciphertext, so that nobody who reads it is stale.
    fn encrypt(
        &self,
        address: &Address,
        before: Option<&Outputs>,
        values: &BTreeMap<String, Secret>,
    ) -> Result<(Ciphertexts, BTreeMap<String, String>)> {
        if values.is_empty() {
            return Ok((Ciphertexts::None, BTreeMap::new()));
        }
        let kept: BTreeMap<String, String> = before
            .into_iter()
            .flat_map(|before| &before.outputs)
            .filter_map(|(name, output)| match output {
                OutputValue::Sensitive { sensitive } => Some((name.clone(), sensitive.clone())),
                OutputValue::Plain { .. } => None,
            })
            .collect();
        let is_same = kept.keys().eq(values.keys())
            && values.iter().all(|(name, value)| {
                let now = self.sensitive(address, name);
                now.is_ok_and(|now| now.expose() == value.expose())
            });
        if is_same {
            return Ok((Ciphertexts::Same, kept));
        }
        let file = address.outputs_secrets_file();
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let text = secrets.whole(&file, values)?;
        let documents = load::documents(&Snapshot::default().with(&file, &text));
        let digests = output_secrets(&documents, address)
            .into_iter()
            .map(|(name, reference)| (name, reference.digest))
            .collect();
        Ok((Ciphertexts::New(text), digests))
    }

    /// Removes the outputs of a stack that is no more.
    pub fn remove_outputs(&mut self, address: &Address) -> Result<()> {
        for file in [address.outputs_file(), address.outputs_secrets_file()] {
            match fs_err::remove_file(self.workspace.root.join(file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        if let Some(stack) = self.fleet.stacks.get_mut(address) {
            stack.outputs = None;
        }
        Ok(())
    }
}
