//! `cargo xtask test`: the suites. A new one is an entry in [`SUITES`].
//!
//! What needs nothing but the workspace runs everywhere. A test that needs more is ignored, and names the
//! suite that runs it: `#[ignore = "SUITE: what it needs"]`. One that names none fails every run.

mod surroundings;

use std::process::Command;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use crate::{
    build::{Build, Kind, TestBinary},
    context::Context,
    ignored::Ignored,
    needs::Need,
    process, python,
    report::{Outcome, Report},
    suites::surroundings::Surroundings,
    tally::Tally,
};

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only this suite; may be given several times.
    #[arg(
        long,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(SUITES.iter().map(|suite| suite.name)),
    )]
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
    tests: Tests,
    /// What it runs beside test programs.
    more: Option<fn(&Context, &mut Tally) -> Result<()>>,
}

/// Which tests of the workspace are a suite's.
enum Tests {
    /// Of these programs, what is not ignored.
    Plain(fn(&TestBinary) -> bool),
    /// Of every program, what is ignored and names the suite; and how what they need is brought.
    Named(fn(&Context) -> Result<Surroundings>),
}

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
const SUITES: &[Suite] = &[
    Suite {
        name: "unit",
        about: "each crate by itself, and the examples in the documentation",
        needs: &[Need::Git],
        tests: Tests::Plain(|program| !is_command_line(program)),
        more: Some(documentation),
    },
    Suite {
        name: "cli",
        about: "what the commands print, in a world of their own",
        needs: &[Need::Git],
        tests: Tests::Plain(is_command_line),
        more: None,
    },
    Suite {
        name: "simulate",
        about: "three operators on two deploy branches, and all that can go wrong between them",
        needs: &[],
        tests: Tests::Named(surroundings::nothing),
        more: None,
    },
    Suite {
        name: "seal",
        about: "secrets against the real sops and kubeseal",
        needs: &[Need::Go],
        tests: Tests::Named(surroundings::seal),
        more: None,
    },
    Suite {
        name: "split",
        about: "a combined state taken apart, with the real OpenTofu, and Terraform where installed",
        needs: &[Need::Git, Need::Go],
        tests: Tests::Named(surroundings::split),
        more: None,
    },
    Suite {
        name: "stacks",
        about: "infrastructure with the real OpenTofu, Terraform where installed, and real back ends",
        needs: &[
            Need::Git,
            Need::Go,
            Need::Postgres,
            Need::Python,
            Need::PackageIndex,
        ],
        tests: Tests::Named(surroundings::stacks),
        more: None,
    },
    Suite {
        name: "tutor",
        about: "the worker and its environments, with the real Tutor",
        needs: &[Need::Python, Need::PackageIndex, Need::Kustomize],
        tests: Tests::Named(surroundings::tutor),
        more: Some(worker),
    },
    Suite {
        name: "features",
        about: "what is said of a site, with the real Tutor, served by the real Caddy",
        needs: &[
            Need::Git,
            Need::Go,
            Need::Python,
            Need::PackageIndex,
            Need::Kustomize,
        ],
        tests: Tests::Named(surroundings::features),
        more: None,
    },
    Suite {
        name: "data-services",
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
        tests: Tests::Named(surroundings::data_services),
        more: None,
    },
    Suite {
        name: "main-path",
        about: "from a fleet to a rollback, with the real Tutor, sops and Git remotes",
        needs: &[
            Need::Git,
            Need::Go,
            Need::Python,
            Need::PackageIndex,
            Need::Kustomize,
        ],
        tests: Tests::Named(surroundings::main_path),
        more: None,
    },
    Suite {
        name: "operate",
        about: "a site's daily tasks on a real control plane with Argo CD",
        needs: ON_CLUSTERS,
        tests: Tests::Named(surroundings::on_clusters),
        more: None,
    },
    Suite {
        name: "e2e",
        about: "bootstrap, sync and faults on a real control plane with Argo CD",
        needs: ON_CLUSTERS,
        tests: Tests::Named(surroundings::on_clusters),
        more: None,
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
    let about = "all of it for tests, each of which has a suite";
    report.run("build", about, || {
        let outcome = match context.build().and_then(every_test_has_a_suite) {
            Ok(()) => Outcome::Passed(String::new()),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        total.failed += u64::from(matches!(outcome, Outcome::Failed(_)));
        outcome
    });
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

/// Fails with the ignored tests that no suite would run.
fn every_test_has_a_suite(build: &Build) -> Result<()> {
    let mut astray = Vec::new();
    for program in &build.tests {
        for test in program.ignored.iter().filter(|test| !has_suite(test)) {
            let says = match &test.suite {
                Some(suite) => format!("names `{suite}`"),
                None => "names none".to_owned(),
            };
            astray.push(format!("\n  {}: `{}` {says}", program.package, test.name));
        }
    }
    if !astray.is_empty() {
        bail!(
            "{} ignored tests are in no suite; `#[ignore = \"SUITE: what it needs\"]` puts one into {}{}",
            astray.len(),
            named().collect::<Vec<_>>().join(", "),
            astray.concat()
        );
    }
    Ok(())
}

fn has_suite(test: &Ignored) -> bool {
    named().any(|name| test.suite.as_deref() == Some(name))
}

/// The suites that a test may name.
fn named() -> impl Iterator<Item = &'static str> {
    let named = |suite: &&Suite| matches!(suite.tests, Tests::Named(_));
    SUITES.iter().filter(named).map(|suite| suite.name)
}

fn run_suite(context: &Context, suite: &Suite, tally: &mut Tally) -> Outcome {
    if let Some(lack) = suite.needs.iter().find_map(|need| need.lack(context)) {
        return if context.ci {
            Outcome::Failed(format!("{lack}, and with CI=true nothing is skipped"))
        } else {
            Outcome::Skipped(lack.to_owned())
        };
    }
    let ran = match suite.tests {
        Tests::Plain(chosen) => run_plain(context, chosen, tally),
        Tests::Named(bring) => run_named(context, suite.name, bring, tally),
    };
    let ran = ran.and_then(|()| suite.more.map_or(Ok(()), |more| more(context, tally)));
    match ran {
        Err(error) => Outcome::Failed(format!("{error:#}")),
        Ok(()) if tally.failed > 0 => Outcome::Failed(format!("{} tests failed", tally.failed)),
        Ok(()) if tally.passed == 0 => Outcome::Failed("it ran no test".to_owned()),
        Ok(()) => Outcome::Passed(format!("{} tests", tally.passed)),
    }
}

fn run_plain(context: &Context, chosen: fn(&TestBinary) -> bool, tally: &mut Tally) -> Result<()> {
    let programs = &context.build()?.tests;
    for program in programs.iter().filter(|program| chosen(program)) {
        program.run(&[], &[], tally)?;
    }
    Ok(())
}

fn run_named(
    context: &Context,
    suite: &str,
    bring: fn(&Context) -> Result<Surroundings>,
    tally: &mut Tally,
) -> Result<()> {
    let programs = context.build()?.tests.iter();
    let mut programs = programs
        .filter(|program| program.ignored_of(suite).next().is_some())
        .peekable();
    if programs.peek().is_none() {
        bail!("no test names it");
    }
    let Surroundings {
        mut variables,
        directories,
        threads,
    } = bring(context)?;
    variables.push(("PATH", Context::path_with(&directories)?.into()));
    let mut options = vec!["--ignored", "--exact"];
    options.extend(threads.iter().flat_map(|number| ["--test-threads", number]));
    for program in programs {
        let arguments = options.iter().copied().chain(program.ignored_of(suite));
        program.run(&arguments.collect::<Vec<_>>(), &variables, tally)?;
    }
    Ok(())
}

fn documentation(context: &Context, tally: &mut Tally) -> Result<()> {
    println!("\n--- examples in the documentation");
    let mut command = process::cargo(context);
    command.args(["test", "--workspace", "--doc"]);
    tally.watch(&mut command)
}

fn worker(context: &Context, tally: &mut Tally) -> Result<()> {
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
    Ok(())
}

/// The tests that run the `grove` binary, without a cluster.
fn is_command_line(program: &TestBinary) -> bool {
    program.package == "grove" && program.kind == Kind::Integration && program.name == "it"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_may_name_a_suite_that_runs_ignored_tests_and_nothing_else() {
        let has_suite = |suite: Option<&str>| {
            super::has_suite(&Ignored {
                name: "a".to_owned(),
                suite: suite.map(ToOwned::to_owned),
            })
        };
        assert!(has_suite(Some("seal")) && has_suite(Some("data-services")));
        for other in [None, Some("unit"), Some("cli"), Some("sael"), Some("")] {
            assert!(!has_suite(other), "{other:?}");
        }
    }

    #[test]
    fn names_of_suites_are_their_own() {
        let mut names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SUITES.len());
    }
}
