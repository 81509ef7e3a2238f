//! `distributions/<name>.yaml`.

use std::collections::BTreeMap;

use super::{Files, head, scalar};
use crate::{layout, shape::FileKind};

/// A distribution to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewDistribution<'a> {
    /// Its name.
    pub name: &'a str,
    /// The Open edX release, lower case.
    pub release: &'a str,
    /// Tutor's version.
    pub tutor: &'a str,
    /// Versions of plugins, by package.
    pub plugins: &'a BTreeMap<String, String>,
}

/// The distribution's file. Its lock is made by `grove lock`.
pub fn distribution(new: NewDistribution<'_>) -> Files {
    let plugins = if new.plugins.is_empty() {
        "# plugins:\n#   tutor-mfe: \"22.1.0\"\n".to_owned()
    } else {
        let lines = new
            .plugins
            .iter()
            .map(|(package, version)| format!("  {}: {}\n", scalar(package), quoted(version)));
        format!("plugins:\n{}", lines.collect::<String>())
    };
    let text = format!(
        "\
{head}# A distribution that was released never changes: a new set is a new name.
release: {release}
# An exact version, quoted, or a commit: {{git: \"https://…\", rev: \"40 hexadecimal digits\"}}.
tutor: {tutor}

# Packages that bring Tutor plugins. Instances choose among these plugins.
{plugins}
# Further packages that the plugins need while rendering.
# packages: {{}}
",
        head = head(FileKind::Distribution),
        release = scalar(new.release),
        tutor = quoted(new.tutor),
    );
    Files::from([(layout::distribution(new.name), text)])
}

/// A version, in quotes even where it looks like none needs them: `22.0` would be a number.
fn quoted(version: &str) -> String {
    serde_json::Value::from(version).to_string()
}
