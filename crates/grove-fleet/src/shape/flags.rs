//! `flags`.

use super::table::{Key, Type};

pub(super) const FLAGS: Type = Type::Object(&[&[
    Key::new(
        "flags",
        Type::Map(&Type::Object(&[&[
            Key::new(
                "everyone",
                Type::Bool,
                "On or off for all, whatever else is said.",
            ),
            Key::new(
                "percent",
                Type::Number(0, 99),
                "On for this share of the users.",
            ),
            Key::new(
                "groups",
                Type::List(&Type::Text),
                "On for users in these groups of Django, which must be there.",
            ),
            Key::new(
                "testing",
                Type::Bool,
                "On for who asks for it with a parameter of the address.",
            ),
            Key::new("superusers", Type::Bool, "On for superusers."),
            Key::new("staff", Type::Bool, "On for staff."),
            Key::new("authenticated", Type::Bool, "On for who is logged in."),
        ]])),
        "Flags, by name.",
    ),
    Key::new(
        "switches",
        Type::Map(&Type::Bool),
        "Switches, by name: on or off.",
    ),
    Key::new(
        "samples",
        Type::Map(&Type::Number(0, 100)),
        "Samples, by name: the share, in percent, that is answered with yes.",
    ),
]]);
