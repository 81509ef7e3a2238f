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

/// Keys of `theme.indigo`, and what Tutor's plugin calls them.
const INDIGO: [(&str, &str); 4] = [
    ("primary_color", "INDIGO_PRIMARY_COLOR"),
    ("welcome_message", "INDIGO_WELCOME_MESSAGE"),
    ("dark_toggle", "INDIGO_ENABLE_DARK_TOGGLE"),
    ("footer", "INDIGO_FOOTER_NAV_LINKS"),
];

/// The settings of Indigo, for Tutor.
pub(crate) fn indigo(instance: &Instance) -> impl Iterator<Item = (&'static str, Value)> {
    INDIGO.iter().filter_map(|(name, key)| {
        let value = instance.theme.indigo.get(*name)?;
        Some(match (*name, value.as_str()) {
            ("welcome_message", Some(text)) => (*key, in_a_page(text).into()),
            _ => (*key, value.clone()),
        })
    })
}

/// A text as part of a page that Mako makes: nothing in it is a tag or code.
fn in_a_page(text: &str) -> String {
    let sign = |c: char| match c {
        '&' | '<' | '>' | '"' | '\'' | '$' | '%' | '#' | '\\' | '{' | '}' | '\n' => {
            format!("&#{};", u32::from(c))
        }
        c => c.to_string(),
    };
    text.chars().map(sign).collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::indigo;
    use crate::testing;

    #[test]
    fn what_indigo_says_is_no_code() {
        let mut instance = testing::instance();
        instance.theme.indigo = json!({
            "welcome_message": "50 % off: <b>${x}</b>\n## it's {{ Y }} \\",
            "dark_toggle": false,
            "footer": [{"title": "It's \"us\"", "url": "/about"}],
        })
        .as_object()
        .unwrap()
        .clone();
        let found: serde_json::Map<_, _> = indigo(&instance)
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&found).unwrap(), @r#"
        {
          "INDIGO_ENABLE_DARK_TOGGLE": false,
          "INDIGO_FOOTER_NAV_LINKS": [
            {
              "title": "It's \"us\"",
              "url": "/about"
            }
          ],
          "INDIGO_WELCOME_MESSAGE": "50 &#37; off: &#60;b&#62;&#36;&#123;x&#125;&#60;/b&#62;&#10;&#35;&#35; it&#39;s &#123;&#123; Y &#125;&#125; &#92;"
        }
        "#);
    }
}
