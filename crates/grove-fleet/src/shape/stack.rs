//! Stacks, of clusters and of instances, and where their states are.

use super::table::{Key, Type};
use crate::words::Choice;

/// `state` of a cluster.
pub(super) const STATE: Type = Type::Object(&[&[
    Key::new(
        "backend",
        Type::OneOf(&[
            Choice::now(
                "s3",
                "Objects of a bucket, with lock files beside them: Amazon's, or another server that speaks S3 and knows conditional writes.",
            ),
            Choice::now("pg", "A PostgreSQL database, which `PG_CONN_STR` names."),
            Choice::now("gitlab", "States of a GitLab project."),
            Choice::now(
                "local",
                "Files on this machine: for trying out, since nobody else can lock them.",
            ),
        ]),
        "The back end of OpenTofu.",
    )
    .required(),
    Key::new("bucket", Type::Text, "The bucket, of `s3`."),
    Key::new("region", Type::Text, "The bucket's region; `us-east-1` where nothing is said."),
    Key::new("endpoint", Type::Text, "The address of the server, where it is not Amazon's."),
    Key::new(
        "project",
        Type::Text,
        "The project's address in GitLab's API: `https://gitlab.example.org/api/v4/projects/42`.",
    ),
    Key::new(
        "path",
        Type::Text,
        "The directory of `local`, from the fleet's own and outside of it.",
    ),
    Key::new(
        "encryption",
        Type::Object(&[&[Key::new(
            "secret",
            Type::Text,
            "The secret of the cluster that holds the passphrase, of at least 16 characters.",
        )
        .required()]]),
        "States and plans are encrypted before they leave this machine; OpenTofu only.",
    ),
]]);

/// Environment variable → secret.
pub(super) const CREDENTIALS: Type = Type::Map(&Type::Text);

/// `stacks` of a cluster or an instance.
pub(super) const STACKS: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "inputs",
        Type::Map(&Type::Any),
        "Values of the root module's variables: any value, `{output: stack.name}` for what another stack gave, `{secret: NAME}` for a secret of the stack's owner.",
    ),
    Key::new(
        "outputs",
        Type::Map(&Type::Any),
        "Outputs that the fleet states, for what Grove does not make: any value, or `{secret: NAME}`. Such a stack has no root module.",
    ),
    Key::new(
        "credentials",
        CREDENTIALS,
        "Environment variables of this stack alone, each with the name of a secret of the cluster.",
    ),
    Key::new(
        "key",
        Type::Text,
        "The key of its state in the back end, where one is there already; Grove's own choice is never shared.",
    ),
]]));
