//! What is frozen: deploys pass it over, and everything else that would release is refused.

use grove_fleet::Address;
use grove_release::{Freeze, View};

use jiff::Timestamp;

use crate::{Error, Result};

/// The freeze of an instance that is in force, as the deploy branch has it.
pub fn in_force(view: &View<'_>, address: &Address, now: Timestamp) -> Result<Option<Freeze>> {
    let freeze = view.freeze(&address.instance)?;
    Ok(freeze.filter(|freeze| !freeze.is_over(now)))
}

/// Refuses to release to an instance that is frozen.
pub fn refuse_frozen(view: &View<'_>, address: &Address, now: Timestamp) -> Result<()> {
    match in_force(view, address, now)? {
        None => Ok(()),
        Some(freeze) => Err(
            Error::refused(format!("{address} is {}", described(&freeze)))
                .hint(format!("`grove unfreeze {address}` ends the freeze")),
        ),
    }
}

/// A freeze in words.
pub fn described(freeze: &Freeze) -> String {
    format!(
        "frozen until {}: {} ({})",
        freeze.until.strftime("%Y-%m-%d %H:%M UTC"),
        freeze.reason,
        freeze.by
    )
}
