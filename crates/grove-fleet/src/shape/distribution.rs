//! `distributions/<name>.yaml`.

use super::table::{Key, Shape, Type};

pub(super) static SHAPE: Shape = Shape {
    path: "distributions/*.yaml",
    doc: "A named, locked set of Tutor, plugins and packages. Once released it never changes: a new set is a new name.",
    keys: &[KEYS],
};

/// A version, or a commit of a Git repository.
pub(super) const REQUIREMENT: Type = Type::Either(
    &Type::Text,
    &Type::Object(&[&[
        Key::new("git", Type::Text, "The repository's URL.").required(),
        Key::new("rev", Type::Text, "The commit, as 40 hexadecimal digits.").required(),
    ]]),
);

const KEYS: &[Key] = &[
    Key::new(
        "release",
        Type::Text,
        "The Open edX release that this Tutor installs, in lower case: `verawood`.",
    )
    .required(),
    Key::new(
        "tutor",
        REQUIREMENT,
        "Tutor: an exact version, quoted, or a commit.",
    )
    .required(),
    Key::new(
        "plugins",
        Type::Map(&REQUIREMENT),
        "Packages that bring Tutor plugins, by package name. Instances choose among these plugins.",
    ),
    Key::new(
        "packages",
        Type::Map(&REQUIREMENT),
        "Further packages that the plugins need while rendering, by package name.",
    ),
];
