//! Locking a distribution: from versions and commits to files with hashes.
//!
//! Tutor and its plugins are published as source archives alone, and a plugin may come from a
//! commit: both are built to wheels first, confined and without network, with build
//! back ends that the lock pins too. Then uv resolves everything, from wheels only, so that no
//! package's code runs in it. At last the installed distribution is asked, confined again, which
//! plugins and secrets it has.

mod inspect;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use grove_core::{Distribution, Lock, LockedPlugin, Requirement, Wheel};
use sha2::{Digest as _, Sha256};

use crate::cache::{Cache, Progress};
use crate::environment::environment;
use crate::error::Error;
use crate::local::{self, Local};
use crate::pins::{self, Pin, normal};
use crate::tools::Tools;
use crate::wheels::build::Builder;
use crate::wheels::resolve;
use crate::wheels::source::{self, Source};

/// Locks a distribution and gives the text of its lock. What it installs on the way stays in the
/// cache, for the distribution's first use.
pub fn lock(
    distribution: &Distribution,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<String, Error> {
    let named = named(distribution);
    for (name, requirement) in &named {
        source::check(name, requirement)?;
    }
    let tools = Tools::obtain(cache, progress)?;
    let built = build(&named, cache, &tools, progress)?;
    progress.step("resolving requirements");
    let pins = resolve(&named, &built, &tools)?;
    let mut lock = Lock {
        version: Lock::VERSION,
        input: distribution.input(),
        requirements: pins::print(&pins, |_| None),
        ..Lock::default()
    };
    for (name, package) in built {
        let build = package.wheel.build.clone();
        lock.builds.insert(build, package.requirements);
        lock.wheels.insert(name, package.wheel);
    }
    let environment = environment(&lock, cache, progress)?;
    progress.step("asking the plugins for their secrets");
    let found = inspect::inspect(&environment, cache)?;
    for package in distribution.plugins.keys() {
        let mut packages = found.plugins.values().map(|plugin| normal(&plugin.package));
        if !packages.any(|carrier| carrier == normal(package)) {
            return Err(Error::NotAPlugin(package.clone()));
        }
    }
    lock.tutor = found.tutor;
    lock.secrets = found.secrets;
    for (name, plugin) in found.plugins {
        let plugin = LockedPlugin {
            package: normal(&plugin.package),
            version: plugin.version,
            secrets: plugin.secrets,
        };
        lock.plugins.insert(name, plugin);
    }
    Ok(lock.to_text())
}

/// A package that Grove built.
struct Package {
    version: String,
    local: Local,
    wheel: Wheel,
    /// The pinned requirements of its build.
    requirements: String,
}

/// Everything that a distribution names, by normalised package name.
fn named(distribution: &Distribution) -> BTreeMap<String, &Requirement> {
    let tutor = ("tutor".to_owned(), &distribution.tutor);
    distribution
        .plugins
        .iter()
        .chain(&distribution.packages)
        .map(|(name, requirement)| (normal(name), requirement))
        .chain([tutor])
        .collect()
}

/// Builds what has no wheel in the package index.
fn build(
    named: &BTreeMap<String, &Requirement>,
    cache: &Cache,
    tools: &Tools,
    progress: &dyn Progress,
) -> Result<BTreeMap<String, Package>, Error> {
    // Everything is fetched before anything is built: what is missing shows at once.
    let mut sources = Vec::new();
    for (name, requirement) in named {
        progress.step(&format!("fetching {name}"));
        let source = match requirement {
            Requirement::Version(version) => Source::archive(name, version, cache, tools)?,
            Requirement::Git { git, rev } => Some(Source::git(git, rev, cache)?),
        };
        sources.extend(source.map(|source| (name, requirement, source)));
    }
    let builder = Builder::new(cache, tools);
    let mut built = BTreeMap::new();
    for (name, requirement, source) in sources {
        progress.step(&format!("building {name}"));
        let requirements = builder.requirements(name, &source)?;
        let wheel = builder.wheel(name, &source, &requirements)?;
        let local = local::keep(cache, &wheel.file, &wheel.content)?;
        let (git, rev) = match requirement {
            Requirement::Git { git, rev } => (git.clone(), rev.clone()),
            Requirement::Version(_) => (String::new(), String::new()),
        };
        let package = Package {
            version: wheel.version,
            wheel: Wheel {
                git,
                rev,
                archive: source.sha256,
                file: wheel.file,
                sha256: local.sha256.clone(),
                build: format!("{:x}", Sha256::digest(&requirements))[..8].to_owned(),
            },
            requirements,
            local,
        };
        built.insert(name.clone(), package);
    }
    Ok(built)
}

/// Resolves everything to pins. What was built has the hashes of its wheel and, where it comes from
/// the package index, of its source archive, so that pip can install from the lock without Grove.
fn resolve(
    named: &BTreeMap<String, &Requirement>,
    built: &BTreeMap<String, Package>,
    tools: &Tools,
) -> Result<Vec<Pin>, Error> {
    let mut input = String::new();
    for (name, requirement) in named {
        let _ = match (built.get(name), requirement) {
            (Some(package), _) => writeln!(input, "{name} @ {}", package.local.url()),
            (None, Requirement::Version(version)) => {
                writeln!(input, "{name}=={version}")
            }
            (None, Requirement::Git { .. }) => Ok(()),
        };
    }
    let mut text = resolve::compile(tools, &input)?;
    for (name, package) in built {
        let place = format!("{name} @ {}", package.local.url());
        text = text.replace(&place, &format!("{name}=={}", package.version));
    }
    let mut pins = pins::parse(&text)?;
    for pin in &mut pins {
        if let Some(package) = built.get(&normal(&pin.name)) {
            pin.hashes = [&package.wheel.archive, &package.wheel.sha256]
                .into_iter()
                .filter(|hash| !hash.is_empty())
                .cloned()
                .collect();
        }
    }
    Ok(pins)
}
