//! `domains` and `site`.

use super::table::{Key, Type};

pub(super) const SITE: Type = Type::Map(&Type::Any);

pub(super) const DOMAINS: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "service",
        Type::Text,
        "The service that answers: a key of `hosts`.",
    )
    .required(),
    Key::new(
        "redirect",
        Type::Bool,
        "Whether it only leads to the service's own name.",
    ),
    Key::new(
        "site",
        SITE,
        "The site configuration of this name: values of Open edX's settings that are others here. `{}` takes back what was set.",
    ),
    Key::new(
        "tenant",
        Type::Text,
        "The tenant of eox-tenant, by its external key, that has `site` as its configuration, in place of Open edX's own site configuration.",
    ),
    Key::new(
        "certificate",
        Type::Object(&[&[
            Key::new(
                "chain",
                Type::Text,
                "The certificate as PEM, and after it those that signed it.",
            )
            .required(),
            Key::new(
                "key",
                Type::Object(&[&[Key::new("secret", Type::Text, "The secret's name.").required()]]),
                "The secret that holds the private key as PEM, as `{secret: NAME}`.",
            )
            .required(),
        ]]),
        "A certificate that somebody else issued, in place of one from cert-manager.",
    ),
]]));
