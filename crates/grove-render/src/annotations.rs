//! Keys of the annotations that rendering sets: ours under [`grove_fleet::PREFIX`], and Argo CD's.

/// The logical name of an object whose name sealing ends in a hash.
pub const NAME: &str = "grove-platform.org/name";
/// `true` on the copy of a configuration object that Jobs read under a stable name.
pub const JOBS_COPY: &str = "grove-platform.org/jobs-copy";
/// The class of a Job: `migrate`, `setup` or `data`.
pub const TASK_CLASS: &str = "grove-platform.org/task-class";

/// On a *data* Job: the engine that it fills. Its name is made of this, not of image and text.
pub const ENGINE: &str = "grove-platform.org/engine";

/// On a Namespace: why its pods may do more than others.
pub(crate) const POD_SECURITY: &str = "grove-platform.org/pod-security";

/// Orders a sync: see the pass `waves`.
pub(crate) const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Marks an object that Argo CD runs at a moment of a sync instead of keeping it.
pub(crate) const HOOK: &str = "argocd.argoproj.io/hook";
/// Leaves an object out of an Application's health.
pub(crate) const IGNORE_HEALTH: &str = "argocd.argoproj.io/ignore-healthcheck";
/// Limits which commits make Argo CD render an Application anew.
pub(crate) const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// Tutor's version, on everything that Tutor makes.
pub(crate) const VERSION: &str = "app.kubernetes.io/version";
