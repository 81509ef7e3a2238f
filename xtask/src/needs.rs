//! What a suite needs of the machine.

use std::process::Command;

use anyhow::Result;

use crate::{context::Context, process, python, tools};

/// Something that a machine has or lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// `git`.
    Git,
    /// `go`, and a registry of its modules where a tool is not built yet.
    Go,
    /// `kubectl` or `kustomize`; without either, Go to build it.
    Kustomize,
    /// `redis-server`.
    Redis,
    /// `kubectl`.
    Kubectl,
    /// `MariaDB`'s programs, and the headers with which its driver is built.
    MariaDb,
    /// PostgreSQL's programs, on `PATH` or where Debian has them.
    Postgres,
    /// Python ≥ 3.10 with `venv`.
    Python,
    /// A Python package index.
    PackageIndex,
}

impl Need {
    /// What the machine lacks, if it lacks it.
    pub(crate) fn lack(self, context: &Context) -> Option<&'static str> {
        let (there, lack) = match self {
            Self::Git => (runs("git", &["--version"]), "`git` is not on PATH"),
            Self::Go => (runs("go", &["version"]), "`go` is not on PATH"),
            Self::Kustomize => (
                has_kustomize() || runs("go", &["version"]),
                "none of `kubectl`, `kustomize` and `go` is on PATH",
            ),
            Self::Redis => (
                runs("redis-server", &["--version"]),
                "`redis-server` is not on PATH (Debian's package is `redis-server`)",
            ),
            Self::Kubectl => (
                runs("kubectl", &["version", "--client"]),
                "`kubectl` is not on PATH",
            ),
            Self::MariaDb => (
                runs("mariadbd", &["--version"]) && runs("mariadb_config", &["--version"]),
                "MariaDB is not installed (Debian's packages are `mariadb-server`, `libmariadb-dev`, `pkg-config` and `python3-dev`)",
            ),
            Self::Postgres => (
                postgres().is_some(),
                "PostgreSQL is not installed (Debian's package is `postgresql`)",
            ),
            Self::Python => (
                python::works(),
                "`python3` is not 3.10 or later with `venv`",
            ),
            Self::PackageIndex => (
                python::index_is_reached(context),
                "the Python package index cannot be reached, and not every environment is cached",
            ),
        };
        (!there).then_some(lack)
    }
}

/// The directory with `initdb` and `postgres`: where Debian has them, else on `PATH`.
pub(crate) fn postgres() -> Option<std::path::PathBuf> {
    let installed = fs_err::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let installed = installed.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .chain(std::env::split_paths(&path).collect::<Vec<_>>())
        .find(|directory| directory.join("initdb").is_file())
}

/// Whether Tutor's environment can be built as it is.
fn has_kustomize() -> bool {
    runs("kubectl", &["version", "--client"]) || runs("kustomize", &["version"])
}

/// A directory with `kustomize`, to be put on `PATH`, where the machine has no program for that.
pub(crate) fn kustomize(context: &Context) -> Result<Option<std::path::PathBuf>> {
    if has_kustomize() {
        return Ok(None);
    }
    let program = tools::KUSTOMIZE.get(context)?;
    Ok(program.parent().map(ToOwned::to_owned))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    process::succeeds(Command::new(program).args(arguments))
}
