//! Programs that are built from pinned Go modules, and files that those modules bring.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::Error;

/// `e2e/`: a folder a module, with `go.mod`, `go.sum` and a file that names the packages.
static MODULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../e2e");

/// A program and the package that it is built from.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The folder of `e2e/`.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The Go package.
    pub package: &'static str,
}

/// A Go module of which files are read, as it is pinned by a folder of `e2e/`.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// The folder of `e2e/`.
    pub module: &'static str,
    /// Its path.
    pub path: &'static str,
}

macro_rules! programs {
    ($($(#[$doc:meta])* $constant:ident: $module:literal $name:literal $package:literal;)*) => {
        $($(#[$doc])* pub(crate) const $constant: Program = Program { module: $module, name: $name, package: $package };)*
        /// Every program of a control plane.
        pub const ALL: &[Program] = &[$($constant),*];
    };
}

programs! {
    /// The store.
    ETCD: "etcd" "etcd" "go.etcd.io/etcd/server/v3";
    /// The API server.
    API_SERVER: "control-plane" "kube-apiserver" "k8s.io/kubernetes/cmd/kube-apiserver";
    /// Argo CD, every component of it.
    ARGO_CD: "control-plane" "argocd" "github.com/argoproj/argo-cd/v3/cmd";
    /// Kubernetes' controllers.
    CONTROLLER_MANAGER: "control-plane" "kube-controller-manager" "k8s.io/kubernetes/cmd/kube-controller-manager";
    /// The scheduler.
    SCHEDULER: "control-plane" "kube-scheduler" "k8s.io/kubernetes/cmd/kube-scheduler";
    /// Simulated nodes and pods.
    KWOK: "kwok" "kwok" "sigs.k8s.io/kwok/cmd/kwok";
    /// The controller that opens sealed secrets.
    SEALED_SECRETS: "kubeseal" "sealed-secrets-controller" "github.com/bitnami-labs/sealed-secrets/cmd/controller";
    /// Renders charts for Argo CD.
    HELM: "helm" "helm" "helm.sh/helm/v3/cmd/helm";
}

/// Argo CD's module: install manifests, CRDs and the scripts that its repo server calls.
pub const ARGO_CD_MODULE: Module = Module {
    module: "control-plane",
    path: "github.com/argoproj/argo-cd/v3",
};
/// The series of Argo CD before: the install manifests that an upgrade starts from.
pub const ARGO_CD_BEFORE_MODULE: Module = Module {
    module: "argo-cd-before",
    path: "github.com/argoproj/argo-cd/v3",
};
/// KWOK's module: the stages of nodes, pods and volumes.
pub const KWOK_MODULE: Module = Module {
    module: "kwok",
    path: "sigs.k8s.io/kwok",
};
/// The module of Sealed Secrets: its CRD.
pub const SEALED_SECRETS_MODULE: Module = Module {
    module: "kubeseal",
    path: "github.com/bitnami-labs/sealed-secrets",
};
/// cert-manager's module: its CRDs.
pub const CERT_MANAGER_MODULE: Module = Module {
    module: "cert-manager",
    path: "github.com/cert-manager/cert-manager",
};

/// Velero's module: its CRDs.
pub const VELERO_MODULE: Module = Module {
    module: "velero",
    path: "github.com/vmware-tanzu/velero",
};

/// Builds programs where the cache does not have them.
#[derive(Clone, Debug)]
pub struct Programs {
    cache: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    dir: Option<PathBuf>,
}

impl Programs {
    /// Programs that are kept in `cache`, each under a name that changes with its pin.
    pub fn new(cache: &Path) -> Self {
        Self {
            cache: cache.to_owned(),
        }
    }

    /// Whether a program is built.
    pub fn has(&self, program: Program) -> bool {
        self.path(program).is_file()
    }

    /// The path of a program, which is built where the cache does not have it.
    pub fn get(&self, program: Program) -> Result<PathBuf, Error> {
        let path = self.path(program);
        if path.is_file() {
            return Ok(path);
        }
        let directory = path.parent().unwrap_or(&self.cache);
        fs_err::create_dir_all(directory)?;
        // Built beside its place, then renamed: an interrupted build leaves no half a program.
        let building = directory.join(format!("{}.{}", program.name, std::process::id()));
        let out = building.display().to_string();
        self.go(
            program.module,
            &[
                "build",
                "-mod=readonly",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags=-s -w",
                "-o",
                &out,
                program.package,
            ],
        )?;
        fs_err::rename(&building, &path)?;
        Ok(path)
    }

    /// The directory of a module's files.
    pub fn directory(&self, module: Module) -> Result<PathBuf, Error> {
        self.go(module.module, &["mod", "download", module.path])?;
        let text = self.go(
            module.module,
            &["list", "-mod=readonly", "-m", "-json", module.path],
        )?;
        let listed: Listed = serde_json::from_str(&text).map_err(|error| Error::Invalid {
            what: "the answer of `go list`".to_owned(),
            message: error.to_string(),
        })?;
        listed.dir.ok_or_else(|| Error::Invalid {
            what: "the answer of `go list`".to_owned(),
            message: format!("it names no directory of {}", module.path),
        })
    }

    fn path(&self, program: Program) -> PathBuf {
        let name = program.name;
        self.cache
            .join(format!("{name}-{}", pin(program.module)))
            .join(name)
    }

    /// Runs `go` in a copy of the module's folder, which is the same wherever this program runs.
    fn go(&self, module: &str, arguments: &[&str]) -> Result<String, Error> {
        let directory = self
            .cache
            .join("modules")
            .join(format!("{module}-{}", pin(module)));
        if !directory.join("go.mod").is_file() {
            fs_err::create_dir_all(&self.cache)?;
            let beside = tempfile::tempdir_in(&self.cache)?;
            for file in MODULES.get_dir(module).into_iter().flat_map(Dir::files) {
                if let Some(name) = file.path().file_name() {
                    fs_err::write(beside.path().join(name), file.contents())?;
                }
            }
            if let Some(parent) = directory.parent() {
                fs_err::create_dir_all(parent)?;
            }
            // Another process may have been faster: its copy is the same.
            if fs_err::rename(beside.path(), &directory).is_ok() {
                let _gone = beside.keep();
            }
        }
        let output = command("go")
            .current_dir(&directory)
            .args(arguments)
            .env("CGO_ENABLED", "0")
            .env("GOTOOLCHAIN", "auto")
            .env_remove("GOFLAGS")
            .stdin(Stdio::null())
            .output()
            .map_err(|_| Error::Missing {
                program: "go",
                package: "golang",
            })?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            return Err(Error::Build {
                module: module.to_owned(),
                arguments: arguments.first().copied().unwrap_or_default().to_owned(),
                message: lines[lines.len().saturating_sub(8)..].join("\n"),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The first 16 hexadecimal digits of the SHA-256 over a module's `go.mod` and `go.sum`.
fn pin(module: &str) -> String {
    let mut hash = Sha256::new();
    for name in ["go.mod", "go.sum"] {
        let bytes = MODULES
            .get_file(format!("{module}/{name}"))
            .map_or(&[][..], include_dir::File::contents);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// A command of the machine's.
#[expect(
    clippy::disallowed_methods,
    reason = "a control plane is made of long-lived programs, which outlive what started them"
)]
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}
