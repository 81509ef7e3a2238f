//! `grove.yaml`.

use super::{
    layered,
    table::{Key, Shape, Type},
};

pub(super) static SHAPE: Shape = Shape {
    path: "grove.yaml",
    doc: "The fleet: its name, where deploy trees go, its rings, and what every instance starts from.",
    keys: &[KEYS],
};

const KEYS: &[Key] = &[
    Key::new(
        "version",
        Type::Exactly(1),
        "The version of the fleet's format. This one is 1.",
    )
    .required(),
    Key::new(
        "name",
        Type::Text,
        "The fleet's name: lower-case letters, digits and dashes.",
    )
    .required(),
    Key::new(
        "deploy",
        Type::Object(&[&[Key::new(
            "remote",
            Type::Text,
            "A Git URL or path. `{cluster}` in it stands for the cluster's name; without it, all clusters share one repository. The branch is `deploy/<cluster>`.",
        )
        .required()]]),
        "Where the deploy trees go.",
    )
    .required(),
    Key::new(
        "registry",
        Type::Object(&[&[
            Key::new(
                "push",
                Type::Text,
                "The registry and path under which images of this fleet live.",
            )
            .required(),
            Key::new(
                "pull_secret",
                Type::Text,
                "The name of the secret with which clusters pull images: a Docker configuration file, as `docker login` writes it. Each instance needs it among its secrets, best from its cluster's.",
            ),
        ]]),
        "The registry of this fleet's own images.",
    ),
    Key::new(
        "published_key",
        Type::Text,
        "A file of the fleet that holds the private key of its secrets, for a fleet that anyone may read, such as an example. No instance of it may be in production.",
    ),
    Key::new(
        "rings",
        Type::List(&Type::Object(&[&[
            Key::new("name", Type::Text, "The ring's name.").required(),
            Key::new(
                "defaults",
                Type::Object(&[layered::KEYS]),
                "What the ring's instances get on top of the fleet's defaults: any layered key of `instance.yaml`.",
            ),
        ]])),
        "Stages through which a change reaches the instances, the first one first.",
    ),
    Key::new(
        "defaults",
        Type::Object(&[layered::RING, layered::KEYS]),
        "What every instance starts from: any layered key of `instance.yaml`.",
    ),
];
