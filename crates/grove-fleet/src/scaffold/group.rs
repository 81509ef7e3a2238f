//! `groups/<name>/group.yaml`.

use super::{Files, head};
use crate::{layout, shape::FileKind};

/// The file of a group that shares nothing yet.
pub fn group(name: &str) -> Files {
    let text = format!(
        "\
{head}# What the instances of this group share: any layered key of `instance.yaml`. An instance joins by
# `groups: [{name}]`.
labels: {{}}
# config:
#   CONTACT_EMAIL: help@example.org
",
        head = head(FileKind::Group),
    );
    Files::from([(layout::group(name), text)])
}
