//! What a stack gave, from its state to the fleet.

use std::collections::BTreeMap;

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
    /// where they are from. The file of the sensitive ones comes first: the other names its ciphertexts.
    pub fn write_outputs(&mut self, address: &Address, head: Head, inputs: String) -> Result<bool> {
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
        let digests = self.write_sensitive(address, before.as_ref(), &sensitive)?;
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
        let path = self.workspace.root.join(address.outputs_file());
        files::write_atomically(&path, made.text())?;
        let is_changed = before.is_none_or(|before| before.outputs != made.outputs);
        self.renew(address, made, sensitive);
        Ok(is_changed)
    }

    /// The digests of the ciphertexts of sensitive outputs, by name. A value that is what it was keeps its
    /// ciphertext, so that nobody who reads it is stale.
    fn write_sensitive(
        &self,
        address: &Address,
        before: Option<&Outputs>,
        values: &BTreeMap<String, Secret>,
    ) -> Result<BTreeMap<String, String>> {
        let file = address.outputs_secrets_file();
        let path = self.workspace.root.join(&file);
        if values.is_empty() {
            match fs_err::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => return Ok(BTreeMap::new()),
            }
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
            return Ok(kept);
        }
        let secrets = Secrets::new(&self.workspace, &self.fleet);
        let text = secrets.replace(&file, values)?;
        let documents = load::documents(&Snapshot::default().with(&file, &text));
        let digests = output_secrets(&documents, address);
        Ok(digests
            .into_iter()
            .map(|(name, reference)| (name, reference.digest))
            .collect())
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
