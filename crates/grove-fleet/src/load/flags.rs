//! Feature flags of an instance.

use grove_yaml::Value;

use super::read::{below, flag, list, number};
use crate::{
    layer::Merged,
    model::{Flag, Flags},
};

pub(super) fn flags(merged: &Merged<'_>) -> Flags {
    Flags {
        flags: below(merged, "flags")
            .map(|(name, merged)| (name.to_owned(), one(merged)))
            .collect(),
        switches: below(merged, "switches")
            .filter_map(|(name, value)| match value.node.value {
                Value::Bool(on) => Some((name.to_owned(), on)),
                _ => None,
            })
            .collect(),
        samples: below(merged, "samples")
            .filter_map(|(name, value)| match &value.node.value {
                Value::Number(number) => Some((name.to_owned(), number.as_u64()?)),
                _ => None,
            })
            .collect(),
    }
}

fn one(merged: &Merged<'_>) -> Flag {
    Flag {
        everyone: merged
            .get("everyone")
            .and_then(|value| match value.node.value {
                Value::Bool(on) => Some(on),
                _ => None,
            }),
        percent: number(merged, "percent"),
        groups: list(merged, "groups"),
        testing: flag(merged, "testing"),
        superusers: flag(merged, "superusers"),
        staff: flag(merged, "staff"),
        authenticated: flag(merged, "authenticated"),
    }
}
