//! One cluster's API server: finding and proving it, applying objects, following Argo CD.
//!
//! - [`Access`] says how a cluster is reached; [`Connection::open`] reaches it and proves that it is
//!   the one that is meant.
//! - [`Connection::apply`] is the one way in which objects are written: server-side apply under
//!   [`FIELD_MANAGER`] with strict validation. A conflict is an error that names the other manager.
//! - Errors name the verb and the resource. A server that cannot be reached is never taken for an
//!   object that is not there.

mod access;
mod apply;
pub mod argo;
pub mod bootstrap;
pub mod bundle;
mod connection;
mod error;
pub mod logs;
pub mod one_off;
pub mod pod;
pub mod teardown;

pub use access::Access;
pub use apply::{Applied, FIELD_MANAGER};
pub use connection::Connection;
pub use error::Error;
