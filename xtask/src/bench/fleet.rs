//! Fleets of any size, made from the example fleet.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::context::Context;

/// The cluster that all instances are on, and the instance whose secrets they have.
const CLUSTER: &str = "alpha";
const MODEL: &str = "uni";
/// The distribution of all instances.
pub(super) const DISTRIBUTION: &str = "verawood-1";
/// The plugins of all instances.
pub(super) const PLUGINS: [&str; 3] = ["forum", "indigo", "mfe"];

/// One instance.
pub(super) struct Site {
    /// Its name, and its namespace.
    pub(super) name: String,
}

impl Site {
    /// Tutor's `ID`: 24 letters and digits.
    pub(super) fn id(&self) -> String {
        format!("{:0>24}", self.name.replace('-', ""))
    }

    /// The name of its LMS, beneath which the others stand.
    pub(super) fn host(&self) -> String {
        format!("{}.example.org", self.name)
    }

    fn instance(&self) -> String {
        let (name, id, host) = (&self.name, self.id(), self.host());
        let plugins = PLUGINS.map(|plugin| format!("{plugin}: {{}}")).join(", ");
        format!(
            "client: {name}
environment: staging
distribution: {DISTRIBUTION}
identity: {{namespace: {name}, id: {id}}}
hosts:
  lms: {host}
  cms: studio.{host}
  mfe: apps.{host}
  meilisearch: meilisearch.{host}
plugins: {{{plugins}}}
config:
  PLATFORM_NAME: Site {name}
  LANGUAGE_CODE: en
"
        )
    }
}

/// Writes a fleet of `count` instances on one cluster to `directory`, which must not exist.
pub(super) fn write(context: &Context, directory: &Path, count: usize) -> Result<Vec<Site>> {
    write_to(context, directory, &[CLUSTER], count)
}

/// Writes a fleet of `count` instances, spread over `clusters`, to `directory`, which must not exist.
pub(super) fn write_to(
    context: &Context,
    directory: &Path,
    clusters: &[&str],
    count: usize,
) -> Result<Vec<Site>> {
    let example = context.root.join("examples/fleet");
    let cluster = |fleet: &Path, name: &str| fleet.join("clusters").join(name);
    let model = cluster(&example, CLUSTER);
    copy(&example, directory, &|path| {
        path.parent() == Some(example.join("clusters").as_path())
    })?;
    for name in clusters {
        copy(&model, &cluster(directory, name), &|path| {
            path.file_name().is_some_and(|name| name == "instances")
        })?;
    }
    let secrets = fs_err::read(
        model
            .join("instances")
            .join(MODEL)
            .join("secrets.sops.yaml"),
    )
    .context("the example fleet has no secrets to copy")?;
    let mut sites = Vec::new();
    for number in 1..=count {
        let site = Site {
            name: format!("site-{number:04}"),
        };
        let name = clusters.get(number % clusters.len()).unwrap_or(&CLUSTER);
        let home = cluster(directory, name).join("instances").join(&site.name);
        fs_err::create_dir_all(&home)?;
        fs_err::write(home.join("instance.yaml"), site.instance())?;
        fs_err::write(home.join("secrets.sops.yaml"), &secrets)?;
        sites.push(site);
    }
    Ok(sites)
}

/// The lock of [`DISTRIBUTION`].
pub(super) fn lock(context: &Context) -> PathBuf {
    context
        .root
        .join(format!("examples/fleet/distributions/{DISTRIBUTION}.lock"))
}

fn copy(from: &Path, to: &Path, left_out: &dyn Fn(&Path) -> bool) -> Result<()> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if left_out(&source) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&source, &target, left_out)?;
        } else {
            fs_err::copy(&source, &target)?;
        }
    }
    Ok(())
}
