//! Deploys: what the fleet says becomes releases on deploy branches.
//!
//! [`plan::plan`] checks, renders and seals, and writes nothing; carried out, it is one commit a cluster.
//! [`state::plan`] changes what instances do, from the fleet's files to the clusters.
//!
//! ```
//! # let world = grove_example::World::new();
//! # let around = &world.around();
//! use grove_operations::{
//!     consent::Consent,
//!     deploy::{plan::plan, request::Request},
//!     request::Target,
//! };
//!
//! let plan = plan(around, &Request { local: true, ..Request::new(Target::of("alpha/uni")) })?;
//! for row in &plan.outcome().instances {
//!     println!("{}: {:?}", row.instance, row.action);
//! }
//! // Whoever may decide looks at what the plan needs.
//! let consent = Consent::to(plan.needs().clone());
//! let outcome = plan.carry_out(&consent)?;
//! assert_eq!(outcome.instances[0].release, Some(1));
//! # Ok::<(), grove_operations::Error>(())
//! ```
mod carry_out;
mod landed;
mod operational;
pub mod outcome;
pub mod plan;
mod prepare;
pub mod request;
pub mod state;
