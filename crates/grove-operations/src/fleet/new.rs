//! New distributions, groups and instances: commented, valid files. Nothing that is there is overwritten.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, consent::Consent, fleet::new::group};
//! # fn example(around: &Around) -> Result<()> {
//! let request = group::Request {
//!     id: None,
//!     name: "unis".to_owned(),
//! };
//! let outcome = group::plan(around, &request)?.carry_out(&Consent::none())?;
//! assert_eq!(outcome.files, ["groups/unis/group.yaml"]);
//! # Ok(())
//! # }
//! ```

pub mod distribution;
pub mod files;
pub mod group;
pub mod instance;
