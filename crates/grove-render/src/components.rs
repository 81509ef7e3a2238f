//! Components whose image a fleet may state: what Tutor calls the image, and who runs it.

use crate::object::Object;

/// A component of `images`.
#[derive(Clone, Copy, Debug)]
struct Component {
    /// Its name in `images`.
    name: &'static str,
    /// The key of Tutor's configuration.
    key: &'static str,
    /// The containers that run it, by name.
    containers: &'static [&'static str],
}

const fn component(
    name: &'static str,
    key: &'static str,
    containers: &'static [&'static str],
) -> Component {
    Component {
        name,
        key,
        containers,
    }
}

/// Tutor's components and those of its official plugins. `permissions` exists in Tutor's
/// configuration only: a cluster runs no container of it.
const COMPONENTS: &[Component] = &[
    component(
        "openedx",
        "DOCKER_IMAGE_OPENEDX",
        &["lms", "cms", "lms-worker", "cms-worker"],
    ),
    component("caddy", "DOCKER_IMAGE_CADDY", &["caddy"]),
    component("meilisearch", "DOCKER_IMAGE_MEILISEARCH", &["meilisearch"]),
    component("mongodb", "DOCKER_IMAGE_MONGODB", &["mongodb"]),
    component("mysql", "DOCKER_IMAGE_MYSQL", &["mysql"]),
    component("permissions", "DOCKER_IMAGE_PERMISSIONS", &[]),
    component("redis", "DOCKER_IMAGE_REDIS", &["redis"]),
    component("smtp", "DOCKER_IMAGE_SMTP", &["smtp"]),
    component("mfe", "MFE_DOCKER_IMAGE", &["mfe"]),
    component("credentials", "CREDENTIALS_DOCKER_IMAGE", &["credentials"]),
    component("discovery", "DISCOVERY_DOCKER_IMAGE", &["discovery"]),
    component(
        "elasticsearch",
        "DISCOVERY_DOCKER_IMAGE_ELASTICSEARCH",
        &["elasticsearch"],
    ),
    component("forum", "FORUM_DOCKER_IMAGE", &["forum"]),
    component("minio", "MINIO_DOCKER_IMAGE", &["minio"]),
    component(MINIO_CLIENT, "MINIO_MC_DOCKER_IMAGE", &[]),
    component("notes", "NOTES_DOCKER_IMAGE", &["notes"]),
    component(
        "xqueue",
        "XQUEUE_DOCKER_IMAGE",
        &["xqueue", "xqueue-consumer"],
    ),
];

/// `MinIO`'s Job runs its client in a container of the server's name.
const MINIO_CLIENT: &str = "minio-mc";

/// The key of Tutor's configuration for a component; by the convention of plugins where the
/// component stands in no table.
pub(crate) fn image_key(component: &str) -> String {
    match COMPONENTS.iter().find(|known| known.name == component) {
        Some(known) => known.key.to_owned(),
        None => format!(
            "{}_DOCKER_IMAGE",
            component.to_uppercase().replace('-', "_")
        ),
    }
}

/// Whether Tutor or an official plugin has such a component.
pub(crate) fn is_known(component: &str) -> bool {
    COMPONENTS.iter().any(|known| known.name == component)
}

/// Whether Tutor or an official plugin has such a workload.
pub(crate) fn is_known_workload(name: &str) -> bool {
    COMPONENTS
        .iter()
        .any(|known| known.containers.contains(&name))
}

/// The component that a container of `workload` runs; its own name where no table has it.
pub(crate) fn of_container<'a>(workload: &Object, container: &'a str) -> &'a str {
    if workload.kind() == "Job" && container == "minio" {
        return MINIO_CLIENT;
    }
    COMPONENTS
        .iter()
        .find(|known| known.containers.contains(&container))
        .map_or(container, |known| known.name)
}
