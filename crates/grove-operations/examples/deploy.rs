//! A program that is not `grove`: it deploys an instance of a fleet, follows the release, and rolls it back.
//!
//! ```sh
//! cargo run -p grove-operations --example deploy -- FLEET CLUSTER/INSTANCE CACHE [KUBECONFIG]
//! ```
//!
//! `FLEET` is a directory with `grove.yaml` in a Git repository, `CACHE` a directory that is made where it
//! is not there. With a kubeconfig, releases are followed until they run. What the operations come to is
//! printed to stdout and what they say while they work to stderr, each as a line of JSON.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "this is a program with a terminal, arguments and a clock; operations have none of them"
)]

use std::{
    error::Error,
    ffi::OsString,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use grove_exec::sandbox;
use grove_operations::{
    Around, Clock, Event, Listener,
    consent::{Consent, Needs},
    deploy,
    fleet::selection::Selection,
    release::{history, rollback},
    request::{RequestId, Target},
};
use grove_release::Author;
use jiff::Timestamp;
use serde::Serialize;

/// How many seconds a release is followed.
const PATIENCE: u64 = 600;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // Tutor's plugins are programs of others: Grove renders in a process that is confined. A process
    // confines itself, so one is started that does, and then becomes the worker: `Around::launcher`. It may
    // be an installed `grove`, or this program, which then looks for this before it does anything else.
    let is_confined = arguments
        .first()
        .is_some_and(|word| word == sandbox::COMMAND);
    let result = if is_confined {
        confine(&arguments)
    } else {
        run(&arguments)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error of an operation has a kind, hints, and is JSON, too: see `grove_operations::Error`.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// `sandbox DESCRIPTION -- PROGRAM ARGUMENT…`; without a program, what this machine gives is asked for.
fn confine(arguments: &[OsString]) -> Result<(), Box<dyn Error>> {
    let description = arguments.get(1).and_then(|text| text.to_str());
    let description = description.unwrap_or_default();
    match arguments.get(3..) {
        // This process goes on as the program.
        Some(program) if !program.is_empty() => match sandbox::enter(description, program)? {},
        _ => {
            let report = sandbox::report(description)?;
            println!("{}", serde_json::to_string(&report)?);
            Ok(())
        }
    }
}

fn run(arguments: &[OsString]) -> Result<(), Box<dyn Error>> {
    let [fleet, instance, cache, kubeconfig @ ..] = arguments else {
        return Err("usage: deploy FLEET CLUSTER/INSTANCE CACHE [KUBECONFIG]".into());
    };
    let instance = instance.to_str().ok_or("the instance is not text")?;

    // What comes from this process and not from whoever asks stands in one place. Operations look at no
    // environment, clock, terminal or current directory of their own.
    let around = Around {
        author: Some(Author {
            name: "Example".to_owned(),
            email: "example@acme.example".to_owned(),
        }),
        variables: Arc::new(std::env::vars_os().collect()),
        kubeconfigs: kubeconfig.iter().map(PathBuf::from).collect(),
        listener: Arc::new(Lines),
        ..Around::new(
            fleet.as_ref(),
            cache.as_ref(),
            &std::env::current_exe()?,
            Machine(Instant::now()),
        )
    };
    // Here would stand `let token = around.token.clone()`: `token.end()` on another thread ends what is
    // going on, and no other operation. From async code, operations are called through `spawn_blocking`.

    // A request is plain data: it could have come as JSON from somewhere else. Who asks gives it a name, so
    // that it can be asked again after a lost answer: it is carried out once.
    let request = deploy::request::Request {
        id: Some(name(&around, "deploy")?),
        message: Some("An example".to_owned()),
        create_remote: true,
        wait: (!kubeconfig.is_empty()).then_some(PATIENCE),
        ..deploy::request::Request::new(Target::of(instance))
    };
    // A plan has looked at everything and written nothing. What it would do is an outcome already.
    let plan = deploy::plan::plan(&around, &request)?;
    print("would deploy", plan.outcome())?;
    let consent = agree(plan.needs())?;
    // One commit to the cluster's deploy branch. Where others changed the same since, it is refused, and
    // the plan is made again.
    let outcome = plan.carry_out(&consent)?;
    print("deployed", &outcome)?;
    // What was done is told even where the rest failed.
    if let Some(failure) = outcome.failure {
        return Err(failure.into());
    }

    // A verb that only reads has no plan.
    let request = history::Request {
        selection: Selection::of(instance),
        limit: 2,
        ..history::Request::default()
    };
    let history = history::read(&around, &request)?;
    print("history", &history)?;
    let Some(history::Row::Releases { releases, .. }) = history.instances.first() else {
        return Err("the deploy branch cannot be read".into());
    };
    if releases.len() < 2 {
        eprintln!("no release to go back to");
        return Ok(());
    }

    // Back the same way: the release before comes back as a new one, and the instance is held there.
    let request = rollback::Request {
        id: Some(name(&around, "rollback")?),
        revision: None,
        instance: instance.to_owned(),
        from: None,
        to: None,
        message: Some("It was only an example".to_owned()),
        wait: (!kubeconfig.is_empty()).then_some(PATIENCE),
    };
    let plan = rollback::plan(&around, &request)?;
    let consent = agree(plan.needs())?;
    print("rolled back", &plan.carry_out(&consent)?)?;
    Ok(())
}

/// Consents to whatever a plan needs. A real program has someone look at that first; the consent may come
/// from somewhere else, as JSON, and is refused where the plan needs more by then.
fn agree(needs: &Needs) -> Result<Consent, Box<dyn Error>> {
    print("needs", needs)?;
    Ok(Consent::to(needs.clone()))
}

/// What a request of this run is called.
fn name(around: &Around, verb: &str) -> Result<RequestId, Box<dyn Error>> {
    let id = format!("example-{verb}-{}", around.now().as_millisecond());
    Ok(id.parse()?)
}

/// Every outcome is JSON.
fn print(what: &str, value: &impl Serialize) -> Result<(), Box<dyn Error>> {
    println!(
        "{}",
        serde_json::json!({ what: serde_json::to_value(value)? })
    );
    Ok(())
}

/// Hears what happens.
struct Lines;

impl Listener for Lines {
    fn hear(&self, event: &Event<'_>) {
        if let Ok(line) = serde_json::to_string(event) {
            eprintln!("{line}");
        }
    }
}

/// The machine's clock. A `Timestamp` is a clock, too: one that stands still.
struct Machine(Instant);

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
