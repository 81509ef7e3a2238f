//! `cargo xtask test`: the suites. A new one is an entry in [`SUITES`].

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{
    build::{Kind, TestBinary},
    context::Context,
    control_plane,
    needs::{self, Need},
    process, python,
    report::{Outcome, Report},
    tally::Tally,
    tools,
};

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only this suite; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = NAMES)]
    only: Vec<String>,
    /// List the suites instead of running them.
    #[arg(long)]
    list: bool,
}

/// A named part of the tests.
struct Suite {
    name: &'static str,
    /// What it shows, in a few words.
    about: &'static str,
    /// Without these it is skipped, and fails where nothing may be skipped.
    needs: &'static [Need],
    run: fn(&Context, &mut Tally) -> Result<()>,
}

const NAMES: [&str; 11] = [
    "unit",
    "cli",
    "seal",
    "split",
    "stacks",
    "tutor",
    "features",
    "data-services",
    "main-path",
    "operate",
    "e2e",
];

/// The tests of the suite `split`, which are in one program with those of `main-path`.
const SPLIT: &str = "state::";

/// Those of the suite `features`.
const FEATURES: &str = "features::";

/// Those of the suite `data-services`.
const DATA_SERVICES: &str = "data_services::";

/// The tests of the suite `operate`, which are in one program with those of `e2e`.
const OPERATE: &str = "operate::";

/// Those of the suite `stacks`.
const STACKS: &str = "stacks::";

/// What a control plane of one's own needs.
const ON_CLUSTERS: &[Need] = &[
    Need::Git,
    Need::Go,
    Need::Redis,
    Need::Kubectl,
    Need::Python,
    Need::PackageIndex,
];

/// Every suite, quick ones first.
const SUITES: [Suite; NAMES.len()] = [
    Suite {
        name: NAMES[0],
        about: "each crate by itself, and the examples in the documentation",
        needs: &[Need::Git],
        run: unit,
    },
    Suite {
        name: NAMES[1],
        about: "what the commands print, in a world of their own",
        needs: &[Need::Git],
        run: cli,
    },
    Suite {
        name: NAMES[2],
        about: "secrets against the real sops and kubeseal",
        needs: &[Need::Go],
        run: seal,
    },
    Suite {
        name: NAMES[3],
        about: "a combined state taken apart, with the real OpenTofu, and Terraform where installed",
        needs: &[Need::Git, Need::Go],
        run: split,
    },
    Suite {
        name: NAMES[4],
        about: "infrastructure with the real OpenTofu, Terraform where installed, and real back ends",
        needs: &[
            Need::Git,
            Need::Go,
            Need::Postgres,
            Need::Python,
            Need::PackageIndex,
        ],
        run: stacks,
    },
    Suite {
        name: NAMES[5],
        about: "the worker and its environments, with the real Tutor",
        needs: &[Need::Python, Need::PackageIndex, Need::Kustomize],
        run: tutor,
    },
    Suite {
        name: NAMES[6],
        about: "what is said of a site, with the real Tutor, served by the real Caddy",
        needs: &[
            Need::Git,
            Need::Go,
            Need::Python,
            Need::PackageIndex,
            Need::Kustomize,
        ],
        run: features,
    },
    Suite {
        name: NAMES[7],
        about: "users, databases and buckets on the real MariaDB, FerretDB, Redis and a server that speaks S3",
        needs: &[
            Need::Git,
            Need::Go,
            Need::MariaDb,
            Need::Redis,
            Need::Python,
            Need::PackageIndex,
            Need::Kustomize,
        ],
        run: data_services,
    },
    Suite {
        name: NAMES[8],
        about: "from a fleet to a rollback, with the real Tutor, sops and Git remotes",
        needs: &[
            Need::Git,
            Need::Go,
            Need::Python,
            Need::PackageIndex,
            Need::Kustomize,
        ],
        run: main_path,
    },
    Suite {
        name: NAMES[9],
        about: "a site's daily tasks on a real control plane with Argo CD",
        needs: ON_CLUSTERS,
        run: operate,
    },
    Suite {
        name: NAMES[10],
        about: "bootstrap, sync and faults on a real control plane with Argo CD",
        needs: ON_CLUSTERS,
        run: e2e,
    },
];

/// Runs the suites that are asked for and says whether all passed.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> bool {
    let asked = |suite: &&Suite| {
        arguments.only.is_empty() || arguments.only.iter().any(|name| name == suite.name)
    };
    if arguments.list {
        for suite in SUITES.iter().filter(asked) {
            println!("{:<12} {}", suite.name, suite.about);
        }
        return true;
    }
    let mut report = Report::default();
    let mut total = Tally::default();
    for suite in SUITES.iter().filter(asked) {
        report.run(suite.name, suite.about, || {
            let mut tally = Tally::default();
            let outcome = run_suite(context, suite, &mut tally);
            if matches!(outcome, Outcome::Failed(_)) && tally.failed == 0 {
                // A suite that could not run is a failure too.
                tally.failed = 1;
            }
            total.add(&tally);
            outcome
        });
    }
    report.print();
    // The form in which test runners close; counted are tests, not suites.
    println!("\n{} passed, {} failed", total.passed, total.failed);
    report.passed()
}

fn run_suite(context: &Context, suite: &Suite, tally: &mut Tally) -> Outcome {
    if let Some(lack) = suite.needs.iter().find_map(|need| need.lack(context)) {
        return if context.ci {
            Outcome::Failed(format!("{lack}, and with CI=true nothing is skipped"))
        } else {
            Outcome::Skipped(lack.to_owned())
        };
    }
    match (suite.run)(context, tally) {
        Err(error) => Outcome::Failed(format!("{error:#}")),
        Ok(()) if tally.failed > 0 => Outcome::Failed(format!("{} tests failed", tally.failed)),
        Ok(()) if tally.passed == 0 => Outcome::Failed("it ran no test".to_owned()),
        Ok(()) => Outcome::Passed(format!("{} tests", tally.passed)),
    }
}

/// Everything that is not ignored, but for the command line's.
fn unit(context: &Context, tally: &mut Tally) -> Result<()> {
    for binary in context
        .build()?
        .tests
        .iter()
        .filter(|binary| !is_command_line(binary))
    {
        binary.run(&[], &[], tally)?;
    }
    println!("\n--- examples in the documentation");
    let mut command = process::cargo(context);
    command.args(["test", "--workspace", "--doc"]);
    tally.watch(&mut command)
}

fn cli(context: &Context, tally: &mut Tally) -> Result<()> {
    run_binaries(context, is_command_line, &[], &[], tally)
}

fn seal(context: &Context, tally: &mut Tally) -> Result<()> {
    let variables = [
        ("GROVE_TEST_SOPS", tools::SOPS.get(context)?),
        ("GROVE_TEST_KUBESEAL", tools::KUBESEAL.get(context)?),
    ];
    let is_seal = |binary: &TestBinary| binary.package == "grove-seal";
    run_binaries(
        context,
        is_seal,
        &["--ignored"],
        &with_path(&variables, &[])?,
        tally,
    )
}

fn split(context: &Context, tally: &mut Tally) -> Result<()> {
    let variables = [("GROVE_TEST_TOFU", tools::TOFU.get(context)?)];
    let variables = with_path(&variables, &[])?;
    let arguments = ["--ignored", SPLIT];
    run_binaries(context, is_command_line, &arguments, &variables, tally)
}

fn stacks(context: &Context, tally: &mut Tally) -> Result<()> {
    let variables = [
        ("GROVE_TEST_TOFU", tools::TOFU.get(context)?),
        ("GROVE_TEST_PROVIDER", tools::PROVIDER.get(context)?),
        ("GROVE_TEST_S3", python::s3(context)?),
        ("GROVE_TEST_POSTGRES", needs::postgres().unwrap_or_default()),
    ];
    let variables = with_path(&variables, &[])?;
    let arguments = ["--ignored", STACKS];
    run_binaries(context, is_command_line, &arguments, &variables, tally)
}

fn tutor(context: &Context, tally: &mut Tally) -> Result<()> {
    for environment in python::environments(context)? {
        println!("\n--- worker, in the environment of {}", environment.name);
        let mut command = Command::new(environment.program("python"));
        command
            .current_dir(&context.root)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args([
                "-m",
                "unittest",
                "discover",
                "--start-directory",
                "worker/tests",
            ]);
        tally.watch(&mut command)?;
    }
    let is_tutor = |binary: &TestBinary| binary.package == "grove-tutor";
    let kustomize: Vec<PathBuf> = needs::kustomize(context)?.into_iter().collect();
    run_binaries(
        context,
        is_tutor,
        &["--ignored"],
        &with_path(&[], &kustomize)?,
        tally,
    )
}

fn features(context: &Context, tally: &mut Tally) -> Result<()> {
    let sops = tools::SOPS.get(context)?;
    let mut directories: Vec<PathBuf> = needs::kustomize(context)?.into_iter().collect();
    directories.extend(sops.parent().map(Path::to_owned));
    let variables = [
        ("GROVE_TEST_CADDY", tools::CADDY.get(context)?),
        ("GROVE_TEST_DJANGO", python::waffle(context)?),
    ];
    let variables = with_path(&variables, &directories)?;
    let arguments = ["--ignored", FEATURES];
    run_binaries(context, is_command_line, &arguments, &variables, tally)
}

fn data_services(context: &Context, tally: &mut Tally) -> Result<()> {
    let lock = |name: &str| context.root.join("e2e").join(name).join("requirements.txt");
    let drivers = python::environment(context, &lock("data"))?;
    let s3 = python::environment(context, &lock("s3"))?;
    let directories: Vec<PathBuf> = needs::kustomize(context)?.into_iter().collect();
    let variables = [
        ("GROVE_TEST_DATA_PYTHON", drivers.program("python")),
        ("GROVE_TEST_S3", s3.program("moto_server")),
        ("GROVE_TEST_FERRETDB", tools::FERRETDB.get(context)?),
    ];
    let variables = with_path(&variables, &directories)?;
    let arguments = ["--ignored", DATA_SERVICES];
    run_binaries(context, is_command_line, &arguments, &variables, tally)
}

fn main_path(context: &Context, tally: &mut Tally) -> Result<()> {
    let (sops, kubeseal) = (tools::SOPS.get(context)?, tools::KUBESEAL.get(context)?);
    let mut directories: Vec<PathBuf> = needs::kustomize(context)?.into_iter().collect();
    directories.extend(sops.parent().map(Path::to_owned));
    let variables = [("GROVE_TEST_SOPS", sops), ("GROVE_TEST_KUBESEAL", kubeseal)];
    let variables = with_path(&variables, &directories)?;
    let arguments = [
        "--ignored",
        "--skip",
        SPLIT,
        "--skip",
        STACKS,
        "--skip",
        FEATURES,
        "--skip",
        DATA_SERVICES,
    ];
    run_binaries(context, is_command_line, &arguments, &variables, tally)
}

fn operate(context: &Context, tally: &mut Tally) -> Result<()> {
    on_clusters(context, &[OPERATE], tally)
}

fn e2e(context: &Context, tally: &mut Tally) -> Result<()> {
    on_clusters(context, &["--skip", OPERATE], tally)
}

/// Each test has control planes of its own; more than two at once would not be faster on two cores.
fn on_clusters(context: &Context, chosen: &[&str], tally: &mut Tally) -> Result<()> {
    control_plane::build(context)?;
    let logs = context.cache.join("e2e-logs");
    fs_err::create_dir_all(&logs)?;
    println!("logs of failing tests are kept in {}", logs.display());
    let variables = [
        ("GROVE_TEST_PROGRAMS", control_plane::programs(context)),
        ("GROVE_TEST_LOGS", logs),
        ("GROVE_TEST_TOFU", tools::TOFU.get(context)?),
        ("GROVE_TEST_PROVIDER", tools::PROVIDER.get(context)?),
    ];
    let is_e2e = |binary: &TestBinary| binary.package == "grove" && binary.name == "e2e";
    let arguments = [&["--ignored", "--test-threads=2"], chosen].concat();
    run_binaries(context, is_e2e, &arguments, &variables, tally)
}

/// The tests that run the `grove` binary, without a cluster.
fn is_command_line(binary: &TestBinary) -> bool {
    binary.package == "grove" && binary.kind == Kind::Integration && binary.name == "it"
}

fn run_binaries(
    context: &Context,
    chosen: impl Fn(&TestBinary) -> bool,
    arguments: &[&str],
    variables: &[(&str, PathBuf)],
    tally: &mut Tally,
) -> Result<()> {
    let mut binaries = context
        .build()?
        .tests
        .iter()
        .filter(|binary| chosen(binary))
        .peekable();
    if binaries.peek().is_none() {
        bail!("no test binary belongs to it");
    }
    for binary in binaries {
        binary.run(arguments, variables, tally)?;
    }
    Ok(())
}

/// The variables, and `PATH` with some directories in front.
fn with_path<'a>(
    variables: &[(&'a str, PathBuf)],
    directories: &[PathBuf],
) -> Result<Vec<(&'a str, PathBuf)>> {
    let path = PathBuf::from(Context::path_with(directories)?);
    Ok(variables.iter().cloned().chain([("PATH", path)]).collect())
}
