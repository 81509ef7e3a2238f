//! Programs that tests and checks need and a machine may lack. Each is pinned, comes from a package
//! registry, and is kept in the cache under a name that changes with its pin.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use sha2::{Digest as _, Sha256};

use crate::{context::Context, process};

/// A program that is built from the Go module that `e2e/<name>` pins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GoTool {
    /// The program, and its folder under `e2e/`.
    pub(crate) name: &'static str,
    package: &'static str,
    /// Whether the folder holds the program's own source, and not only the names of packages.
    is_own: bool,
    /// A file that the program's module embeds and does not bring, by its path among the modules, and its
    /// text.
    embedded: Option<(&'static str, &'static str)>,
}

/// Encrypts files of secrets.
pub(crate) const SOPS: GoTool = GoTool {
    name: "sops",
    package: "github.com/getsops/sops/v3/cmd/sops",
    is_own: false,
    embedded: None,
};
/// Opens what Grove seals with the controller's own template engine.
pub(crate) const KUBESEAL: GoTool = GoTool {
    name: "kubeseal",
    package: "github.com/bitnami-labs/sealed-secrets/cmd/kubeseal",
    is_own: false,
    embedded: None,
};
/// Builds objects from Tutor's environment, where there is no kubectl.
pub(crate) const KUSTOMIZE: GoTool = GoTool {
    name: "kustomize",
    package: "sigs.k8s.io/kustomize/kustomize/v5",
    is_own: false,
    embedded: None,
};

/// Plans and applies: tests of states use it.
pub(crate) const TOFU: GoTool = GoTool {
    name: "tofu",
    package: "github.com/opentofu/opentofu/cmd/tofu",
    is_own: false,
    embedded: None,
};

/// Serves a site as Tutor configures it: tests of redirects and of maintenance use it.
pub(crate) const CADDY: GoTool = GoTool {
    name: "caddy",
    package: "github.com/caddyserver/caddy/v2/cmd/caddy",
    is_own: false,
    embedded: None,
};

/// Speaks `MongoDB`'s protocol: tests of users and databases use it.
pub(crate) const FERRETDB: GoTool = GoTool {
    name: "ferretdb",
    package: "github.com/FerretDB/FerretDB/cmd/ferretdb",
    is_own: false,
    // It does not start without, and no release of its module has it.
    embedded: Some((
        "github.com/FerretDB/FerretDB/build/version/version.txt",
        "v1.24.2\n",
    )),
};

/// The provider of the tests of stacks: what it makes are files.
pub(crate) const PROVIDER: GoTool = GoTool {
    name: "provider",
    package: ".",
    is_own: true,
    embedded: None,
};

/// The version of cargo-deny that `cargo xtask ci` uses.
const CARGO_DENY: &str = "0.20.2";

impl GoTool {
    /// The program's path; it is built where the cache does not have it.
    pub(crate) fn get(self, context: &Context) -> Result<PathBuf> {
        let module = context.root.join("e2e").join(self.name);
        let mut pinned = vec![module.join("go.mod"), module.join("go.sum")];
        if self.is_own {
            for entry in fs_err::read_dir(&module)? {
                let path = entry?.path();
                pinned.extend((path.extension() == Some("go".as_ref())).then_some(path));
            }
            pinned.sort();
        }
        let pinned: Vec<&Path> = pinned.iter().map(PathBuf::as_path).collect();
        let pin = digest(&pinned)?;
        let directory = context
            .cache
            .join("tools")
            .join(format!("{}-{pin}", self.name));
        let program = directory.join(self.name);
        if program.is_file() {
            return Ok(program);
        }
        println!("building {} from its Go module", self.name);
        fs_err::create_dir_all(&directory)?;
        // Built beside its place, then renamed: an interrupted build leaves no half a program.
        let building = directory.join(format!("{}.{}", self.name, std::process::id()));
        let copy = directory.join(format!("modules.{}", std::process::id()));
        let (module, modules) = match self.embedded {
            None => (module, "-mod=readonly"),
            Some((file, text)) => {
                fs_err::create_dir_all(&copy)?;
                for entry in fs_err::read_dir(&module)? {
                    let entry = entry?;
                    fs_err::copy(entry.path(), copy.join(entry.file_name()))?;
                }
                process::run(
                    Command::new("go")
                        .current_dir(&copy)
                        .args(["mod", "vendor"]),
                )?;
                fs_err::write(copy.join("vendor").join(file), text)?;
                (copy.clone(), "-mod=vendor")
            }
        };
        process::run(
            Command::new("go")
                .current_dir(&module)
                .env("CGO_ENABLED", "0")
                .args(["build", modules, "-trimpath", "-ldflags=-s -w", "-o"])
                .arg(&building)
                .arg(self.package),
        )?;
        if copy.exists() {
            fs_err::remove_dir_all(&copy)?;
        }
        fs_err::rename(&building, &program)?;
        Ok(program)
    }
}

/// A directory with `cargo-deny`, to be put on `PATH`; it is installed where the cache does not
/// have it.
pub(crate) fn cargo_deny(context: &Context) -> Result<PathBuf> {
    let root = context
        .cache
        .join("tools")
        .join(format!("cargo-deny-{CARGO_DENY}"));
    let directory = root.join("bin");
    if !directory.join("cargo-deny").is_file() {
        println!("installing cargo-deny {CARGO_DENY}");
        process::run(
            process::cargo(context)
                // Its dependencies have no place among the project's.
                .env_remove("CARGO_TARGET_DIR")
                .args([
                    "install",
                    "--quiet",
                    "--locked",
                    "cargo-deny",
                    "--version",
                    CARGO_DENY,
                ])
                .arg("--root")
                .arg(&root),
        )?;
        ensure!(
            directory.join("cargo-deny").is_file(),
            "`cargo install` brought no `cargo-deny` into `{}`",
            directory.display()
        );
    }
    Ok(directory)
}

/// The first 16 hexadecimal digits of the SHA-256 of some files.
pub(crate) fn digest(files: &[&Path]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs_err::read(file)?;
        hash.update(bytes.len().to_le_bytes());
        hash.update(&bytes);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    Ok(format!("{:016x}", u64::from_be_bytes(first)))
}
