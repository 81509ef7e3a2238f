//! `clusters/<cluster>/instances/<instance>/instance.yaml`.

use super::{Files, head, list, scalar, word};
use crate::{
    layout,
    model::{Address, Environment, Identity},
    shape::FileKind,
};

/// An instance to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewInstance<'a> {
    /// Its cluster and name.
    pub address: &'a Address,
    /// Whom it belongs to.
    pub client: &'a str,
    /// What it is for.
    pub environment: Environment,
    /// Its groups.
    pub groups: &'a [&'a str],
    /// Its ring, where it is not the fleet's usual one.
    pub ring: Option<&'a str>,
    /// Its distribution, where no layer gives one.
    pub distribution: Option<&'a str>,
    /// Its namespace and Tutor's `ID`, which never change.
    pub identity: &'a Identity,
    /// The LMS's host name; the others are made from it.
    pub lms: &'a str,
    /// The plugins that it turns on, by Tutor's names.
    pub plugins: &'a [&'a str],
    /// The site's name.
    pub platform_name: &'a str,
}

/// The instance's file. Its secrets are made by `grove secret generate`.
pub fn instance(new: NewInstance<'_>) -> Files {
    let mut keys = format!(
        "client: {}\nenvironment: {}\n",
        scalar(new.client),
        new.environment.name()
    );
    if !new.groups.is_empty() {
        keys.push_str(&line("groups", &list(new.groups.iter().copied())));
    }
    if let Some(ring) = new.ring {
        keys.push_str(&line("ring", &scalar(ring)));
    }
    if let Some(distribution) = new.distribution {
        keys.push_str(&line("distribution", &scalar(distribution)));
    }
    let mut hosts = line("  lms", &scalar(new.lms));
    hosts.push_str(&line("  cms", &scalar(&format!("studio.{}", new.lms))));
    if new.plugins.contains(&"mfe") {
        hosts.push_str(&line("  mfe", &scalar(&format!("apps.{}", new.lms))));
    }
    let plugins = new
        .plugins
        .iter()
        .map(|plugin| format!("{}: {{}}", word(plugin)))
        .collect::<Vec<_>>();
    let text = format!(
        "\
{head}{keys}# Written once: what runs is named after it. A change is refused.
identity: {{namespace: {namespace}, id: {id}}}

# The name of each service that is served.
hosts:
{hosts}
# Tutor plugins that are on, besides those that earlier layers turn on; `null` turns one off.
plugins: {{{plugins}}}

# Values of Tutor's own keys. Grove gives hosts, plugins, images, the namespace and the ID itself.
config:
  PLATFORM_NAME: {platform_name}
",
        head = head(FileKind::Instance),
        namespace = word(&new.identity.namespace),
        id = word(&new.identity.id),
        plugins = plugins.join(", "),
        platform_name = scalar(new.platform_name),
    );
    Files::from([(layout::instance(new.address), text)])
}

fn line(key: &str, value: &str) -> String {
    format!("{key}: {value}\n")
}
