//! Micro-frontends and the theme of an instance.

use grove_yaml::Value;

use super::instance::{number, text};
use crate::{
    layer::Merged,
    model::{Mfe, Theme, Tokens},
};

pub(super) fn mfe(merged: &Merged<'_>) -> Mfe {
    let is_off = |value: &Merged<'_>| value.node.value == Value::Bool(false);
    Mfe {
        enabled: !merged.get("enabled").is_some_and(is_off),
        repository: text(merged, "repository"),
        version: text(merged, "version"),
        port: number(merged, "port"),
    }
}

pub(super) fn theme(merged: &Merged<'_>) -> Theme {
    let tokens = merged.get("tokens").into_iter().flat_map(Merged::entries);
    Theme {
        name: text(merged, "name"),
        tokens: tokens
            .map(|(variant, merged)| {
                let tokens = Tokens {
                    default: text(merged, "default"),
                    brand: text(merged, "brand"),
                };
                (variant.to_owned(), tokens)
            })
            .collect(),
    }
}
