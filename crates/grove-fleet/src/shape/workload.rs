//! Keys about an instance's workloads.

use super::table::{Key, Type};
use crate::{model::Overlap, words::Choice};

/// Amounts by name.
const AMOUNTS: Type = Type::Map(&Type::Quantity);

const REQUESTS: Key = Key::new(
    "requests",
    AMOUNTS,
    "What a node keeps free for each pod: `{cpu: 500m, memory: 2Gi}`.",
);

const LIMITS: Key = Key::new(
    "limits",
    AMOUNTS,
    "What a pod gets at most; above the limit of memory it is ended.",
);

/// What one workload needs.
pub(super) const RESOURCES: Type = Type::Map(&Type::Object(&[&[
    REQUESTS,
    LIMITS,
    Key::new(
        "replicas",
        Type::Number(1, 1000),
        "How many pods, where nothing scales them. Two and more are spread over nodes and leave them one by one.",
    ),
    Key::new(
        "concurrency",
        Type::Number(1, 1000),
        "How many requests (`lms`, `cms`) or tasks (workers) a pod works on at once. A worker has as many as its node has cores where nothing is said.",
    ),
    Key::new(
        "probes",
        Type::Bool,
        "Whether Kubernetes asks each pod if it is well, sends requests only to one that is, and starts one that hangs again. A worker of Celery is asked for its last heartbeat.",
    ),
    Key::new(
        "grace",
        Type::Number(1, 86400),
        "Seconds that a pod has to end its work before it is killed: longer than its longest task.",
    ),
    Key::new(
        "nodes",
        Type::Map(&Type::Text),
        "Labels of the nodes that it may run on.",
    ),
    Key::new(
        "tolerations",
        Type::List(&Type::Object(&[&[
            Key::new(
                "key",
                Type::Text,
                "The taint's key; every taint where it is left out.",
            ),
            Key::new(
                "operator",
                Type::OneOf(&[
                    Choice::now("Equal", "The value is the taint's."),
                    Choice::now("Exists", "The key is the taint's."),
                ]),
                "How key and value are compared.",
            ),
            Key::new("value", Type::Text, "The taint's value."),
            Key::new(
                "effect",
                Type::OneOf(&[
                    Choice::now("NoSchedule", "No pod is put there."),
                    Choice::now("PreferNoSchedule", "Pods go elsewhere first."),
                    Choice::now("NoExecute", "Pods have to leave."),
                ]),
                "The taint's effect; each of them where it is left out.",
            ),
        ]])),
        "Taints of nodes that it bears.",
    ),
]]));

/// How many pods one workload has.
pub(super) const AUTOSCALING: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "min",
        Type::Number(1, 1000),
        "The fewest pods; 1 where nothing is said.",
    ),
    Key::new("max", Type::Number(1, 1000), "The most pods."),
    Key::new(
        "cpu",
        Type::Number(1, 1000),
        "Pods are added while they use more than this share of the CPU that they request, in percent.",
    ),
    Key::new("memory", Type::Number(1, 1000), "The same for memory."),
]]));

/// Further workers.
pub(super) const WORKERS: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "service",
        Type::OneOf(&[
            Choice::now("lms", "Tasks of the LMS."),
            Choice::now("cms", "Tasks of the CMS."),
        ]),
        "Whose tasks it works on; `lms` where nothing is said.",
    ),
    Key::new(
        "queues",
        Type::List(&Type::Text),
        "The queues of Celery that it takes.",
    )
    .required(),
]]));

/// Jobs by schedule.
pub(super) const CRON: Type = Type::Map(&Type::Object(&[&[
    Key::new(
        "schedule",
        Type::Text,
        "When: minute, hour, day, month and weekday, or `@daily` and the like.",
    ),
    Key::new(
        "timezone",
        Type::Text,
        "The time zone of the schedule, such as `Europe/Berlin`; UTC where nothing is said.",
    ),
    Key::new(
        "service",
        Type::Text,
        "The workload whose image, configuration and secrets it has: `lms`, `cms`, and what plugins add.",
    ),
    Key::new(
        "command",
        Type::List(&Type::Text),
        "Program and arguments, one a word: `[./manage.py, lms, clearsessions]`. No shell reads them.",
    ),
    Key::new(
        "overlap",
        Type::OneOf(Overlap::CHOICES),
        "What happens when it is due and the last one still runs; `skip` where nothing is said.",
    ),
    Key::new(
        "deadline",
        Type::Number(1, 604_800),
        "Seconds that it may take.",
    ),
]]));

/// What is answered while an instance is in maintenance.
pub(super) const MAINTENANCE: Type = Type::Object(&[&[
    Key::new("message", Type::Text, "What the page says."),
    Key::new(
        "allow",
        Type::List(&Type::Text),
        "Addresses and networks that reach the site all the same: `203.0.113.7`, `198.51.100.0/24`.",
    ),
]]);

/// What an instance's pods reach.
pub(super) const NETWORK: Type = Type::Object(&[&[
    Key::new(
        "isolate",
        Type::Bool,
        "Whether only the cluster's ingress and the instance's own pods get through to it.",
    ),
    Key::new(
        "ingress",
        Type::List(&Type::Text),
        "Namespaces whose pods get through too: the one of the ingress controller where it is not Harmony's, and of monitoring.",
    ),
    Key::new(
        "egress",
        Type::List(&Type::Text),
        "Networks that its pods reach beside their own namespace and the cluster's DNS, as `10.1.0.0/16`; everything outside of private networks where nothing is said.",
    ),
]]);

/// What an instance may use together.
pub(super) const QUOTA: Type = Type::Object(&[&[
    Key::new(
        "hard",
        AMOUNTS,
        "What the whole namespace may use, by Kubernetes' names: `requests.cpu`, `limits.memory`, `requests.storage`, `pods`.",
    ),
    Key::new(
        "container",
        Type::Object(&[&[REQUESTS, LIMITS]]),
        "What a container has that states nothing.",
    ),
]]);
