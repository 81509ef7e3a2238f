//! Git repositories with a Tutor plugin in them.

use std::path::Path;

use grove_core::Requirement;
use grove_exec::Invocation;

/// A plugin with one secret, built by Hatchling.
pub(crate) const HATCHLING: &[(&str, &str)] = &[
    (
        "pyproject.toml",
        r#"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tutor-shop"
version = "1.2.3"
dependencies = ["tutor>=20"]
[project.entry-points."tutor.plugin.v1"]
shop = "tutorshop.plugin"
[tool.hatch.build.targets.wheel]
packages = ["tutorshop"]
"#,
    ),
    ("tutorshop/__init__.py", ""),
    (
        "tutorshop/plugin.py",
        r#"
from tutor import hooks
hooks.Filters.CONFIG_UNIQUE.add_items([("SHOP_KEY", "{{ 20|random_string }}"), ("SHOP_SIZE", 3)])
"#,
    ),
];

/// A plugin without pyproject.toml, built by setuptools, whose `setup.py` shows what it can reach.
pub(crate) const SETUPTOOLS: &[(&str, &str)] = &[
    (
        "setup.py",
        r#"
import os, socket
from setuptools import setup
for name in ("HOME", "SSH_AUTH_SOCK", "PIP_INDEX_URL"):
    assert not os.environ.get(name, "").startswith(("/root", "/home", "https:")), name
try:
    socket.create_connection(("127.0.0.1", 9), timeout=5)
except PermissionError:
    pass
except OSError as error:
    assert "refused" not in str(error), error
setup(
    name="tutor_legacy",
    version="0.1",
    py_modules=["legacy"],
    entry_points={"tutor.plugin.v1": ["legacy = legacy"]},
)
"#,
    ),
    ("legacy.py", ""),
];

/// Makes a repository of one commit in `path` and gives its requirement.
pub(crate) fn commit(path: &Path, files: &[(&str, &str)]) -> Requirement {
    for (name, text) in files {
        let file = path.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let git = |args: &[&str]| {
        let git = Invocation::new("git").args(args).cwd(path);
        ["AUTHOR", "COMMITTER"]
            .iter()
            .fold(git, |git, role| {
                git.env(format!("GIT_{role}_NAME"), "tester")
                    .env(format!("GIT_{role}_EMAIL"), "tester@example.org")
                    .env(format!("GIT_{role}_DATE"), "2024-02-03T04:05:06Z")
            })
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .run()
            .unwrap()
            .text()
            .unwrap()
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "First"]);
    Requirement::Git {
        git: format!("file://{}", path.display()),
        rev: git(&["rev-parse", "HEAD"]).trim().to_owned(),
    }
}
