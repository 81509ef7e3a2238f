//! Labels, annotations and names that this crate reads and writes.

/// The prefix of Grove's own annotations.
macro_rules! own {
    ($name:literal) => {
        concat!("grove-platform.org/", $name)
    };
}

/// The logical name of an object whose name ends in a hash.
pub(crate) const NAME: &str = own!("name");
/// Marks the copy of a configuration object that only Jobs read: it keeps its name.
pub(crate) const JOBS_COPY: &str = own!("jobs-copy");
/// What a `SealedSecret` was before: `ConfigMap`, `Secret`, or `env` for values of containers.
pub(crate) const SEALED_FROM: &str = own!("sealed-from");
/// The class of an init task's Job.
pub(crate) const TASK_CLASS: &str = own!("task-class");
/// On a Job of the class *data*: the engine that it fills.
pub(crate) const ENGINE: &str = own!("engine");
/// How often an init task was asked to run again.
pub(crate) const RETRY: &str = own!("retry");
/// Marks configuration of an earlier release that is kept for pods that still name it.
pub(crate) const RETAINED: &str = own!("retained");
/// Marks a Job of the release that a rollback left.
pub(crate) const LEFT_RELEASE: &str = own!("left-release");

/// The controller's annotation for the scope of a `SealedSecret`.
pub(crate) const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";

/// What the name of a variable starts with that carries a secret into a container's texts.
pub(crate) const VARIABLE: &str = "GROVE_SECRET_";
/// The Secret of the values that Jobs read as variables.
pub(crate) const JOBS_ENV: &str = "env-jobs";
