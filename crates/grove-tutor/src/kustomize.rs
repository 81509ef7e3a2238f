//! Kustomize: from Tutor's files to Kubernetes objects.
//!
//! The program runs confined and without network, so a kustomization that names something remote
//! would fail there; it is refused before, with the name. One process an instance: handing several
//! instances to one process saves its start, and loses that again as Kustomize takes ever longer
//! the more objects it holds.

mod error;
mod kustomization;

use std::io;
use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use grove_core::TutorOutput;
use grove_exec::{ExecError, Invocation, Sandbox, Version, find, probe};

use crate::cache::Cache;
use crate::worker::TutorFiles;
use kustomization::Kustomization;

pub use error::KustomizeError;

/// Address space of Kustomize, in bytes; Go reserves far more than it uses.
const MEMORY: u64 = 8 << 30;

/// How long one instance may take.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Largest output, in bytes; what is parsed is bounded by the same.
const OUTPUT: usize = 64 << 20;

/// How to get the program.
const HINT: &str = "install kubectl 1.27 or later, or kustomize 5.0 or later";

/// The program that runs Kustomize: `kustomize` itself, or `kubectl`, which has it built in.
#[derive(Clone, Debug)]
pub struct Kustomizer {
    program: &'static str,
    command: &'static str,
    version: String,
}

impl Kustomizer {
    /// The one on `PATH`; `kustomize` where there are both, as it starts faster. Older versions
    /// than 5 of Kustomize do not know all that Tutor's kustomization says.
    pub fn find() -> Result<Self, KustomizeError> {
        let candidates = [
            ("kustomize", "build", &["version"][..], [5, 0]),
            (
                "kubectl",
                "kustomize",
                &["version", "--client"][..],
                [1, 27],
            ),
        ];
        let mut failed = None;
        for (program, command, args, least) in candidates {
            if find(program).is_none() {
                continue;
            }
            match probe(program, args, &Version::new(least), HINT) {
                Ok(version) => {
                    return Ok(Self {
                        program,
                        command,
                        version: format!("{program} {version}"),
                    });
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed
            .unwrap_or_else(|| ExecError::Missing {
                program: "kubectl".to_owned(),
                hint: Some(HINT.to_owned()),
            })
            .into())
    }

    /// The program and its version, as `kubectl 1.32.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Makes an instance's objects of the files that Tutor rendered for it.
    pub fn kustomize(
        &self,
        rendered: &TutorFiles,
        cache: &Cache,
    ) -> Result<TutorOutput, KustomizeError> {
        let mut output = TutorOutput {
            tasks: rendered.tasks.clone(),
            tutor_version: rendered.tutor_version.clone(),
            ..TutorOutput::default()
        };
        for file in rendered.files.keys() {
            if let Some(found) = Kustomization::read(file, &rendered.files)? {
                found.check(&rendered.files)?;
                output.generators.extend(found.hashed_config_maps());
            }
        }
        let directory = cache.scratch()?;
        write(rendered, directory.path())?;
        let text = self.run(directory.path(), cache)?;
        output.objects = grove_yaml::parse_all(&text)?;
        Ok(output)
    }

    fn run(&self, directory: &Path, cache: &Cache) -> Result<Vec<u8>, KustomizeError> {
        let outcome = Invocation::new(self.program)
            .arg(self.command)
            .arg(directory)
            .cwd(directory)
            .env("HOME", directory)
            .env("TMPDIR", directory)
            // One instance is done before collecting garbage pays, and the other processors have
            // other instances to do. The memory limit still collects where a file is odd.
            .env("GOMAXPROCS", "1")
            .env("GOGC", "off")
            .env("GOMEMLIMIT", "512MiB")
            .hint(HINT)
            .timeout(TIMEOUT)
            .output_limit(OUTPUT)
            .sandbox(Sandbox {
                launcher: cache.launcher.clone(),
                read: vec![directory.to_owned()],
                memory: Some(MEMORY),
                cpu_seconds: Some(TIMEOUT.as_secs()),
                processes: Some(256),
                ..Sandbox::default()
            })
            .run();
        match outcome {
            Ok(outcome) => Ok(outcome.stdout),
            Err(ExecError::Failed { stderr, .. }) => {
                let place = format!("{}/", directory.display());
                let text = stderr
                    .replace(&place, "")
                    .replace(place.trim_end_matches('/'), ".");
                Err(KustomizeError::Refused(reason(&text)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Writes an instance's files below `directory`. [`TutorFiles`] has no path that leads out.
fn write(rendered: &TutorFiles, directory: &Path) -> io::Result<()> {
    for (path, content) in &rendered.files {
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}

/// What kubectl says went wrong, where it says so in the form of its log: `… err="…"`.
fn reason(text: &str) -> String {
    let logged = text.split_once("err=").map(|(_, quoted)| quoted.trim());
    logged
        .and_then(|quoted| serde_json::from_str(quoted).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_taken_out_of_the_log_line() {
        assert_eq!(
            reason(r#"E1122 23:28:37.69 9642 run.go:72] "command failed" err="a \"b\": c""#),
            r#"a "b": c"#
        );
        assert_eq!(reason("error: err=x"), "error: err=x");
    }

    #[test]
    fn what_is_not_fetched_has_a_hint() {
        let error = KustomizeError::Refused("Get https://example.org".to_owned());
        assert!(error.hint().is_some());
        assert_eq!(KustomizeError::Refused("no".to_owned()).hint(), None);
    }
}
