//! The back end of a root module in words.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use crate::Around;

/// What says where a state is and holds no credential
/// (<https://opentofu.org/docs/language/settings/backends/configuration/>). Addresses are not among them: they may
/// have a password.
const PLACES: [&str; 12] = [
    "bucket",
    "container_name",
    "hostname",
    "key",
    "namespace",
    "organization",
    "path",
    "prefix",
    "schema_name",
    "secret_suffix",
    "storage_account_name",
    "workspace_dir",
];

/// What `init` keeps of the back end that a root module has.
#[derive(Deserialize)]
struct Kept {
    backend: Option<BackEnd>,
}

#[derive(Deserialize)]
struct BackEnd {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    config: BTreeMap<String, Value>,
}

/// Where `init` keeps what it brings for a root module.
pub(super) fn data(around: &Around, root: &Path) -> PathBuf {
    let data = around.variable("TF_DATA_DIR");
    root.join(data.unwrap_or_else(|| ".terraform".into()))
}

/// The back end of a root module that `init` has prepared: its kind and its place, without credentials. One that
/// states none keeps its state beside its files.
pub(super) fn of(around: &Around, root: &Path) -> String {
    let kept = data(around, root).join("terraform.tfstate");
    let kept: Option<Kept> = fs_err::read_to_string(kept)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    let Some(BackEnd { kind, config }) = kept.and_then(|kept| kept.backend) else {
        return "local".to_owned();
    };
    let places: Vec<String> = config
        .iter()
        .filter(|(name, _)| PLACES.contains(&name.as_str()))
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_str()?)))
        .collect();
    if places.is_empty() {
        kind
    } else {
        format!("{kind} ({})", places.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_named_without_credentials() {
        let root = tempfile::tempdir().unwrap();
        let around = Around::new(
            root.path(),
            root.path(),
            root.path(),
            jiff::Timestamp::UNIX_EPOCH,
        );
        assert_eq!(of(&around, root.path()), "local");
        let kept = data(&around, root.path());
        fs_err::create_dir(&kept).unwrap();
        let text = r#"{"version": 3, "backend": {"type": "s3", "hash": 1, "config": {"access_key": "AKIA",
            "bucket": "acme", "key": "prod/uni", "region": null, "secret_key": "xyz"}}}"#;
        fs_err::write(kept.join("terraform.tfstate"), text).unwrap();
        assert_eq!(of(&around, root.path()), "s3 (bucket acme, key prod/uni)");
    }
}
