//! Which variables of Grove's own environment a program may see.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// A named group of environment variables that a caller lets through to a program. Without one, a
/// program sees `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `TERM`, `TMPDIR` and `XDG_*`, and a fixed locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variables {
    /// How to reach the network: proxies and certificate authorities.
    Network,
    /// The Python package index that the user configured, for pip and uv, with its credentials.
    PackageIndex,
    /// The user's SSH agent and how Git calls SSH.
    Ssh,
    /// Where Git finds its configuration and asks for credentials.
    Git,
    /// Which cluster `kubectl` and its like talk to.
    Kubernetes,
    /// Where SOPS and age find their keys, and the credentials of the key services SOPS talks to.
    Sops,
    /// What OpenTofu, its back ends and its providers are told by: their own variables, and where they
    /// find credentials of clouds and databases.
    Infrastructure,
    /// The user's editor and display, for programs that the user works in.
    Editor,
}

/// Names that pass to every program that is not confined.
const ALWAYS: &[&str] = &[
    "HOME", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER", "XDG_*",
];

/// Names that pass to a confined program: it gets a home and a directory for temporary files of
/// its own from the caller, and nothing that tells of the user.
const CONFINED: &[&str] = &["PATH"];

impl Variables {
    /// The names of the group. One that ends in `*` stands for all names that begin so.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Network => &[
                "ALL_PROXY",
                "HTTPS_PROXY",
                "HTTP_PROXY",
                "NO_PROXY",
                "all_proxy",
                "http_proxy",
                "https_proxy",
                "no_proxy",
                "CURL_CA_BUNDLE",
                "GIT_SSL_CAINFO",
                "GIT_SSL_CAPATH",
                "NIX_SSL_CERT_FILE",
                "REQUESTS_CA_BUNDLE",
                "SSL_CERT_DIR",
                "SSL_CERT_FILE",
                "SSL_CLIENT_CERT",
            ],
            Self::PackageIndex => &[
                "NETRC",
                "PIP_CERT",
                "PIP_CLIENT_CERT",
                "PIP_CONFIG_FILE",
                "PIP_DEFAULT_TIMEOUT",
                "PIP_EXTRA_INDEX_URL",
                "PIP_INDEX_URL",
                "PIP_KEYRING_PROVIDER",
                "PIP_PROXY",
                "PIP_RETRIES",
                "PIP_TRUSTED_HOST",
                "UV_CONFIG_FILE",
                "UV_DEFAULT_INDEX",
                "UV_EXTRA_INDEX_URL",
                "UV_HTTP_RETRIES",
                "UV_HTTP_TIMEOUT",
                "UV_INDEX",
                "UV_INDEX_*",
                "UV_INSECURE_HOST",
                "UV_KEYRING_PROVIDER",
                "UV_NATIVE_TLS",
                "UV_SYSTEM_CERTS",
            ],
            Self::Ssh => &[
                "GIT_SSH",
                "GIT_SSH_COMMAND",
                "GIT_SSH_VARIANT",
                "SSH_ASKPASS",
                "SSH_ASKPASS_REQUIRE",
                "SSH_AUTH_SOCK",
            ],
            Self::Git => &[
                "GIT_ASKPASS",
                "GIT_CONFIG_COUNT",
                "GIT_CONFIG_GLOBAL",
                "GIT_CONFIG_KEY_*",
                "GIT_CONFIG_NOSYSTEM",
                "GIT_CONFIG_SYSTEM",
                "GIT_CONFIG_VALUE_*",
                "GIT_TERMINAL_PROMPT",
            ],
            Self::Kubernetes => &["KUBECONFIG", "AWS_*", "DIGITALOCEAN_*"],
            Self::Sops => &[
                "AWS_*",
                "AZURE_*",
                "GNUPGHOME",
                "GOOGLE_*",
                "GPG_TTY",
                "SOPS_*",
                "VAULT_*",
            ],
            Self::Infrastructure => &[
                "AWS_*",
                "AZURE_*",
                "ARM_*",
                "DIGITALOCEAN_*",
                "GITLAB_*",
                "GOOGLE_*",
                "KUBE_*",
                "MONGODB_ATLAS_*",
                "MYSQL_*",
                "OPENTOFU_*",
                "PG*",
                "SPACES_*",
                "TF_*",
                "VAULT_*",
            ],
            Self::Editor => &[
                "COLORTERM",
                "DISPLAY",
                "EDITOR",
                "VISUAL",
                "WAYLAND_DISPLAY",
            ],
        }
    }
}

/// One variable of Grove's own environment.
pub(crate) fn own(name: &str) -> Option<OsString> {
    #[expect(
        clippy::disallowed_methods,
        reason = "programs are found and started with the user's own environment"
    )]
    std::env::var_os(name)
}

/// Every variable of Grove's own environment.
pub(crate) fn all() -> impl Iterator<Item = (OsString, OsString)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "programs are found and started with the user's own environment"
    )]
    std::env::vars_os()
}

/// What passes of `own` to a program: the names in `groups` and `single` beside those that always
/// do. A program that is `confined` gets only what was named and `PATH`. Messages that Grove reads
/// are those of the `C` locale, in UTF-8.
pub(crate) fn passing(
    own: impl Iterator<Item = (OsString, OsString)>,
    groups: &[Variables],
    single: &[String],
    confined: bool,
) -> BTreeMap<OsString, OsString> {
    let always = if confined { CONFINED } else { ALWAYS };
    let patterns: Vec<&str> = always
        .iter()
        .copied()
        .chain(groups.iter().flat_map(|group| group.names()).copied())
        .chain(single.iter().map(String::as_str))
        .collect();
    let mut passing: BTreeMap<_, _> = own
        .filter(|(name, _)| patterns.iter().any(|pattern| matches(pattern, name)))
        .collect();
    for name in ["LANG", "LC_ALL"] {
        passing.insert(name.into(), "C.UTF-8".into());
    }
    passing
}

/// Whether `name` is `pattern`, or begins with it where the pattern ends in `*`.
fn matches(pattern: &str, name: &OsStr) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.as_encoded_bytes().starts_with(start.as_bytes()),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(groups: &[Variables], single: &[&str], confined: bool) -> Vec<String> {
        let own = [
            "HOME",
            "PATH",
            "XDG_CACHE_HOME",
            "AWS_SECRET",
            "TUTOR_LMS_HOST",
            "LANG",
            "HTTPS_PROXY",
        ];
        passing(
            own.into_iter().map(|name| (name.into(), "x".into())),
            groups,
            &single.iter().map(ToString::to_string).collect::<Vec<_>>(),
            confined,
        )
        .into_iter()
        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
        .collect()
    }

    #[test]
    fn only_what_is_named_passes() {
        assert_eq!(
            names(&[], &[], false),
            [
                "HOME=x",
                "LANG=C.UTF-8",
                "LC_ALL=C.UTF-8",
                "PATH=x",
                "XDG_CACHE_HOME=x"
            ]
        );
        assert_eq!(
            names(&[], &[], true),
            ["LANG=C.UTF-8", "LC_ALL=C.UTF-8", "PATH=x"]
        );
    }

    #[test]
    fn groups_and_single_names_pass_when_asked_for() {
        let got = names(&[Variables::Network, Variables::Sops], &[], true);
        assert_eq!(
            got,
            [
                "AWS_SECRET=x",
                "HTTPS_PROXY=x",
                "LANG=C.UTF-8",
                "LC_ALL=C.UTF-8",
                "PATH=x"
            ]
        );
        assert!(names(&[], &["TUTOR_LMS_HOST"], true).contains(&"TUTOR_LMS_HOST=x".to_owned()));
    }
}
