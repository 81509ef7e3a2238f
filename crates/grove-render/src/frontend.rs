//! Micro-frontends and design tokens, in Tutor's terms.

use grove_fleet::model::{Instance, Tokens};
use serde_json::{Map, Value, json};

use crate::python;

/// The name of the plugin that changes which micro-frontends there are.
pub(crate) const PLUGIN: &str = "grove-mfes";

/// Tutor's patch for settings of micro-frontends, in production and elsewhere.
const PATCH: &str = "mfe-lms-common-settings";

/// The setting of micro-frontends that has the addresses of style sheets.
const SETTING: &str = "PARAGON_THEME_URLS";

/// The plugin, where the fleet says something of micro-frontends.
pub(crate) fn plugin(instance: &Instance) -> Option<String> {
    if instance.mfes.is_empty() {
        return None;
    }
    let wanted: Map<String, Value> = instance
        .mfes
        .iter()
        .map(|(name, mfe)| {
            let mut fields = Map::new();
            for (key, text) in [("repository", &mfe.repository), ("version", &mfe.version)] {
                if let Some(text) = text {
                    fields.insert(key.to_owned(), text.as_str().into());
                }
            }
            if let Some(port) = mfe.port {
                fields.insert("port".to_owned(), port.into());
            }
            (
                name.clone(),
                json!({"enabled": mfe.enabled, "fields": fields}),
            )
        })
        .collect();
    let wanted = python::string(&Value::from(wanted).to_string());
    Some(include_str!("frontend/mfes.py").replace("@WANTED@", &wanted))
}

/// The addresses of style sheets: the patch, and its text
/// (<https://github.com/openedx/frontend-platform/blob/master/docs/how_tos/theming.md>).
pub(crate) fn settings(instance: &Instance) -> Option<(&'static str, String)> {
    let tokens = &instance.theme.tokens;
    if tokens.is_empty() {
        return None;
    }
    let mut addresses = Map::new();
    let mut variants = Map::new();
    let mut defaults = Map::new();
    for (name, tokens) in tokens {
        if name == "core" {
            addresses.insert(name.clone(), urls(tokens));
        } else {
            variants.insert(name.clone(), urls(tokens));
            defaults.insert(name.clone(), name.as_str().into());
        }
    }
    if !variants.is_empty() {
        addresses.insert("defaults".to_owned(), defaults.into());
        addresses.insert("variants".to_owned(), variants.into());
    }
    let addresses = python::literal(&addresses.into());
    // Tutor 22 has a second place, for the micro-frontends that are parts of one site.
    let text = format!(
        "MFE_CONFIG[\"{SETTING}\"] = {addresses}\n\
         if \"FRONTEND_SITE_CONFIG\" in globals():\n    \
             FRONTEND_SITE_CONFIG[\"commonAppConfig\"][\"{SETTING}\"] = MFE_CONFIG[\"{SETTING}\"]\n"
    );
    Some((PATCH, text))
}

fn urls(tokens: &Tokens) -> Value {
    let mut urls = Map::new();
    for (key, address) in [
        ("default", &tokens.default),
        ("brandOverride", &tokens.brand),
    ] {
        if let Some(address) = address {
            urls.insert(key.to_owned(), address.as_str().into());
        }
    }
    json!({"urls": urls})
}
