//! `clusters/<cluster>/instances/<instance>/instance.yaml`.

use super::{
    layered,
    table::{Key, Shape, Type},
};

pub(super) static SHAPE: Shape = Shape {
    path: "clusters/*/instances/*/instance.yaml",
    doc: "One Open edX site on one cluster.",
    keys: &[OWN, layered::RING, layered::KEYS],
};

/// What an instance must have once its layers are merged, as paths.
pub const REQUIRED: &[&[&str]] = &[
    &["client"],
    &["environment"],
    &["distribution"],
    &["hosts", "lms"],
    &["hosts", "cms"],
];

const OWN: &[Key] = &[
    Key::new(
        "identity",
        Type::Object(&[&[
            Key::new(
                "namespace",
                Type::Text,
                "The instance's namespace, its alone on the cluster.",
            )
            .required(),
            Key::new(
                "id",
                Type::Text,
                "Tutor's `ID`: 24 letters and digits, part of labels that can never change.",
            )
            .required(),
        ]]),
        "Written once, by `grove new instance`. A change is refused.",
    )
    .required(),
    Key::new(
        "groups",
        Type::List(&Type::Text),
        "The groups whose settings it shares; of two groups, the later one wins.",
    ),
];
