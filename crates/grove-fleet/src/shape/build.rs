//! `build`.

use super::table::{Key, Type};

pub(super) const BUILD: Type = Type::Object(&[&[
    Key::new(
        "index",
        Type::Text,
        "An index of Python packages that is asked before PyPI, with `https`.",
    ),
    Key::new(
        "credentials",
        Type::Map(&Type::Object(&[&[
            Key::new("user", Type::Text, "Who asks.").required(),
            Key::new(
                "password",
                Type::Object(&[&[Key::new("secret", Type::Text, "The secret's name.").required()]]),
                "The secret that has the password or the token, as `{secret: NAME}`.",
            )
            .required(),
        ]])),
        "For package indexes and Git repositories that are not public, by host. They reach a build as a secret of its own and stay in no image.",
    ),
]]);
