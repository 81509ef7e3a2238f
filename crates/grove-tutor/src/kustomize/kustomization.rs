//! Kustomization files, as far as Grove must know what they say.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::KustomizeError;

/// Names under which Kustomize looks for a directory's kustomization.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Fields whose entries are files, directories or addresses; Kustomize fetches what is not there.
const LISTS: [&str; 8] = [
    "bases",
    "components",
    "configurations",
    "crds",
    "generators",
    "resources",
    "transformers",
    "validators",
];

/// Fields that run or fetch other things.
const UNSUPPORTED: [&str; 3] = ["helmChartInflationGenerator", "helmCharts", "helmGlobals"];

/// The files of an instance by path.
type Files = BTreeMap<String, Vec<u8>>;

/// One kustomization of an instance.
#[derive(Debug)]
pub(super) struct Kustomization<'a> {
    file: &'a str,
    fields: Value,
}

impl<'a> Kustomization<'a> {
    /// Reads the kustomization in `file`; none where the file is something else.
    pub(super) fn read(file: &'a str, files: &Files) -> Result<Option<Self>, KustomizeError> {
        let name = file.rsplit('/').next().unwrap_or(file);
        let Some(content) = files.get(file).filter(|_| NAMES.contains(&name)) else {
            return Ok(None);
        };
        let malformed = |reason: String| KustomizeError::Malformed {
            file: file.to_owned(),
            reason,
        };
        let mut documents =
            grove_yaml::parse_all(content).map_err(|error| malformed(error.to_string()))?;
        let fields = documents.pop().unwrap_or_default();
        if !documents.is_empty() || !fields.is_object() {
            return Err(malformed("it is no single map".to_owned()));
        }
        Ok(Some(Self { file, fields }))
    }

    /// Refuses what Kustomize would fetch or run.
    pub(super) fn check(&self, files: &Files) -> Result<(), KustomizeError> {
        for field in UNSUPPORTED {
            if !self.fields[field].is_null() {
                return Err(KustomizeError::Unsupported {
                    file: self.file.to_owned(),
                    field: field.to_owned(),
                });
            }
        }
        for field in LISTS {
            for entry in strings(&self.fields[field]) {
                // More than one line is the object itself, written in place.
                if !entry.contains('\n') && !is_rendered(self.file, entry, files) {
                    return Err(KustomizeError::NotRendered {
                        file: self.file.to_owned(),
                        entry: entry.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The names of generated `ConfigMap`s whose objects carry a hash as suffix.
    pub(super) fn hashed_config_maps(&self) -> Vec<String> {
        let plain = |options: &Value| options["disableNameSuffixHash"] == Value::Bool(true);
        if plain(&self.fields["generatorOptions"]) {
            return Vec::new();
        }
        list(&self.fields["configMapGenerator"])
            .iter()
            .filter(|generator| !plain(&generator["options"]))
            .filter_map(|generator| generator["name"].as_str())
            .map(str::to_owned)
            .collect()
    }
}

/// Whether `entry` of the kustomization `file` is a rendered file, or a directory of such.
fn is_rendered(file: &str, entry: &str, files: &Files) -> bool {
    let Some(path) = resolve(file, entry) else {
        return false;
    };
    if path.is_empty() {
        return false;
    }
    let directory = format!("{path}/");
    files.contains_key(&path)
        || files
            .range(directory.clone()..)
            .next()
            .is_some_and(|(path, _)| path.starts_with(&directory))
}

/// The path that `entry` means in the kustomization `file`; none where it leads out.
fn resolve(file: &str, entry: &str) -> Option<String> {
    if entry.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in entry.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(kustomization: &str) -> Files {
        ["k8s/a.yml", "dir/sub/x.yml", "dir.yml"]
            .map(|path| (path.to_owned(), Vec::new()))
            .into_iter()
            .chain([("base/kustomization.yml".to_owned(), kustomization.into())])
            .collect()
    }

    fn check(kustomization: &str) -> Result<Vec<String>, String> {
        let files = files(kustomization);
        let read = Kustomization::read("base/kustomization.yml", &files)
            .map_err(|error| error.to_string())?
            .unwrap();
        read.check(&files).map_err(|error| error.to_string())?;
        Ok(read.hashed_config_maps())
    }

    #[test]
    fn rendered_files_and_directories_are_found() {
        let text = "resources: [../k8s/a.yml, ../dir, ./../dir/sub/, \"kind: X\\nmetadata: {}\"]";
        assert_eq!(check(text), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_rendered_is_named() {
        for entry in [
            "https://example.org/x.yaml",
            "github.com/example/repository//deploy?ref=main",
            "git@example.org:repository",
            "missing.yml",
            "../di",
            "../../outside",
            "/etc/passwd",
        ] {
            for field in LISTS {
                let message = check(&format!("{field}: ['{entry}']")).unwrap_err();
                assert_eq!(
                    message,
                    format!(
                        "base/kustomization.yml names `{entry}`, which is not among the rendered files"
                    )
                );
            }
        }
    }

    #[test]
    fn helm_charts_are_refused() {
        insta::assert_snapshot!(
            check("helmCharts: [{name: x, repo: 'https://example.org'}]").unwrap_err(),
            @"base/kustomization.yml uses `helmCharts`, which is not supported"
        );
    }

    #[test]
    fn only_hashed_config_maps_are_generators() {
        let text = "configMapGenerator: [{name: a}, {name: b, options: {disableNameSuffixHash: true}}, {}]";
        assert_eq!(check(text), Ok(vec!["a".to_owned()]));
        let text = format!("{text}\ngeneratorOptions: {{disableNameSuffixHash: true}}");
        assert_eq!(check(&text), Ok(Vec::new()));
    }

    #[test]
    fn other_yaml_is_no_kustomization() {
        for text in ["[]", "a: 1\n---\nb: 1", "a: [", ""] {
            assert!(
                check(text).unwrap_err().contains("is not a kustomization"),
                "{text}"
            );
        }
    }
}
