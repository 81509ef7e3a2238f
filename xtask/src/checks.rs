//! `cargo xtask ci`: what is checked beside the tests. A new check is an entry in [`CHECKS`].

use anyhow::{Result, bail};

use crate::{
    context::Context,
    generated, process,
    report::{Outcome, Report},
    tools,
};

/// Options of `cargo xtask ci`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Also compile each crate by itself, so that none leans on features another one switched on.
    #[arg(long)]
    each_crate: bool,
}

struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Context) -> Result<Answer>,
}

/// What a check that did not fail says.
enum Answer {
    Good,
    /// It could not be done here, and why.
    NotHere(String),
}

const CHECKS: [Check; 6] = [
    Check {
        name: "format",
        about: "cargo fmt --check",
        run: format,
    },
    Check {
        name: "lints",
        about: "clippy on every target, warnings are errors",
        run: lints,
    },
    Check {
        name: "docs",
        about: "the documentation builds without a warning",
        run: docs,
    },
    Check {
        name: "generated",
        about: "files made from the program are current",
        run: is_current,
    },
    Check {
        name: "deny",
        about: "licences, bans and sources of dependencies",
        run: deny,
    },
    Check {
        name: "advisories",
        about: "known weaknesses of dependencies",
        run: advisories,
    },
];

const EACH_CRATE: Check = Check {
    name: "each-crate",
    about: "each crate compiles by itself",
    run: each_crate,
};

/// Runs every check and says whether all passed.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> bool {
    let mut report = Report::default();
    let optional = arguments.each_crate.then_some(&EACH_CRATE);
    for check in CHECKS.iter().chain(optional) {
        report.run(check.name, check.about, || match (check.run)(context) {
            Ok(Answer::Good) => Outcome::Passed(String::new()),
            Ok(Answer::NotHere(why)) => Outcome::Skipped(why),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        });
    }
    report.print();
    report.passed()
}

fn format(context: &Context) -> Result<Answer> {
    cargo(context, &["fmt", "--all", "--", "--check"])
}

fn lints(context: &Context) -> Result<Answer> {
    cargo(
        context,
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ],
    )
}

fn docs(context: &Context) -> Result<Answer> {
    let mut command = process::cargo(context);
    command
        .env("RUSTDOCFLAGS", "--deny warnings")
        .args(["doc", "--workspace", "--no-deps"]);
    process::run(&mut command)?;
    Ok(Answer::Good)
}

fn is_current(context: &Context) -> Result<Answer> {
    let stale = generated::stale(context)?;
    if !stale.is_empty() {
        bail!(
            "not current: {}; run `cargo xtask generate`",
            stale.join(", ")
        );
    }
    Ok(Answer::Good)
}

fn deny(context: &Context) -> Result<Answer> {
    cargo_deny(context, &["check", "bans", "licenses", "sources"])
}

/// The database is a Git repository that not every machine reaches.
fn advisories(context: &Context) -> Result<Answer> {
    if cargo_deny(context, &["fetch", "db"]).is_err() {
        return Ok(Answer::NotHere(
            "the advisory database cannot be reached from here".to_owned(),
        ));
    }
    cargo_deny(context, &["check", "advisories"])
}

fn each_crate(context: &Context) -> Result<Answer> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(context.root.join("crates"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in names {
        cargo(context, &["check", "--all-targets", "--package", &name])?;
    }
    Ok(Answer::Good)
}

fn cargo_deny(context: &Context, arguments: &[&str]) -> Result<Answer> {
    let path = Context::path_with(&[tools::cargo_deny(context)?])?;
    process::run(
        process::cargo(context)
            .env("PATH", path)
            .arg("deny")
            .args(arguments),
    )?;
    Ok(Answer::Good)
}

fn cargo(context: &Context, arguments: &[&str]) -> Result<Answer> {
    process::run(process::cargo(context).args(arguments))?;
    Ok(Answer::Good)
}
