//! What the files of a fleet cannot say about themselves.

use std::collections::BTreeMap;

use grove_fleet::{Address, model::Identity};
use jiff::Timestamp;

/// What lies outside the snapshot; rules that need what is not given stay silent.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time, for the ends of certificates.
    pub now: Option<Timestamp>,
    /// What the deploy branches hold.
    pub released: Option<Released>,
}

/// What was released so far.
#[derive(Clone, Debug, Default)]
pub struct Released {
    /// Every instance that has a release.
    pub instances: BTreeMap<Address, ReleasedInstance>,
    /// Every distribution that a release was made with, by name.
    pub distributions: BTreeMap<String, ReleasedDistribution>,
}

/// The last release of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedInstance {
    /// The release's number as its record has it, such as `0007`.
    pub release: String,
    /// The identity that it was released with.
    pub identity: Identity,
}

/// A distribution that was released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedDistribution {
    /// [`Distribution::input`](grove_fleet::model::Distribution::input) at that time.
    pub input: String,
    /// An instance that was released with it.
    pub by: Address,
}
