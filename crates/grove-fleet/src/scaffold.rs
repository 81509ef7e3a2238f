//! New files: commented, valid, and headed by the line that tells editors their schema.
//!
//! Everything here only makes texts. Whoever writes them must not overwrite what is there.

mod cluster;
mod distribution;
mod fleet;
mod group;
mod instance;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use cluster::{NewCluster, NewInfrastructure, cluster};
pub use distribution::{NewDistribution, distribution};
pub use fleet::{NewFleet, fleet};
pub use group::group;
pub use instance::{NewInstance, instance};

use crate::{schema, shape::FileKind};

/// New files: path from the fleet's root → text.
pub type Files = BTreeMap<String, String>;

/// The first line of a file of a kind.
fn head(kind: FileKind) -> String {
    format!(
        "# yaml-language-server: $schema={}\n",
        schema::address(kind)
    )
}

/// A text as a YAML scalar on one line, whatever is in it.
fn scalar(text: &str) -> String {
    let one_line = text.replace(['\n', '\r'], " ");
    grove_yaml::emit(&one_line.into()).trim_end().to_owned()
}

/// Texts as a YAML list on one line.
fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts = texts.into_iter().map(word).collect::<Vec<_>>();
    format!("[{}]", texts.join(", "))
}

/// A text inside a list or map on one line: in quotes unless it is a plain word.
fn word(text: &str) -> String {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let bare = scalar(text);
    if is_plain || bare.starts_with('"') {
        bare
    } else {
        serde_json::Value::from(text).to_string()
    }
}
