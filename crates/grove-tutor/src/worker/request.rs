//! Requests, as the worker reads them (`worker/grove_worker/child.py`).

use std::collections::{BTreeMap, BTreeSet};

use grove_core::TutorInput;
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The head of a request about one instance. The body is its plugin files, one after the other.
#[derive(Serialize)]
pub(crate) struct Request<'a> {
    op: &'static str,
    config: &'a Map<String, Value>,
    plugins: &'a [String],
    /// Name and length of each.
    plugin_files: Vec<(&'a str, usize)>,
    patches: &'a BTreeMap<String, String>,
    secrets: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    known: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    job: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    image: &'a str,
}

impl<'a> Request<'a> {
    /// A request that needs the instance alone.
    pub(crate) fn new(op: &'static str, input: &'a TutorInput) -> Self {
        Self {
            op,
            config: &input.config,
            plugins: &input.plugins,
            plugin_files: input
                .plugin_files
                .iter()
                .map(|(name, content)| (name.as_str(), content.len()))
                .collect(),
            patches: &input.patches,
            secrets: input.secrets.iter().map(String::as_str).collect(),
            names: Vec::new(),
            known: BTreeMap::new(),
            job: &[],
            image: "",
        }
    }

    /// A request for the scripts of the job that `words` say; for which jobs there are, where they say
    /// none.
    pub(crate) fn job(input: &'a TutorInput, words: &'a [String]) -> Self {
        Self {
            job: words,
            ..Self::new("job", input)
        }
    }

    /// A request for the build context of an image; for which images there are, where it has no name.
    pub(crate) fn image(input: &'a TutorInput, image: &'a str) -> Self {
        Self {
            image,
            ..Self::new("image", input)
        }
    }

    /// A request to make the secrets `names`, where those in `known` exist.
    pub(crate) fn generate(
        input: &'a TutorInput,
        names: &'a BTreeSet<String>,
        known: &'a BTreeMap<String, Zeroizing<String>>,
    ) -> Self {
        Self {
            names: names.iter().map(String::as_str).collect(),
            known: known
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            ..Self::new("generate", input)
        }
    }
}

/// The body of a request about an instance.
pub(crate) fn body(input: &TutorInput) -> Vec<&[u8]> {
    input.plugin_files.values().map(AsRef::as_ref).collect()
}
