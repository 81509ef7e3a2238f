//! A real Kubernetes control plane with Argo CD on loopback, without a container engine.
//!
//! [`ControlPlane::start`] starts etcd, the API server, Kubernetes' controllers and scheduler, KWOK
//! (simulated nodes and pods), Redis, and a *player*. What runs in a real cluster as pods runs here as
//! processes beside it: KWOK says that the pods are ready, and the player starts the real program of
//! each workload that it knows (Argo CD's components, the controller of Sealed Secrets) as soon as
//! the workload is in the API server, with the token of its service account and its variables. It
//! also answers for what a cloud and cert-manager would do: addresses of Ingresses and Services,
//! Certificates with their Secrets.
//!
//! A marker in a container's image, command, arguments or variables makes its pod fail:
//!
//! | marker | the pod |
//! |---|---|
//! | `simulate-fail` | ends with exit code 1 |
//! | `simulate-hang` | runs for ever, where it is a Job's |
//! | `simulate-crash` | restarts again and again |
//! | `simulate-unready` | runs and never becomes ready |
//!
//! **Programs come from pinned Go modules and are built once; nothing is downloaded as a binary but
//! Redis, which the machine's packages bring.**

mod error;
mod install;
mod parts;
mod plane;
mod player;
mod process;
mod programs;

pub use error::Error;
pub use install::fill_bundle;
pub use plane::{ControlPlane, Install, Options};
pub use player::play;
pub use programs::{
    ALL, ARGO_CD_BEFORE_MODULE, ARGO_CD_MODULE, CERT_MANAGER_MODULE, KWOK_MODULE, Module, Program,
    Programs, SEALED_SECRETS_MODULE, VELERO_MODULE,
};
