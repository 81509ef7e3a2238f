//! `mfes` and `theme`.

use super::{Key, Type};

pub(super) const MFES: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "enabled",
        Type::Bool,
        "`false` leaves it out; it is there where nothing is said.",
    ),
    Key::new(
        "repository",
        Type::Text,
        "The Git repository that it is built from, in place of Tutor's.",
    ),
    Key::new("version", Type::Text, "A branch or tag there."),
    Key::new(
        "port",
        Type::Number(1024, 65535),
        "Where its developers serve it; one that Tutor does not know needs a port of its own.",
    ),
]]));

pub(super) const THEME: Type = Type::Object(&[&[
    Key::new(
        "name",
        Type::Text,
        "A theme that the image has, by its directory: for the names of the LMS and the CMS.",
    ),
    Key::new(
        "tokens",
        Type::Map(&Type::Object(&[&[
            Key::new(
                "default",
                Type::Text,
                "The address of Paragon's own style sheet.",
            ),
            Key::new(
                "brand",
                Type::Text,
                "The address of the brand's style sheet, which comes after it.",
            ),
        ]])),
        "Style sheets of micro-frontends, made of design tokens: `core`, and variants as `light` and `dark`.",
    ),
]]);
