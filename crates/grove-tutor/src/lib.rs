//! Tutor: distributions that are locked and installed, and the worker that renders with them.

mod archive;
pub mod cache;
pub mod environment;
mod kustomize;
pub mod lock;
mod worker;

pub use cache::{Cache, Progress};
pub use environment::{Environment, environment};
pub use kustomize::{KustomizeError, Kustomizer};
pub use lock::lock;
pub use worker::{
    DeclaredSecret, Failure, FailureKind, Generator, JobScripts, JobStep, KnownJob, Limits,
    SecretClass, TutorFiles, Worker, WorkerError, WorkerOptions, worker_digest,
};
