//! What goes into Tutor for one instance, and what comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Everything that Tutor is told about one instance. It holds no secret: [`Self::secrets`] are
/// placeholders.
#[derive(Clone, Debug, Default)]
pub struct TutorInput {
    /// The whole of `config.yml`, but for the JWT key, of which the worker brings a throw-away.
    pub config: Map<String, Value>,
    /// Plugins to enable, by Tutor's names.
    pub plugins: Vec<String>,
    /// Plugins that are files, by file name (`shop.py`, `shop.yml`).
    pub plugin_files: BTreeMap<String, Arc<[u8]>>,
    /// Text for Tutor's patches, by patch name; literal, never a template.
    pub patches: BTreeMap<String, String>,
    /// The keys whose value in `config` is the placeholder `@@NAME@@`.
    pub secrets: BTreeSet<String>,
}

/// One of Tutor's init tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The service whose image runs it; the template Job is `<service>-job`.
    pub service: String,
    /// Tutor's app context that declared it (`mysql`, `lms`, a plugin's name), where known.
    pub app: Option<String>,
    /// The script, rendered.
    pub text: String,
}

/// What Tutor and Kustomize made of a [`TutorInput`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TutorOutput {
    /// Kubernetes objects, as Kustomize printed them.
    pub objects: Vec<Value>,
    /// Init tasks in the order in which Tutor runs them.
    pub tasks: Vec<Task>,
    /// Names in the `configMapGenerator`s: their objects carry a content hash as suffix.
    pub generators: BTreeSet<String>,
    /// Tutor's version, as `22.0.3`.
    pub tutor_version: String,
}
