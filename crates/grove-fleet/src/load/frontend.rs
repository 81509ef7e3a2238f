//! Micro-frontends and the theme of an instance.

use grove_yaml::Value;

use super::{
    build,
    instance::{number, text},
};
use crate::{
    layer::Merged,
    model::{Mfe, Theme, Tokens},
};

/// Keys of `theme.indigo`, and what Tutor's plugin calls them.
const INDIGO: [(&str, &str); 4] = [
    ("primary_color", "INDIGO_PRIMARY_COLOR"),
    ("welcome_message", "INDIGO_WELCOME_MESSAGE"),
    ("dark_toggle", "INDIGO_ENABLE_DARK_TOGGLE"),
    ("footer", "INDIGO_FOOTER_NAV_LINKS"),
];

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
    let indigo = merged.get("indigo").into_iter().flat_map(Merged::entries);
    Theme {
        name: text(merged, "name"),
        git: merged.get("git").and_then(build::theme_source),
        indigo: indigo
            .filter_map(|(name, merged)| {
                let (_, key) = INDIGO.iter().find(|(known, _)| *known == name)?;
                Some(((*key).to_owned(), merged.to_json()))
            })
            .collect(),
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
