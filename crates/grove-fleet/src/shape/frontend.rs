//! `mfes` and `theme`.

use super::table::{Key, Type};

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
        "git",
        Type::Object(&[&[
            Key::new("url", Type::Text, "The repository's address, with `https`.").required(),
            Key::new("rev", Type::Text, "The commit, as 40 hexadecimal digits.").required(),
            Key::new(
                "path",
                Type::Text,
                "The theme's directory in the repository, where it is not the whole.",
            ),
        ]]),
        "Where the theme `name` comes from: it is built into the image `openedx`.",
    ),
    Key::new(
        "indigo",
        Type::Object(&[&[
            Key::new(
                "primary_color",
                Type::Text,
                "Its main colour, as `#15376D`; built into the image.",
            ),
            Key::new(
                "welcome_message",
                Type::Text,
                "What stands on the first page; built into the image.",
            ),
            Key::new(
                "dark_toggle",
                Type::Bool,
                "Whether learners may choose a dark look; built into the image.",
            ),
            Key::new(
                "footer",
                Type::List(&Type::Object(&[&[
                    Key::new("title", Type::Text, "What it is called.").required(),
                    Key::new("url", Type::Text, "Where it leads, as `/about`.").required(),
                ]])),
                "The links at the end of each page.",
            ),
        ]]),
        "Settings of the theme Indigo, of the plugin `indigo`.",
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
