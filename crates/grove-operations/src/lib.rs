//! Everything that Grove does, as functions of a request and of what is around it.
//!
//! The command line calls these functions, and so may a server, a hook or a step of a workflow.
//!
//! - A **request** says what is to be done. It is plain data, with a JSON Schema, and holds what a remote caller
//!   may choose and nothing of the machine.
//! - [`Around`] is what comes from the process: the fleet's directory, caches, programs, keys, kubeconfigs, the
//!   clock, the author, and who listens.
//! - A verb that reads is a function `read` of the two, and gives an **outcome**: plain data, too.
//! - A verb that writes begins with a **plan**, which reads, renders, seals and compares, and writes nothing. It
//!   says what it [needs](consent::Needs): that many instances are touched, that volumes go. Carried out with a
//!   [consent](consent::Consent) to that, it writes and gives its outcome.
//!
//! ```
//! use grove_operations::{consent::Consent, release::rollback};
//!
//! # let mut world = grove_example::World::deployed();
//! # world.site("alpha/uni").value = 2;
//! # world.deploy(grove_operations::request::Target::of("alpha/uni"))?;
//! # let around = &world.around();
//! let request: rollback::Request =
//!     serde_json::from_str(r#"{"id": "night-1", "instance": "alpha/uni"}"#).expect("a request");
//!
//! let plan = rollback::plan(around, &request)?;
//! for need in plan.needs().iter() {
//!     println!("{}", need.refusal());
//! }
//! // Here someone decides.
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! println!("{} runs release {}", outcome.instance, outcome.release);
//! # Ok::<(), grove_operations::Error>(())
//! ```
//!
//! # Asking twice
//!
//! A request that writes has a name, [`request::RequestId`]. The same request again, after a lost answer or by two
//! processes at once, gives the first outcome and does nothing: its plan needs no consent. Another request of that
//! name is refused.
//!
//! What writes to deploy branches leaves its name in the records and commits that it makes, where every machine
//! finds it. Of all else, and of what changed nothing there, the outcome is kept in the cache
//! ([`Around::cache_directory`]), for each directory of a fleet by itself and for 30 days. Only what was done in whole is
//! kept: where a part failed or the process was killed, the same request again goes on, as each step looks first
//! and then does. No value of a secret is kept: [`secrets::set`] says that the value was set, and
//! [`stacks::output`] reads the values again. Requests without a name, and without a cache, are carried out each
//! time.
//!
//! # Ending
//!
//! [`Around::token`] ends an operation from another thread: programs that it started, waits for clusters and
//! locks. What was pushed by then is in the outcome. Operations of other tokens go on.
//!
//! # Threads
//!
//! Operations are synchronous and may run beside each other. Async code calls them through `spawn_blocking`; on a
//! thread that drives a runtime they give an error.
//!
//! # Errors
//!
//! An [`Error`] says what happened, why, and what to do next. Its [`Kind`] says whose fault it is. Needs that
//! were not agreed to, conflicts with others, holds and freezes are [`Kind::Refused`].

mod around;
pub mod check;
pub mod cluster;
pub mod consent;
pub mod deploy;
mod error;
mod event;
pub(crate) mod files;
pub mod fleet;
pub mod images;
pub mod jobs;
pub mod machine;
pub(crate) mod place;
pub(crate) mod reach;
pub mod release;
pub mod render;
pub mod request;
pub(crate) mod requests;
pub mod secrets;
pub mod shared;
pub mod stacks;
pub mod state;
pub mod status;
pub mod text;
pub(crate) mod threads;

pub use around::{Around, Branches, Checker, Clock, Clusters, Instead, Renderer};
pub use error::{Error, Kind, Result};
pub use event::{Doing, Event, Listener, Recorder, Silent};
pub use grove_exec::Token;
