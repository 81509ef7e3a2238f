//! A root module as its files declare it: variables, outputs, and what else Grove must know.
//!
//! The language is <https://opentofu.org/docs/language/>. Only native syntax is read; a module that
//! also has JSON files (`*.tf.json`) is [`Module::is_partial`].

mod read;
#[cfg(test)]
mod tests;
mod types;

use std::{collections::BTreeMap, ops::Range, path::Path};

pub use read::OWN_ARGUMENTS;
pub use types::Type;

/// What a root module declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// `variable` blocks, by name.
    pub variables: BTreeMap<String, Variable>,
    /// `output` blocks, by name.
    pub outputs: BTreeMap<String, Output>,
    /// `module` blocks, by name.
    pub calls: BTreeMap<String, Call>,
    /// Blocks inside `terraform` that Grove writes itself: `backend`, `cloud`, `encryption`.
    pub owned: Vec<(String, Place)>,
    /// Whether some of its files are JSON, which is not read: more may be declared.
    pub is_partial: bool,
}

/// A place in one of a module's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named to [`Module::read`].
    pub file: String,
    /// Its bytes.
    pub bytes: Range<usize>,
}

/// A `variable` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// What its values may be.
    pub holds: Type,
    /// Whether it has no default.
    pub is_required: bool,
    /// `sensitive`.
    pub is_sensitive: bool,
    /// `description`.
    pub description: Option<String>,
    /// Where it is declared.
    pub place: Place,
}

/// An `output` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `sensitive`.
    pub is_sensitive: bool,
    /// Where it is declared.
    pub place: Place,
}

/// A `module` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `source`, where it is plain text.
    pub source: Option<String>,
    /// Names of its arguments, but for `source`, `version`, `providers`, `count`, `for_each` and `depends_on`.
    pub arguments: Vec<String>,
    /// Where it is declared.
    pub place: Place,
}

/// Text that is not a root module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModuleError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
}

impl Module {
    /// Reads the files of one directory, by name. Files that are neither `*.tf` nor `*.tofu` are stepped
    /// over. As in OpenTofu, `x.tofu` replaces `x.tf`.
    ///
    /// # Errors
    ///
    /// The first thing that cannot be read, or is declared twice, with its place.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, ModuleError> {
        let files: BTreeMap<&str, &[u8]> = files.into_iter().collect();
        let mut module = Self::default();
        for (name, bytes) in &files {
            if name.ends_with(".tf.json") || name.ends_with(".tofu.json") {
                module.is_partial = true;
            }
            let extension = Path::new(name)
                .extension()
                .and_then(|extension| extension.to_str());
            let is_replaced =
                || files.contains_key(format!("{}.tofu", &name[..name.len() - 3]).as_str());
            match extension {
                Some("tf") if !is_replaced() => module.add(name, bytes)?,
                Some("tofu") => module.add(name, bytes)?,
                _ => {}
            }
        }
        Ok(module)
    }
}

impl Module {
    /// The same module, its files named from where `directory` is named from.
    #[must_use]
    pub fn within(mut self, directory: &str) -> Self {
        let variables = self.variables.values_mut().map(|one| &mut one.place);
        let outputs = self.outputs.values_mut().map(|one| &mut one.place);
        let calls = self.calls.values_mut().map(|one| &mut one.place);
        let owned = self.owned.iter_mut().map(|(_, place)| place);
        for place in variables.chain(outputs).chain(calls).chain(owned) {
            place.file = format!("{directory}/{}", place.file);
        }
        self
    }
}

impl ModuleError {
    /// The same error, its file named from where `directory` is named from.
    #[must_use]
    pub fn within(mut self, directory: &str) -> Self {
        self.place.file = format!("{directory}/{}", self.place.file);
        self
    }
}

/// Whether a file's name is one of a module's own files.
pub fn is_module_file(name: &str) -> bool {
    [".tf", ".tofu", ".tf.json", ".tofu.json"]
        .iter()
        .any(|end| name.ends_with(end) && name.len() > end.len())
}
