//! Services that have a host: what Tutor calls the host, and who must know of a further name.

/// A service of `hosts`.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// Its name in `hosts`.
    name: &'static str,
    /// The key of Tutor's configuration that holds the host.
    host: &'static str,
    /// A key that holds the whole URL, for versions of Tutor that derive nothing from the host.
    url: Option<&'static str>,
    /// The patches in which Django is told of a further name: the patch, and for each name the
    /// settings (lists) that it is added to, as a host (`false`) or as an origin (`true`).
    allow: &'static [(&'static str, &'static [(&'static str, bool)])],
}

const LMS: &str = "openedx-lms-production-settings";
const CMS: &str = "openedx-cms-production-settings";

/// Where LMS and CMS list whom they trust to call them from a browser.
const ORIGIN: &[(&str, bool)] = &[
    ("CORS_ORIGIN_WHITELIST", true),
    ("CSRF_TRUSTED_ORIGINS", true),
];
const ALLOWED: &[(&str, bool)] = &[("ALLOWED_HOSTS", false)];

const fn service(name: &'static str, host: &'static str) -> Service {
    Service {
        name,
        host,
        url: None,
        allow: &[],
    }
}

const fn django(
    name: &'static str,
    host: &'static str,
    allow: &'static [(&'static str, &'static [(&'static str, bool)])],
) -> Service {
    Service {
        name,
        host,
        url: None,
        allow,
    }
}

/// Tutor's services and those of its official plugins.
const SERVICES: &[Service] = &[
    django(
        "lms",
        "LMS_HOST",
        &[
            (LMS, ALLOWED),
            (LMS, ORIGIN),
            (LMS, &[("LOGIN_REDIRECT_WHITELIST", false)]),
        ],
    ),
    django(
        "cms",
        "CMS_HOST",
        &[
            (CMS, ALLOWED),
            (CMS, ORIGIN),
            (LMS, &[("LOGIN_REDIRECT_WHITELIST", false)]),
        ],
    ),
    django(
        "mfe",
        "MFE_HOST",
        &[
            (LMS, ORIGIN),
            (LMS, &[("LOGIN_REDIRECT_WHITELIST", false)]),
            (CMS, ORIGIN),
        ],
    ),
    service("preview", "PREVIEW_LMS_HOST"),
    Service {
        name: "meilisearch",
        host: "MEILISEARCH_HOST",
        url: Some("MEILISEARCH_PUBLIC_URL"),
        allow: &[],
    },
    django(
        "credentials",
        "CREDENTIALS_HOST",
        &[("credentials-settings-production", ALLOWED)],
    ),
    django(
        "discovery",
        "DISCOVERY_HOST",
        &[("discovery-production-settings", ALLOWED)],
    ),
    service("minio", "MINIO_HOST"),
    service("minio-console", "MINIO_CONSOLE_HOST"),
    django("notes", "NOTES_HOST", &[("notes-settings", ALLOWED)]),
    django("xqueue", "XQUEUE_HOST", &[("xqueue-settings", ALLOWED)]),
];

/// Keys and values of Tutor's configuration for the host of a service; by the convention of plugins
/// where the service stands in no table.
pub(crate) fn config(service: &str, host: &str) -> Vec<(String, String)> {
    match SERVICES.iter().find(|known| known.name == service) {
        Some(known) => {
            let url = known
                .url
                .map(|key| (key.to_owned(), format!("https://{host}")));
            [(known.host.to_owned(), host.to_owned())]
                .into_iter()
                .chain(url)
                .collect()
        }
        None => vec![(
            format!("{}_HOST", service.to_uppercase().replace('-', "_")),
            host.to_owned(),
        )],
    }
}

/// Where a further name of a service must be known: patch, setting (a list), and the entry.
pub(crate) fn allow(service: &str, domain: &str) -> Vec<(&'static str, &'static str, String)> {
    let known = SERVICES.iter().find(|known| known.name == service);
    let lists = known.into_iter().flat_map(|known| known.allow);
    lists
        .flat_map(|(patch, settings)| {
            settings.iter().map(|(setting, origin)| {
                let scheme = if *origin { "https://" } else { "" };
                (*patch, *setting, format!("{scheme}{domain}"))
            })
        })
        .collect()
}
