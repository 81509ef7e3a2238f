//! `grove.yaml` and what belongs beside it.

use super::{Files, head, list, scalar};
use crate::{layout, shape::FileKind};

/// A fleet to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewFleet<'a> {
    /// Its name.
    pub name: &'a str,
    /// The pattern of its deploy remotes.
    pub remote: &'a str,
    /// The age recipients that may read its secrets; none leaves `.sops.yaml` to the operator.
    pub recipients: &'a [&'a str],
}

/// `grove.yaml`, and `.sops.yaml` where a recipient is known.
pub fn fleet(new: NewFleet<'_>) -> Files {
    let mut files = Files::new();
    files.insert(
        layout::FLEET.to_owned(),
        format!(
            "\
{head}version: 1
name: {name}

# Where the deploy trees go: one repository a cluster, or one for all without `{{cluster}}`.
# The branch is `deploy/<cluster>`.
deploy:
  remote: {remote}

# Changes reach the instances ring by ring, the first one first. A ring is a layer of defaults.
rings:
  - name: canary
  - name: general

# What every instance has unless its ring, its cluster, a group or it itself says otherwise.
defaults:
  ring: general
  # config:
  #   CONTACT_EMAIL: ops@example.org
",
            head = head(FileKind::Fleet),
            name = scalar(new.name),
            remote = scalar(new.remote),
        ),
    );
    if !new.recipients.is_empty() {
        files.insert(
            ".sops.yaml".to_owned(),
            format!(
                "\
# Who may read which secrets. The first rule whose path matches decides.
creation_rules:
  - path_regex: secrets\\.sops\\.yaml$
    key_groups:
      - age: {recipients}
",
                recipients = list(new.recipients.iter().copied()),
            ),
        );
    }
    files
}
