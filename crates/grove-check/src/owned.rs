//! Tutor's keys that Grove sets, and where each is said instead.

/// Where a key of Tutor's is said in a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// Under this key of the instance.
    At(&'static str),
    /// `hosts.<service>`.
    Host(&'static str),
    /// `images.<component>.ref`.
    Image,
    /// Nowhere: it has one right value, for the reason given.
    Fixed(&'static str),
}

/// Keys with one place each, sorted by key. Public host names only: `MYSQL_HOST` and the like name
/// services that Grove does not serve, and stay under `config`.
const KEYS: &[(&str, Owned)] = &[
    (
        "CADDY_HTTP_PORT",
        Owned::Fixed("the cluster's Ingress expects Caddy on its own port"),
    ),
    ("CMS_HOST", Owned::Host("cms")),
    ("CREDENTIALS_HOST", Owned::Host("credentials")),
    ("DISCOVERY_HOST", Owned::Host("discovery")),
    ("ENABLE_HTTPS", Owned::Fixed("every host has a certificate")),
    (
        "ENABLE_WEB_PROXY",
        Owned::Fixed("the cluster's ingress controller is the proxy"),
    ),
    ("ID", Owned::At("identity.id")),
    ("K8S_NAMESPACE", Owned::At("identity.namespace")),
    ("LMS_HOST", Owned::Host("lms")),
    ("MEILISEARCH_HOST", Owned::Host("meilisearch")),
    ("MEILISEARCH_PUBLIC_URL", Owned::Host("meilisearch")),
    ("MFE_HOST", Owned::Host("mfe")),
    ("MINIO_CONSOLE_HOST", Owned::Host("minio-console")),
    ("MINIO_HOST", Owned::Host("minio")),
    (
        "MOUNTS",
        Owned::Fixed("pods mount nothing of the operator's machine"),
    ),
    ("NOTES_HOST", Owned::Host("notes")),
    ("PLUGINS", Owned::At("plugins")),
    (
        "PLUGIN_INDEXES",
        Owned::Fixed("a distribution names its packages"),
    ),
    ("PREVIEW_LMS_HOST", Owned::Host("preview")),
    ("XQUEUE_HOST", Owned::Host("xqueue")),
];

/// Where `key` of Tutor's is said in a fleet; none where it belongs under `config`.
pub fn owned(key: &str) -> Option<Owned> {
    if let Ok(at) = KEYS.binary_search_by_key(&key, |(key, _)| key) {
        return KEYS.get(at).map(|(_, owned)| *owned);
    }
    let is_image = key.starts_with("DOCKER_IMAGE_") || key.ends_with("_DOCKER_IMAGE");
    is_image.then_some(Owned::Image)
}

impl Owned {
    /// What to do with `key` instead of setting it.
    pub fn hint(self, key: &str) -> String {
        match self {
            Self::At(place) => format!("set `{place}` instead"),
            Self::Host(service) => format!("set `hosts.{service}` instead"),
            Self::Image => {
                let component = key
                    .strip_prefix("DOCKER_IMAGE_")
                    .or_else(|| key.strip_suffix("_DOCKER_IMAGE"))
                    .unwrap_or(key)
                    .to_ascii_lowercase()
                    .replace('_', "-");
                format!("set `images.{component}.ref` instead")
            }
            Self::Fixed(reason) => format!("remove it: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(KEYS.is_sorted_by_key(|(key, _)| key));
    }

    #[test]
    fn images_and_hosts_are_owned_and_back_ends_are_not() {
        assert_eq!(owned("LMS_HOST"), Some(Owned::Host("lms")));
        assert_eq!(owned("MYSQL_HOST"), None);
        assert_eq!(owned("PLATFORM_NAME"), None);
        let hint = owned("MFE_DOCKER_IMAGE").unwrap().hint("MFE_DOCKER_IMAGE");
        assert_eq!(hint, "set `images.mfe.ref` instead");
    }
}
