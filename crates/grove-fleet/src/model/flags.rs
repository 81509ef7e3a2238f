//! Feature flags in an instance's database.

use std::collections::BTreeMap;

/// What `flags` says: flags, switches and samples of django-waffle
/// (<https://waffle.readthedocs.io/en/stable/>), by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `flags`.
    pub flags: BTreeMap<String, Flag>,
    /// `switches`: on or off.
    pub switches: BTreeMap<String, bool>,
    /// `samples`: the share of the questions, in percent, that are answered with yes.
    pub samples: BTreeMap<String, u64>,
}

/// For whom a flag is on.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of django-waffle's"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flag {
    /// `everyone`: on or off for all, whatever else is said.
    pub everyone: Option<bool>,
    /// `percent`: for this share of the users.
    pub percent: Option<u64>,
    /// `groups`: for users in these groups.
    pub groups: Vec<String>,
    /// `testing`: for who asks for it with a parameter of the address.
    pub testing: bool,
    /// `superusers`.
    pub superusers: bool,
    /// `staff`.
    pub staff: bool,
    /// `authenticated`: for who is logged in.
    pub authenticated: bool,
}

/// Whether a text can be the name of a flag, a switch or a sample: django-waffle has 100 characters.
pub fn is_flag_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= 100
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
}
