//! The `sops` program, for files that age alone does not open.
//!
//! Plain text passes through pipes only; what is written to a file is ciphertext.

use std::{ffi::OsString, io::Write, path::Path};

use grove_exec::{Invocation, Variables};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Error, SopsFile, Tree, error::SOPS_HINT};
use crate::Secret;

/// The `sops` program.
#[derive(Clone, Debug)]
pub struct Sops {
    program: OsString,
}

impl Default for Sops {
    fn default() -> Self {
        Self::new("sops")
    }
}

impl Sops {
    /// A name that is looked up on `PATH`, or a path.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// Every value of a file with the keys that lead to it; lists are left out.
    pub fn open(&self, file: &SopsFile) -> Result<Vec<(Vec<String>, Secret)>, Error> {
        let outcome = self
            .invocation()
            .args(["decrypt", "--input-type", "yaml", "--output-type", "json"])
            .args(["--filename-override", file.name(), "/dev/stdin"])
            .stdin(file.text())
            .run()
            .map_err(|error| Error::Program {
                file: file.name().to_owned(),
                error,
            })?;
        let output = Zeroizing::new(outcome.stdout);
        let tree = serde_json::from_slice(&output).map_err(|_| Error::Output {
            file: file.name().to_owned(),
        })?;
        let mut values = Vec::new();
        flatten(tree, &mut Vec::new(), &mut values);
        Ok(values)
    }

    /// The file's text with the value at `path` set; every other value keeps its ciphertext, but
    /// comments and indentation become those of `sops`.
    pub fn set(&self, file: &SopsFile, path: &[&str], value: &Secret) -> Result<String, Error> {
        let json = serde_json::to_string(value.expose()).map(Zeroizing::new);
        let json = json.map_err(|_| Error::Output {
            file: file.name().to_owned(),
        })?;
        self.edit(file, path, |invocation, copy| {
            invocation
                .args([
                    "set",
                    "--input-type",
                    "yaml",
                    "--output-type",
                    "yaml",
                    "--idempotent",
                ])
                .arg("--value-stdin")
                .arg(copy)
                .arg(index(path))
                .stdin(json.as_bytes())
        })
    }

    /// The file's text without the value at `path`.
    pub fn remove(&self, file: &SopsFile, path: &[&str]) -> Result<String, Error> {
        self.edit(file, path, |invocation, copy| {
            invocation
                .args([
                    "unset",
                    "--input-type",
                    "yaml",
                    "--output-type",
                    "yaml",
                    "--idempotent",
                ])
                .arg(copy)
                .arg(index(path))
        })
    }

    /// A new file, encrypted as the `.sops.yaml` at `config` says for the file `name`, which is
    /// relative to the directory of that file.
    pub fn create(&self, name: &str, values: &Tree, config: &Path) -> Result<String, Error> {
        let failed = |error| Error::Program {
            file: name.to_owned(),
            error,
        };
        let plain = Zeroizing::new(json_text(values));
        self.invocation()
            .arg("--config")
            .arg(config)
            .args(["encrypt", "--input-type", "json", "--output-type", "yaml"])
            .args(["--filename-override", name, "/dev/stdin"])
            .stdin(plain.as_bytes())
            .run()
            .and_then(grove_exec::Outcome::text)
            .map_err(failed)
    }

    fn invocation(&self) -> Invocation {
        Invocation::new(&self.program)
            .pass(Variables::Sops)
            .pass(Variables::Network)
            .hint(SOPS_HINT)
    }

    /// Lets `sops` edit a copy of the file, since it edits nothing but files.
    fn edit(
        &self,
        file: &SopsFile,
        path: &[&str],
        command: impl FnOnce(Invocation, &Path) -> Invocation,
    ) -> Result<String, Error> {
        if path.first().is_none_or(|key| *key == "sops") {
            return Err(Error::Edit {
                file: file.name().to_owned(),
                key: path.join("."),
                detail: "SOPS keeps its own section there".to_owned(),
            });
        }
        let io = |error| Error::Io {
            file: file.name().to_owned(),
            error,
        };
        let mut copy = tempfile::Builder::new()
            .suffix(".yaml")
            .tempfile()
            .map_err(io)?;
        copy.write_all(file.text().as_bytes()).map_err(io)?;
        copy.flush().map_err(io)?;
        command(self.invocation(), copy.path())
            .run()
            .map_err(|error| Error::Program {
                file: file.name().to_owned(),
                error,
            })?;
        std::fs::read_to_string(copy.path()).map_err(io)
    }
}

/// A path as `sops set` takes it: `["a"]["b"]`.
fn index(path: &[&str]) -> String {
    let keys: Vec<String> = path
        .iter()
        .map(|key| Value::from(*key).to_string())
        .collect();
    format!("[{}]", keys.join("]["))
}

fn flatten(value: Value, path: &mut Vec<String>, values: &mut Vec<(Vec<String>, Secret)>) {
    let text = match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key);
                flatten(value, path, values);
                path.pop();
            }
            return;
        }
        Value::Null | Value::Array(_) => return,
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
    };
    values.push((path.clone(), Secret::new(text)));
}

fn json_text(tree: &Tree) -> String {
    match tree {
        Tree::Value(value) => Value::from(value.expose()).to_string(),
        Tree::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, tree)| format!("{}:{}", Value::from(key.as_str()), json_text(tree)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}
