//! Building wheels: confined, without network, with back ends that the lock pins.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use fs_err as fs;
use grove_exec::{ExecError, Invocation};
use serde::Deserialize;

use super::resolve;
use super::source::Source;
use crate::cache::Cache;
use crate::error::Error;
use crate::install::{install, limits};
use crate::local::is_file_name;
use crate::pins::{self, normal};
use crate::tools::Tools;

/// The script that builds.
const BUILD: &str = include_str!("../../../../worker/build_wheel.py");

/// A wheel that was just built.
#[derive(Debug)]
pub(crate) struct Built {
    /// Its file name.
    pub(crate) file: String,
    /// The version in its name.
    pub(crate) version: String,
    /// Its bytes.
    pub(crate) content: Vec<u8>,
}

/// Builds wheels. Sources with the same back ends share an environment for it.
pub(crate) struct Builder<'a> {
    /// Where wheels are kept.
    pub(crate) cache: &'a Cache,
    /// uv and pip.
    pub(crate) tools: &'a Tools,
    /// By the requirements' text.
    environments: RefCell<BTreeMap<String, Rc<tempfile::TempDir>>>,
    /// What declared requirements resolved to.
    resolved: RefCell<BTreeMap<Vec<String>, String>>,
}

/// What the script writes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    requires: Vec<String>,
    wheel: String,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(cache: &'a Cache, tools: &'a Tools) -> Self {
        Self {
            cache,
            tools,
            environments: RefCell::default(),
            resolved: RefCell::default(),
        }
    }

    /// The pinned requirements of a source's build, as lines of a requirements file.
    pub(crate) fn requirements(&self, package: &str, source: &Source) -> Result<String, Error> {
        let work = self.cache.scratch()?;
        let mut requires = self
            .step("declared", package, source, self.tools.root(), work.path())?
            .requires;
        let pinned = self.resolve(&requires)?;
        let environment = self.environment(&pinned)?;
        let asked = self
            .step("asked", package, source, environment.path(), work.path())?
            .requires;
        let new: Vec<String> = asked
            .into_iter()
            .filter(|asked| !requires.contains(asked))
            .collect();
        if new.is_empty() {
            return Ok(pinned);
        }
        requires.extend(new);
        self.resolve(&requires)
    }

    /// Builds a wheel with the pinned requirements of its build.
    pub(crate) fn wheel(
        &self,
        package: &str,
        source: &Source,
        build: &str,
    ) -> Result<Built, Error> {
        let work = self.cache.scratch()?;
        let environment = self.environment(build)?;
        let file = self
            .step("wheel", package, source, environment.path(), work.path())?
            .wheel;
        if !is_file_name(&file) {
            return Err(Error::NotPure {
                package: package.to_owned(),
                file,
            });
        }
        // `<name>-<version>-<tags>.whl`, and neither has a dash in it.
        let mut parts = file.split('-');
        let (name, version) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        if normal(name) != normal(package) {
            return Err(Error::WrongPackage {
                place: source.place.clone(),
                package: package.to_owned(),
                found: name.to_owned(),
            });
        }
        Ok(Built {
            version: version.to_owned(),
            content: fs::read(work.path().join("wheel").join(&file))?,
            file,
        })
    }

    fn resolve(&self, requires: &[String]) -> Result<String, Error> {
        let mut requires = requires.to_vec();
        requires.sort();
        if let Some(pinned) = self.resolved.borrow().get(&requires) {
            return Ok(pinned.clone());
        }
        // What a source asks for is a name with conditions, and never an option or a URL.
        for line in &requires {
            let plain = line.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
            let named = line.starts_with(|c: char| c.is_ascii_alphanumeric());
            if !plain || !named || line.contains('@') || line.contains(" -") {
                return Err(Error::Invalid {
                    what: "the build requirement",
                    text: line.clone(),
                });
            }
        }
        let mut text = requires.join("\n");
        text.push('\n');
        let pinned = pins::print(&pins::parse(&resolve::compile(self.tools, &text)?)?, |_| {
            None
        });
        self.resolved.borrow_mut().insert(requires, pinned.clone());
        Ok(pinned)
    }

    /// An environment that holds a build's requirements.
    fn environment(&self, pinned: &str) -> Result<Rc<tempfile::TempDir>, Error> {
        if let Some(environment) = self.environments.borrow().get(pinned) {
            return Ok(Rc::clone(environment));
        }
        let environment = self.cache.scratch()?;
        let pins = pins::parse(pinned)?;
        install(
            environment.path(),
            &pins,
            &BTreeMap::new(),
            self.tools,
            self.cache,
        )?;
        let environment = Rc::new(environment);
        let shared = Rc::clone(&environment);
        self.environments
            .borrow_mut()
            .insert(pinned.to_owned(), shared);
        Ok(environment)
    }

    /// Runs one step of the script in the environment `python`.
    fn step(
        &self,
        step: &str,
        package: &str,
        source: &Source,
        python: &Path,
        work: &Path,
    ) -> Result<Answer, Error> {
        let result = work.join(format!("{step}.json"));
        // A source tree is changed by builds; an archive is unpacked into the work directory.
        let mut write = vec![work.to_owned()];
        let mut read = vec![
            python.to_owned(),
            self.tools.python.prefix.clone(),
            self.tools.python.executable.clone(),
        ];
        if source.path.is_dir() {
            write.push(source.path.clone());
        } else {
            read.push(source.path.clone());
        }
        Invocation::new(python.join("bin/python"))
            .args(["-s", "-"])
            .arg(step)
            .arg(&source.path)
            .arg(work)
            .arg(&result)
            .stdin(BUILD)
            .cwd(work)
            .sandbox(limits(self.cache, read, write))
            .env("HOME", work)
            .env("TMPDIR", work)
            .env("TZ", "UTC")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SOURCE_DATE_EPOCH", source.epoch.to_string())
            .timeout(Duration::from_mins(10))
            .run()
            .map_err(|error| match error {
                ExecError::Failed { .. } | ExecError::TimedOut { .. } => Error::Build {
                    package: package.to_owned(),
                    reason: error.to_string(),
                },
                other => other.into(),
            })?;
        serde_json::from_slice(&fs::read(&result)?).map_err(|error| Error::Answer {
            script: "build_wheel.py",
            reason: error.to_string(),
        })
    }
}
