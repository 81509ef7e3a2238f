//! Micro-frontends and the theme of an instance.

use grove_yaml::Value;

use super::{
    build,
    read::{below, number, text},
};
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
    Theme {
        name: text(merged, "name"),
        git: merged.get("git").and_then(build::theme_source),
        indigo: below(merged, "indigo")
            .map(|(name, merged)| (name.to_owned(), merged.to_json()))
            .collect(),
        tokens: below(merged, "tokens")
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
