//! `grove image`.

mod context;
mod credentials;
mod plan;

use std::collections::BTreeMap;

use grove_fleet::{
    Address, Fleet,
    model::{Distribution, Instance, Lock},
};
use sha2::{Digest as _, Sha256};

use crate::{
    cli::Global,
    error::{CommandError, Exit, Result},
    output::Output,
    pipeline::{Pipeline, must_have_all},
    workspace::Workspace,
};

/// See what images are built from, and hand it to a builder.
///
/// Grove builds no image: any CI can, from the directory that `context` writes. An image is named by what
/// it is built from, so instances that need the same share one; its digest says which build it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image plan prod\n\
    \x20 grove image context prod/uni openedx --out context\n\
    \x20 grove image credentials prod/uni")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Plan(plan::Arguments),
    Context(context::Arguments),
    Credentials(credentials::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    match &arguments.command {
        Command::Plan(arguments) => plan::run(arguments, global, output),
        Command::Context(arguments) => context::run(arguments, global, output),
        Command::Credentials(arguments) => credentials::run(arguments, global, output),
    }
}

/// The rule that asks for an image; it is about to be built.
const WAITING: &str = "image-lacks";

/// The fleet, where all is in order but that images are not named yet.
fn fleet(workspace: &Workspace, output: &Output) -> Result<Fleet> {
    let mut checked = workspace.check()?;
    checked.findings.retain(|finding| finding.rule != WAITING);
    workspace.sound_of(checked, output)
}

/// What an image is built from.
struct Context {
    /// Content by path.
    files: BTreeMap<String, Vec<u8>>,
    /// The name of what is built from it: the image without a registry, and a tag.
    name: String,
}

/// Asks Tutor for build contexts.
struct Contexts<'a> {
    fleet: &'a Fleet,
    pipeline: &'a Pipeline<'a>,
    output: &'a Output,
}

impl Contexts<'_> {
    /// The images of an instance.
    fn names(&self, instance: &Instance) -> Result<Vec<String>> {
        let (distribution, lock) = self.distribution(instance)?;
        self.output.progress(&format!(
            "asking Tutor for the images of {}",
            instance.address
        ));
        let worker = self.pipeline.worker(distribution, lock)?;
        Ok(worker.images(&grove_render::image_request(instance)?)?)
    }

    fn of(&self, instance: &Instance, image: &str) -> Result<Context> {
        must_have_all(&instance.waits)?;
        let (distribution, lock) = self.distribution(instance)?;
        self.output.progress(&format!(
            "rendering the context of {image} of {}",
            instance.address
        ));
        let input = grove_render::image_request(instance)?;
        let files = self
            .pipeline
            .worker(distribution, lock)?
            .image(&input, image)?;
        for (path, content) in &files {
            let text = String::from_utf8_lossy(content);
            let mut names = input.secrets.iter();
            if let Some(name) = names.find(|name| text.contains(&format!("@@{name}@@"))) {
                return Err(CommandError::new(
                    Exit::No,
                    format!("`{path}` of the image `{image}` would hold the secret `{name}`"),
                )
                .hint("whoever has an image reads all that was built into it; a plugin or a value of `config` puts it there"));
            }
        }
        Ok(Context {
            name: format!("{image}:{}-{}", distribution.name, digest(&files)),
            files,
        })
    }

    fn distribution(&self, instance: &Instance) -> Result<(&Distribution, &Lock)> {
        let distribution = self.fleet.distributions.get(&instance.distribution);
        distribution
            .and_then(|distribution| Some((distribution, distribution.lock.as_ref()?)))
            .ok_or_else(|| CommandError::new(Exit::Bug, "a checked fleet lacks a lock"))
    }

    /// Where an image is, in the fleet's registry.
    fn reference(&self, name: &str) -> String {
        match &self.fleet.registry {
            Some(registry) => format!("{}/{name}", registry.trim_end_matches('/')),
            None => name.to_owned(),
        }
    }
}

/// Twelve hexadecimal digits that say what files there are.
fn digest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    for (path, content) in files {
        for part in [path.as_bytes(), content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    format!("{:x}", hash.finalize())[..12].to_owned()
}

/// The one context that instances share.
fn shared(contexts: Vec<(Address, Context)>) -> Result<Context> {
    let mut contexts = contexts.into_iter();
    let (first, context) = contexts
        .next()
        .ok_or_else(|| CommandError::usage("no instance is selected"))?;
    match contexts.find(|(_, other)| other.name != context.name) {
        None => Ok(context),
        Some((other, _)) => Err(CommandError::usage(format!(
            "{first} and {other} need different images"
        ))
        .hint("select one of them; `grove image plan` shows which share an image")),
    }
}
