//! Deploys: what the fleet says becomes releases on deploy branches.
//!
//! [`plan::plan`] checks, renders and seals, and writes nothing; carried out, it is one commit a cluster.
//! [`state::plan`] changes what instances do, from the fleet's files to the clusters.
//!
//! ```no_run
//! # fn main() -> grove_operations::Result<()> {
//! # use std::path::Path;
//! use grove_operations::{
//!     Around,
//!     consent::Consent,
//!     deploy::{plan::plan, request::Request},
//!     request::Target,
//! };
//!
//! # let (fleet, cache, launcher) = (Path::new(""), Path::new(""), Path::new(""));
//! # let now = jiff::Timestamp::UNIX_EPOCH;
//! let around = Around::new(fleet, cache, launcher, now);
//! let plan = plan(&around, &Request::new(Target::of("prod/uni")))?;
//! for row in &plan.outcome().instances {
//!     println!("{}: {:?}", row.instance, row.action);
//! }
//! // Whoever may decide looks at what the plan needs.
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! # Ok(())
//! # }
//! ```
mod carry_out;
mod landed;
mod operational;
pub mod outcome;
pub mod plan;
mod prepare;
pub mod request;
pub mod state;
