//! Keys about data: servers of a cluster, and what an instance has on them.

use super::table::{Key, Type};
use crate::model::{Engine, Manage, Mode};

const TLS: Key = Key::new(
    "tls",
    Type::Bool,
    "Whether Open edX itself connects with TLS and not without; services of plugins connect as their templates say.",
);

const HOST: Key = Key::new(
    "host",
    Type::Any,
    "The server's address: a text, or `{output: stack.name}`.",
);

const PORT: Key = Key::new(
    "port",
    Type::Any,
    "The server's port, a number or `{output: stack.name}`; the usual one where nothing is said.",
);

const ENDPOINT: Key = Key::new(
    "endpoint",
    Type::Text,
    "The address of object storage, as `https://fra1.provider.example`; that of AWS where nothing is said.",
);

const REGION: Key = Key::new(
    "region",
    Type::Text,
    "The region, as the provider names it.",
);

const PUBLIC_URL: Key = Key::new(
    "public_url",
    Type::Text,
    "Where browsers find the search engine; the same as `url` where nothing is said.",
);

/// Servers that instances share.
pub(super) const SERVERS: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "engine",
        Type::OneOf(Engine::CHOICES),
        "What it is.",
    )
    .required(),
    Key::new("host", Type::Text, "Its address."),
    Key::new(
        "port",
        Type::Number(1, 65535),
        "Its port; the usual one where nothing is said.",
    ),
    TLS,
    ENDPOINT,
    REGION,
    Key::new(
        "url",
        Type::Text,
        "Where LMS and CMS find a search engine: `http://search.internal:7700`.",
    ),
    PUBLIC_URL,
    Key::new(
        "admin",
        Type::Object(&[&[
            Key::new(
                "user",
                Type::Text,
                "The user who may make users and databases; of object storage the access key. A search engine has none.",
            ),
            Key::new(
                "password",
                Type::Object(&[&[Key::new("secret", Type::Text, "The secret's name.").required()]]),
                "A secret of the cluster, as `{secret: NAME}`, which no instance ever gets; of a search engine its master key.",
            )
            .required(),
        ]]),
        "Who may make users and databases there.",
    ),
]]));

const MODE: Key = Key::new(
    "mode",
    Type::OneOf(Mode::CHOICES),
    "Who runs it; `shared` where a `server` is named, else `in-namespace`, where nothing is said.",
);

const SERVER: Key = Key::new("server", Type::Text, "The cluster's server, by name.");

const MANAGE: Key = Key::new(
    "manage",
    Type::OneOf(Manage::CHOICES),
    "Who makes users and databases: `create` on a server of the cluster, else `external`, where nothing is said.",
);

const USERS: Key = Key::new(
    "users",
    Type::Map(&Type::Text),
    "The user of each application: `openedx`, and plugins. Derived from the identity where nothing is said.",
);

const VOLUME: Key = Key::new(
    "volume",
    Type::Object(&[&[
        Key::new(
            "size",
            Type::Quantity,
            "How large it is. A volume can grow and never shrink.",
        ),
        Key::new(
            "class",
            Type::Text,
            "Its storage class; that of the cluster where nothing is said. It stays as it was made.",
        ),
    ]]),
    "The volume of a service in the namespace.",
);

const fn databases(doc: &'static str) -> Key {
    Key::new("databases", Type::Map(&Type::Any), doc)
}

/// Where an instance's data is.
pub(super) const DATA: Type = Type::Object(&[&[
    Key::new(
        Engine::Mysql.key(),
        Type::Object(&[&[
            MODE,
            SERVER,
            MANAGE,
            HOST,
            PORT,
            TLS,
            databases(
                "The database of each application: `openedx`, and plugins that have one. Derived from the identity where nothing is said.",
            ),
            USERS,
            VOLUME,
        ]]),
        "MySQL.",
    ),
    Key::new(
        Engine::Mongodb.key(),
        Type::Object(&[&[
            MODE,
            SERVER,
            MANAGE,
            HOST,
            PORT,
            TLS,
            databases("The databases of courses, `openedx`, and of the forum, `forum`."),
            USERS,
            VOLUME,
        ]]),
        "MongoDB.",
    ),
    Key::new(
        Engine::Redis.key(),
        Type::Object(&[&[
            MODE,
            SERVER,
            MANAGE,
            HOST,
            PORT,
            databases(
                "The numbers of the two databases: `{celery: 4, cache: 5}`. Instances that share a server have numbers of their own.",
            ),
            USERS,
            VOLUME,
        ]]),
        "Redis.",
    ),
    Key::new(
        Engine::Meilisearch.key(),
        Type::Object(&[&[
            Key::new(
                "mode",
                Type::OneOf(&[
                    Mode::InNamespace.choice(),
                    Mode::Shared.choice(),
                    Mode::External.choice(),
                ]),
                "Who runs it; `shared` where a `server` is named, `external` where `url` is stated.",
            ),
            SERVER,
            MANAGE,
            Key::new(
                "url",
                Type::Text,
                "Where LMS and CMS find an `external` one: `https://search.example.org`.",
            ),
            PUBLIC_URL,
            Key::new(
                "prefix",
                Type::Text,
                "What names of indexes begin with there; made from the namespace where nothing is said.",
            ),
            VOLUME,
        ]]),
        "Meilisearch. On a server of the cluster, `grove secret generate` and `grove data apply` make a key for the indexes of the prefix alone. Of an `external` one whoever runs it makes the key, the secret `MEILISEARCH_API_KEY`; with its identifier as `MEILISEARCH_API_KEY_UID` it needs no right to read keys.",
    ),
    Key::new(
        Engine::S3.key(),
        Type::Object(&[&[
            Key::new("name", Type::Text, "The bucket's name."),
            SERVER,
            MANAGE,
            ENDPOINT,
            REGION,
            Key::new(
                "domain",
                Type::Text,
                "A name that serves the bucket to anybody, such as one of a content delivery network. Without one, addresses of files are signed and expire.",
            ),
        ]]),
        "Where uploaded files are: object storage that speaks S3, with the secrets `OPENEDX_AWS_ACCESS_KEY` and `OPENEDX_AWS_SECRET_ACCESS_KEY`.",
    ),
]]);
