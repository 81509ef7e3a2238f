//! Charts and plain manifests that travel with the deploy tree: add-ons, and charts of the fleet.

use std::{collections::BTreeMap, sync::Arc};

use crate::{File, Snapshot, model::Chart};

/// Files by path below their directory.
pub type Files = BTreeMap<String, Arc<[u8]>>;

/// The file by which a directory is known to be a Helm chart.
pub const CHART_FILE: &str = "Chart.yaml";

/// One file of an add-on that Grove carries.
macro_rules! file {
    ($name:literal, $path:literal) => {
        (
            $path,
            include_str!(concat!("../../../addons/", $name, "/", $path)),
        )
    };
}

/// Path and text of a file.
type Text = (&'static str, &'static str);

/// The add-ons that Grove carries, with their files.
const CARRIED: &[(&str, &[Text])] = &[(
    MAINTENANCE_PAGES,
    &[
        file!("maintenance-pages", "Chart.yaml"),
        file!("maintenance-pages", "values.yaml"),
        file!("maintenance-pages", "templates/pages.yaml"),
        file!("maintenance-pages", "templates/router.yaml"),
        file!("maintenance-pages", "templates/server.yaml"),
    ],
)];

/// The add-on that shows a page where an instance does not answer. The Ingresses of instances refer to
/// it where it is on.
pub const MAINTENANCE_PAGES: &str = "maintenance-pages";

/// Whether a name is one of Grove's own Applications (`grove-<name>`): the roots, Harmony, and the
/// custom resource definitions that Harmony needs.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "apps" | "cluster" | "harmony") || name.ends_with("-crds")
}

/// Names of the add-ons that Grove carries.
pub fn carried() -> impl Iterator<Item = &'static str> {
    CARRIED.iter().map(|(name, _)| *name)
}

/// The directory of an add-on in a fleet.
pub fn directory(name: &str) -> String {
    format!("addons/{name}")
}

/// The files of an add-on: the fleet's own `addons/<name>/` where it has one, else the one that Grove
/// carries; empty where there is neither.
pub fn addon(snapshot: &Snapshot, name: &str) -> Files {
    let own = below(snapshot, &directory(name));
    if !own.is_empty() {
        return own;
    }
    CARRIED
        .iter()
        .filter(|(carried, _)| *carried == name)
        .flat_map(|(_, files)| *files)
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().into()))
        .collect()
}

/// The files of a vendored chart of the fleet, `charts/<name>/`; empty where it has none, or the chart
/// is in a repository.
pub fn chart(snapshot: &Snapshot, chart: &Chart) -> Files {
    match chart {
        Chart::Vendored(name) => below(snapshot, &format!("charts/{name}")),
        Chart::Repository { .. } => Files::new(),
    }
}

/// The regular files of a directory. Links are left out: they could lead anywhere.
fn below(snapshot: &Snapshot, directory: &str) -> Files {
    let prefix = format!("{directory}/");
    snapshot
        .files
        .range(prefix.clone()..)
        .take_while(|(path, _)| path.starts_with(&prefix))
        .filter_map(|(path, file)| match file {
            File::Bytes(bytes) => Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleets_own_addon_takes_the_place_of_the_carried_one() {
        let none = Snapshot::default();
        assert!(addon(&none, MAINTENANCE_PAGES).contains_key(CHART_FILE));
        assert!(addon(&none, "other").is_empty());
        let own = Snapshot::default()
            .with("addons/maintenance-pages/pod.yaml", "kind: Pod")
            .with("addons/maintenance-pages-2/pod.yaml", "kind: Pod");
        let files: Vec<_> = addon(&own, MAINTENANCE_PAGES).into_keys().collect();
        assert_eq!(files, ["pod.yaml"]);
    }
}
