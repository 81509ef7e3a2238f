//! Answers, checked: what a child says may come from a plugin.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use grove_core::Task;
use serde::{Deserialize, Serialize};

use super::client::from_json;
use super::error::WorkerError;
use super::frames::Frame;

/// What Tutor rendered of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TutorFiles {
    /// Content by path in Tutor's `env` directory, with `/` between parts; those that Kustomize
    /// reads, beginning with `kustomization.yml`. No path is absolute or leads out.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Init tasks in the order in which Tutor runs them.
    pub tasks: Vec<Task>,
    /// Tutor's version, as `22.0.3`.
    pub tutor_version: String,
}

/// A key that Tutor or a plugin makes a value for once, and keeps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DeclaredSecret {
    /// The configuration key.
    pub name: String,
    /// How its value comes about.
    pub class: SecretClass,
    /// The template that makes the value, as Tutor has it.
    pub expression: String,
    /// The declared keys that the expression reads.
    pub from: Vec<String>,
    /// The plugin that declares it; none for Tutor itself.
    pub plugin: Option<String>,
}

impl DeclaredSecret {
    /// Whether [`Generator`](crate::Generator) makes it.
    pub fn is_made(&self) -> bool {
        self.class != SecretClass::Fixed
    }
}

/// How the value of a [`DeclaredSecret`] comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretClass {
    /// Drawn at random.
    Generated,
    /// Computed from the keys in [`DeclaredSecret::from`].
    Derived,
    /// A constant or plain configuration: nothing to make.
    Fixed,
}

/// A job of `tutor k8s do`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct KnownJob {
    /// Its name on the command line.
    pub name: String,
    /// What it does, in a line; empty where it says nothing.
    pub help: String,
    /// Its own help: usage and options.
    pub usage: String,
}

/// What a job does, with placeholders for secrets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct JobScripts {
    /// Scripts in the order in which they run.
    pub steps: Vec<JobStep>,
    /// What was asked for without being shown. In place of the answer to the first question stands
    /// `GroveAnswer0`, and so on.
    pub asked: Vec<String>,
}

/// A script for `sh -e -c`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct JobStep {
    /// The service with whose image, configuration and secrets it runs.
    pub service: String,
    /// The script.
    pub text: String,
}

/// Takes an answer to `job` without words apart.
pub(crate) fn known_jobs(answer: &Frame) -> Result<Vec<KnownJob>, WorkerError> {
    #[derive(Deserialize)]
    struct Head {
        jobs: Vec<KnownJob>,
    }
    Ok(from_json::<Head>(answer.head())?.jobs)
}

/// Takes an answer to `job` apart.
pub(crate) fn job_scripts(answer: &Frame) -> Result<JobScripts, WorkerError> {
    from_json(answer.head())
}

/// Longest path of a rendered file, in bytes.
const MAX_PATH: usize = 1024;

impl TutorFiles {
    /// Takes an answer to `render` apart.
    pub(crate) fn parse(answer: &Frame) -> Result<Self, WorkerError> {
        #[derive(Deserialize)]
        struct Head {
            tasks: Vec<Task>,
            tutor_version: String,
        }
        let head: Head = from_json(answer.head())?;
        Ok(Self {
            files: files(answer)?,
            tasks: head.tasks,
            tutor_version: head.tutor_version,
        })
    }
}

/// Cuts the files of an answer out of its body.
fn files(answer: &Frame) -> Result<BTreeMap<String, Vec<u8>>, WorkerError> {
    #[derive(Deserialize)]
    struct Head {
        files: Vec<(String, usize)>,
    }
    let head: Head = from_json(answer.head())?;
    let mut files = BTreeMap::new();
    let mut rest = answer.body();
    for (path, length) in head.files {
        check_path(&path)?;
        let Some((content, after)) = rest.split_at_checked(length) else {
            return Err(broken("a file is longer than the answer"));
        };
        rest = after;
        if files.insert(path, content.to_vec()).is_some() {
            return Err(broken("a file comes twice"));
        }
    }
    if !rest.is_empty() {
        return Err(broken("the answer is longer than its files"));
    }
    Ok(files)
}

/// Takes an answer to `image` without a name apart.
pub(crate) fn images(answer: &Frame) -> Result<Vec<String>, WorkerError> {
    #[derive(Deserialize)]
    struct Head {
        images: Vec<String>,
    }
    Ok(from_json::<Head>(answer.head())?.images)
}

/// Takes an answer to `image` apart.
pub(crate) fn context(answer: &Frame) -> Result<BTreeMap<String, Vec<u8>>, WorkerError> {
    files(answer)
}

/// Takes an answer to `secrets` apart.
pub(crate) fn declared(answer: &Frame) -> Result<Vec<DeclaredSecret>, WorkerError> {
    #[derive(Deserialize)]
    struct Head {
        secrets: Vec<DeclaredSecret>,
    }
    Ok(from_json::<Head>(answer.head())?.secrets)
}

/// Refuses what would not stay below the directory that it is written to.
fn check_path(path: &str) -> Result<(), WorkerError> {
    let inside = !path.is_empty()
        && path.len() <= MAX_PATH
        && !path.contains(['\\', '\0'])
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
    if inside {
        Ok(())
    } else {
        Err(broken("a file has a path that leads elsewhere"))
    }
}

fn broken(message: &str) -> WorkerError {
    WorkerError::Protocol(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(files: &serde_json::Value, body: &[u8]) -> Result<TutorFiles, WorkerError> {
        let head = serde_json::json!({
            "files": files,
            "tasks": [{"service": "lms", "app": null, "text": "true"}],
            "tutor_version": "22.0.3",
        });
        TutorFiles::parse(&Frame::new(&head, &[body]).unwrap())
    }

    #[test]
    fn files_are_cut_out_of_the_body() {
        let found = answer(&serde_json::json!([["a", 2], ["b/c", 1]]), b"\0\xffx").unwrap();
        let files = BTreeMap::from([
            ("a".to_owned(), vec![0, 255]),
            ("b/c".to_owned(), b"x".to_vec()),
        ]);
        assert_eq!(found.files, files);
        assert_eq!(found.tasks[0].app, None);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let long = "x".repeat(2000);
        for path in ["/etc/x", "../x", "a/../../x", "", "a\\b", "a\0", ".", &long] {
            assert!(
                answer(&serde_json::json!([[path, 1]]), b"x").is_err(),
                "{path}"
            );
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for files in [
            serde_json::json!([["a", 3]]),
            serde_json::json!([["a", 1]]),
            serde_json::json!([["a", u64::MAX]]),
            serde_json::json!([["a", 1], ["a", 1]]),
            serde_json::json!([["a", -1]]),
        ] {
            assert!(answer(&files, b"xy").is_err(), "{files}");
        }
    }
}
