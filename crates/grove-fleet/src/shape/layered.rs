//! The keys that every layer may give: fleet, ring, cluster, group and instance.

use super::{
    build, data, distribution, domain, flags, frontend, stack,
    table::{Key, Type},
    workload,
};
use crate::{
    model::{Encryption, Environment, PodSecurityLevel, Role, State},
    words::Choice,
};

/// The one layered key that a ring cannot give itself.
pub(super) const RING: &[Key] = &[Key::new(
    "ring",
    Type::Text,
    "The ring whose defaults it gets. Of the layers, the last one that names a ring decides.",
)
.layered()];

/// Settings of one service, or of both.
const SETTINGS: Type = Type::Object(&[&[
    Key::new(
        "features",
        Type::Map(&Type::Bool),
        "Feature flags of Open edX, by name.",
    ),
    Key::new(
        "settings",
        Type::Map(&Type::Any),
        "Django settings, by name.",
    ),
    Key::new(
        "production",
        Type::Text,
        "Python that is added to the end of the production settings.",
    ),
]]);

/// Who sends mail.
const MAIL: Type = Type::Object(&[&[
    Key::new("host", Type::Text, "The relay's address."),
    Key::new(
        "port",
        Type::Number(1, 65535),
        "The relay's port; 587, and 465 with `tls`, where nothing is said.",
    ),
    Key::new(
        "encryption",
        Type::OneOf(Encryption::CHOICES),
        "How the connection is protected; `starttls` where nothing is said.",
    ),
    Key::new("user", Type::Text, "The user's name at the relay."),
    Key::new(
        "password",
        Type::Object(&[&[Key::new("secret", Type::Text, "The secret's name.").required()]]),
        "The secret that holds the password, as `{secret: NAME}`; `SMTP_PASSWORD` where nothing is said.",
    ),
    Key::new(
        "from",
        Type::Text,
        "The sender of everything that Open edX sends; `CONTACT_EMAIL` where nothing is said.",
    ),
]]);

pub(super) const KEYS: &[Key] = &[
    Key::new("client", Type::Text, "Whom the instance belongs to.").layered(),
    Key::new(
        "environment",
        Type::OneOf(Environment::CHOICES),
        "What the instance is for.",
    )
    .layered(),
    Key::new(
        "labels",
        Type::Map(&Type::Text),
        "Names and values of the operator's own, for `-l name=value`.",
    )
    .layered(),
    Key::new(
        "distribution",
        Type::Text,
        "The distribution that it runs, by name.",
    )
    .layered(),
    Key::new(
        "hosts",
        Type::Map(&Type::Text),
        "The name of each service that is served: `lms`, `cms`, `mfe`, and what plugins add.",
    )
    .layered(),
    Key::new(
        "domains",
        domain::DOMAINS,
        "Further names, each with a certificate of its own.",
    )
    .layered(),
    Key::new(
        "site",
        domain::SITE,
        "The site configuration of the LMS's own name: values of Open edX's settings that the database has. `{}` takes back what was set.",
    )
    .layered(),
    Key::new(
        "plugins",
        Type::Map(&Type::Object(&[&[]])),
        "The Tutor plugins that are on, by Tutor's name for them: `{mfe: {}}`. `null` turns one off that an earlier layer turned on.",
    )
    .layered(),
    Key::new(
        "config",
        Type::Map(&Type::Any),
        "Values of Tutor's own keys, but for those that Grove owns: hosts, plugins, images, the namespace and the ID.",
    )
    .layered(),
    Key::new(
        "env",
        Type::Object(&[&[
            Key::new("common", SETTINGS, "For LMS and CMS."),
            Key::new("lms", SETTINGS, "For the LMS."),
            Key::new("cms", SETTINGS, "For the CMS."),
        ]]),
        "Settings of Open edX.",
    )
    .layered(),
    Key::new(
        "images",
        Type::Map(&Type::Object(&[&[
            Key::new(
                "ref",
                Type::Text,
                "The image, best with its digest: `registry/name@sha256:…`.",
            ),
            Key::later("build", "`auto` builds the image."),
        ]])),
        "Images that replace Tutor's, by component: `openedx`, `mfe`, and what plugins add.",
    )
    .layered(),
    Key::new(
        "data",
        data::DATA,
        "Where the instance's data is, and who runs the servers.",
    )
    .layered(),
    Key::new(
        "state",
        Type::OneOf(&[State::Active.choice(), State::Maintenance.choice(), State::Stopped.choice(), Choice::later("archived", "It may be destroyed.")]),
        "What the instance does.",
    )
    .layered(),
    Key::new(
        "access",
        Type::Map(&Type::OneOf(Role::CHOICES)),
        "Who may do what with the instance in Argo CD: a group of the identity provider → its role.",
    )
    .layered(),
    Key::new(
        "stacks",
        stack::STACKS,
        "The instance's stacks by name: those that Grove has for the cluster's provider, and what the operator's own (`stacks/NAME/*.tf`) need.",
    )
    .layered(),
    Key::new("mail", MAIL, "The relay that sends mail, in place of Tutor's own.").layered(),
    Key::new(
        "maintenance",
        workload::MAINTENANCE,
        "What is answered while `state` is `maintenance`.",
    )
    .layered(),
    Key::new(
        "resources",
        workload::RESOURCES,
        "What each workload needs, by its name: `lms`, `cms`, `lms-worker`, `cms-worker`, `caddy`, `mysql` and so on, and what plugins add.",
    )
    .layered(),
    Key::new(
        "autoscaling",
        workload::AUTOSCALING,
        "Workloads whose number of pods follows their load, by name.",
    )
    .layered(),
    Key::new(
        "workers",
        workload::WORKERS,
        "Further workers for some queues, by name: `{grades: {queues: [edx.lms.core.high_mem]}}` is the workload `lms-worker-grades`, and the queue is no longer the first worker's.",
    )
    .layered(),
    Key::new("cron", workload::CRON, "Jobs by schedule, by name.").layered(),
    Key::new(
        "network",
        workload::NETWORK,
        "What reaches the instance's pods, and what they reach.",
    )
    .layered(),
    Key::new(
        "quota",
        workload::QUOTA,
        "How much the instance may use of the cluster.",
    )
    .layered(),
    Key::new(
        "flags",
        flags::FLAGS,
        "Feature flags in the database: flags, switches and samples of django-waffle. One that is taken out is deleted where Grove made it; without this key, none is touched.",
    )
    .layered(),
    Key::new(
        "pod_security",
        Type::Object(&[&[
            Key::new(
                "level",
                Type::OneOf(PodSecurityLevel::CHOICES),
                "The level that the namespace enforces.",
            ),
            Key::new("reason", Type::Text, "Why it is `privileged`: which part needs it."),
        ]]),
        "What the instance's pods may do on their nodes; `baseline` where nothing is said.",
    )
    .layered(),
    Key::new(
        "mfes",
        frontend::MFES,
        "Micro-frontends that are added, replaced or left out, by their names in addresses. The image `mfe` has to be built with them.",
    )
    .layered(),
    Key::new("theme", frontend::THEME, "The look of the site.").layered(),
    Key::new(
        "packages",
        Type::Map(&distribution::REQUIREMENT),
        "Python packages that are built into the image `openedx`, by package name: an exact version, or a commit.",
    )
    .layered(),
    Key::new(
        "build",
        build::BUILD,
        "What images of one's own are built with; `grove image context` writes what a builder needs.",
    )
    .layered(),
    Key::later("sandbox", "A sandbox's owner and its last day.").layered(),
];
