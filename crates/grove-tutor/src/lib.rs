//! Tutor: distributions that are locked and installed, and the worker that renders with them.

mod archive;
pub mod cache;
pub mod environment;
mod error;
mod generator;
mod install;
mod kustomize;
mod local;
pub mod lock;
mod pins;
mod slot;
mod tools;
mod wheels;
mod worker;

pub use cache::{Cache, Progress};
pub use environment::{Environment, environment};
pub use generator::Generator;
pub use kustomize::{KustomizeError, Kustomizer};
pub use lock::lock;
pub use worker::{
    DeclaredSecret, Failure, FailureKind, JobScripts, JobStep, KnownJob, Limits, SecretClass,
    TutorFiles, Worker, WorkerError, WorkerOptions, worker_digest,
};
