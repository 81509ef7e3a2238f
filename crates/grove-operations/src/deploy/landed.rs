//! The first outcome of a deploy that was carried out before, read from the deploy branch.

use grove_fleet::Address;
use grove_release::{DeployBranch, Landed};

use super::{
    outcome::{Action, Row},
    prepare::{Change, Item},
};
use crate::{
    Around, Result,
    release::{frozen, landed},
};

/// What became of an instance when a commit was made; nothing more is written of it.
pub(super) fn item(
    around: &Around,
    branch: &DeployBranch,
    landed: &Landed,
    address: &Address,
) -> Result<Item> {
    let name = &address.instance;
    let mut row = Row {
        instance: address.to_string(),
        action: Action::Unchanged,
        release: None,
        commit: None,
        added: 0,
        changed: 0,
        removed: 0,
        secrets: Default::default(),
        reason: None,
    };
    if let Some(made) = landed::made(branch, landed, address)? {
        row.action = Action::Released;
        row.release = Some(made.record.release);
        row.commit = Some(landed.commit);
        row.added = made.diff.added.len();
        row.changed = made.diff.changed.len();
        row.removed = made.diff.removed.len();
        row.secrets = made.secrets;
    } else {
        let then = branch.view_at(landed.commit)?;
        row.release = then.latest(name)?.map(|record| record.release);
        if let Some(hold) = then.hold(name)? {
            row.action = Action::Held;
            row.reason = Some(hold.reason);
        } else if let Some(freeze) = frozen::in_force(&then, address, around.now())? {
            row.action = Action::Frozen;
            row.reason = Some(frozen::described(&freeze));
        }
    }
    let change = Change::Note {
        instance: name.clone(),
        thawed: None,
        sealed: None,
    };
    Ok(Item { row, change })
}
