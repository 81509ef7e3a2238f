//! What images are built with.

use super::read::text;
use crate::{
    layer::Merged,
    model::{Build, Login, Requirement, ThemeSource},
};

/// Reads `packages` and `build` of an instance.
pub(super) fn build(merged: &Merged<'_>) -> Build {
    let below = |path: &[&str]| merged.at(path).into_iter().flat_map(Merged::entries);
    Build {
        packages: below(&["packages"])
            .filter_map(|(name, merged)| Some((name.to_owned(), requirement(merged)?)))
            .collect(),
        index: merged.get("build").and_then(|build| text(build, "index")),
        credentials: below(&["build", "credentials"])
            .filter_map(|(host, merged)| {
                let login = Login {
                    user: text(merged, "user")?,
                    password: text(merged.get("password")?, "secret")?,
                };
                Some((host.to_owned(), login))
            })
            .collect(),
    }
}

fn requirement(merged: &Merged<'_>) -> Option<Requirement> {
    if let Some(version) = merged.as_str() {
        return Some(Requirement::Version(version.to_owned()));
    }
    Some(Requirement::Git {
        git: text(merged, "git")?,
        rev: text(merged, "rev")?,
    })
}

/// Reads `theme.git`.
pub(super) fn theme_source(merged: &Merged<'_>) -> Option<ThemeSource> {
    Some(ThemeSource {
        url: text(merged, "url")?,
        rev: text(merged, "rev")?,
        path: text(merged, "path").unwrap_or_default(),
    })
}
