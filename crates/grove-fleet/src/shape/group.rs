//! `groups/<name>/group.yaml`.

use super::{layered, table::Shape};

pub(super) static SHAPE: Shape = Shape {
    path: "groups/*/group.yaml",
    doc: "Settings that several instances share. An instance names its groups; of two groups, the later one wins.",
    keys: &[layered::RING, layered::KEYS],
};
