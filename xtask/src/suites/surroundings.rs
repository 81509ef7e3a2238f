//! What each suite brings for its tests: programs that are built or installed once, and where they are.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{context::Context, control_plane, needs, python, tools};

/// What the tests of a suite find around them.
#[derive(Default)]
pub(super) struct Surroundings {
    pub(super) variables: Vec<(&'static str, PathBuf)>,
    /// Of programs that are found by name.
    pub(super) directories: Vec<PathBuf>,
    /// How many run at once, where not as many as the machine has cores.
    pub(super) threads: Option<&'static str>,
}

#[expect(clippy::unnecessary_wraps, reason = "what others bring may not be had")]
pub(super) fn nothing(_: &Context) -> Result<Surroundings> {
    Ok(Surroundings::default())
}

pub(super) fn seal(context: &Context) -> Result<Surroundings> {
    Ok(Surroundings {
        variables: vec![
            ("GROVE_TEST_SOPS", tools::SOPS.get(context)?),
            ("GROVE_TEST_KUBESEAL", tools::KUBESEAL.get(context)?),
        ],
        ..Surroundings::default()
    })
}

pub(super) fn split(context: &Context) -> Result<Surroundings> {
    Ok(Surroundings {
        variables: vec![("GROVE_TEST_TOFU", tools::TOFU.get(context)?)],
        ..Surroundings::default()
    })
}

pub(super) fn stacks(context: &Context) -> Result<Surroundings> {
    Ok(Surroundings {
        variables: vec![
            ("GROVE_TEST_TOFU", tools::TOFU.get(context)?),
            ("GROVE_TEST_PROVIDER", tools::PROVIDER.get(context)?),
            ("GROVE_TEST_S3", python::s3(context)?),
            ("GROVE_TEST_POSTGRES", needs::postgres().unwrap_or_default()),
        ],
        ..Surroundings::default()
    })
}

pub(super) fn tutor(context: &Context) -> Result<Surroundings> {
    Ok(Surroundings {
        directories: needs::kustomize(context)?.into_iter().collect(),
        ..Surroundings::default()
    })
}

pub(super) fn features(context: &Context) -> Result<Surroundings> {
    Ok(Surroundings {
        variables: vec![
            ("GROVE_TEST_CADDY", tools::CADDY.get(context)?),
            ("GROVE_TEST_DJANGO", python::waffle(context)?),
        ],
        directories: kustomize_and_sops(context)?,
        ..Surroundings::default()
    })
}

pub(super) fn data_services(context: &Context) -> Result<Surroundings> {
    let lock = |name: &str| context.root.join("e2e").join(name).join("requirements.txt");
    let drivers = python::environment(context, &lock("data"))?;
    let s3 = python::environment(context, &lock("s3"))?;
    Ok(Surroundings {
        variables: vec![
            ("GROVE_TEST_DATA_PYTHON", drivers.program("python")),
            ("GROVE_TEST_S3", s3.program("moto_server")),
            ("GROVE_TEST_FERRETDB", tools::FERRETDB.get(context)?),
        ],
        directories: needs::kustomize(context)?.into_iter().collect(),
        ..Surroundings::default()
    })
}

pub(super) fn main_path(context: &Context) -> Result<Surroundings> {
    Ok(Surroundings {
        variables: vec![
            ("GROVE_TEST_SOPS", tools::SOPS.get(context)?),
            ("GROVE_TEST_KUBESEAL", tools::KUBESEAL.get(context)?),
        ],
        directories: kustomize_and_sops(context)?,
        ..Surroundings::default()
    })
}

/// Each test has control planes of its own; more than two at once would not be faster on two cores.
pub(super) fn on_clusters(context: &Context) -> Result<Surroundings> {
    control_plane::build(context)?;
    let logs = context.cache.join("e2e-logs");
    fs_err::create_dir_all(&logs)?;
    println!("logs of failing tests are kept in {}", logs.display());
    Ok(Surroundings {
        variables: vec![
            ("GROVE_TEST_PROGRAMS", control_plane::programs(context)),
            ("GROVE_TEST_LOGS", logs),
            ("GROVE_TEST_TOFU", tools::TOFU.get(context)?),
            ("GROVE_TEST_PROVIDER", tools::PROVIDER.get(context)?),
        ],
        threads: Some("2"),
        ..Surroundings::default()
    })
}

/// Where `kustomize`, if the machine has no program for that, and `sops` are.
fn kustomize_and_sops(context: &Context) -> Result<Vec<PathBuf>> {
    let sops = tools::SOPS.get(context)?;
    let kustomize = needs::kustomize(context)?;
    let sops = sops.parent().map(Path::to_owned);
    Ok(kustomize.into_iter().chain(sops).collect())
}
