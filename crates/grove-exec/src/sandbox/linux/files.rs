//! Landlock: which files the program reaches, no TCP, no signals to the outside.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath,
    PathFd, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, Scope,
};

use crate::sandbox::Sandbox;

/// The newest version of Landlock whose rights were tried with this code; an older kernel gives
/// what it has.
const TRIED: ABI = ABI::V7;

/// What any program needs of the system to run at all: programs and libraries, how libraries are
/// found, time zones, names of users. Nothing here holds a secret that every user of
/// the machine could not read.
const SYSTEM: &[&str] = &[
    "/bin",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/sbin",
    "/usr",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// Confines this process to its files; `false` where the kernel has no Landlock.
pub(super) fn confine(sandbox: &Sandbox) -> Result<bool, RulesetError> {
    let read = AccessFs::from_read(TRIED);
    let all = AccessFs::from_all(TRIED);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(TRIED))?;
    if !sandbox.network {
        rules = rules.handle_access(AccessNet::from_all(TRIED))?;
    }
    let mut rules = rules.create()?;
    for path in system().iter().chain(&sandbox.read) {
        rules = allow(rules, path, read)?;
    }
    // Root could make the device of a disk there, and read it.
    let own = all & !(AccessFs::MakeBlock | AccessFs::MakeChar);
    for path in &sandbox.write {
        rules = allow(rules, path, own)?;
    }
    rules = allow(
        rules,
        Path::new("/dev/null"),
        AccessFs::ReadFile | AccessFs::WriteFile,
    )?;
    let status = rules.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// The system's files and directories that any program may read.
pub(super) fn system() -> Vec<PathBuf> {
    let paths = SYSTEM.iter().map(PathBuf::from);
    paths.chain(python_settings()).collect()
}

/// `/etc/python3…`: some distributions keep there what their Python reads at every start.
fn python_settings() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/etc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"python"))
        .map(|entry| entry.path())
        .collect()
}

/// Allows `access` to `path` and what is below it; a path that cannot be opened is passed over.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(open) = PathFd::new(path) else {
        return Ok(rules);
    };
    // The kernel refuses rights of a directory for anything else.
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(TRIED)
    };
    rules.add_rule(PathBeneath::new(open, access))
}
