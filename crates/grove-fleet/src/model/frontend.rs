//! What learners see: micro-frontends and the theme.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ThemeSource;

/// A micro-frontend that is added, replaced or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mfe {
    /// Whether the site has it.
    pub enabled: bool,
    /// The Git repository that it is built from.
    pub repository: Option<String>,
    /// A branch or tag there.
    pub version: Option<String>,
    /// The port on which its developers serve it, which Tutor tells them apart by.
    pub port: Option<u64>,
}

impl Mfe {
    /// Whether a name, a repository or a version is of signs that mean nothing to Caddy, to a Dockerfile or
    /// to a shell.
    pub fn is_plain(text: &str) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+~".contains(c);
        !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)
    }

    /// Whether a text can be a micro-frontend's name: a part of a path.
    pub fn is_name(text: &str) -> bool {
        let is_sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty() && !text.starts_with('-') && text.chars().all(is_sign)
    }
}

/// The look of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// A theme that the image has, by its directory.
    pub name: Option<String>,
    /// Where it comes from, where the image is built with it.
    pub git: Option<ThemeSource>,
    /// Settings of the theme Indigo, as they are stated.
    pub indigo: Map<String, Value>,
    /// `core` or a variant as `light` → style sheets of micro-frontends.
    pub tokens: BTreeMap<String, Tokens>,
}

/// Style sheets made of design tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Paragon's own.
    pub default: Option<String>,
    /// The brand's, which comes after it.
    pub brand: Option<String>,
}
