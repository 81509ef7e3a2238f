//! `grove image plan`.

use std::collections::BTreeMap;

use grove_fleet::model::Instance;
use rayon::prelude::*;

use super::{Contexts, fleet};
use crate::{
    cli::Global,
    commands::selection::Selection,
    error::{Exit, Result},
    output::Output,
    pipeline::Pipeline,
    workspace::{Workspace, is_json},
};

/// Show which images instances need, and whether theirs are the ones.
///
/// What an instance names in `images` is compared by its tag, where Grove gave it. Ends with exit code 1
/// where one is built from something else than the fleet says now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove image plan prod\n\
    \x20 grove image plan --all --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
}

/// How the image that an instance names compares with the one that it needs.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It is the one.
    Current,
    /// It was built from something else.
    Other,
    /// Its tag does not say what it was built from.
    Unknown,
    /// None is named: it is Tutor's own.
    Plain,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Other => "built from something else",
            Self::Unknown => "not known what it was built from",
            Self::Plain => "Tutor's own",
        }
    }

    /// `needed` is the name and the tag.
    fn of(instance: &Instance, image: &str, needed: &str) -> Self {
        let Some(stated) = instance.images.get(image) else {
            return Self::Plain;
        };
        let needed = needed.rsplit(':').next().unwrap_or_default();
        let name = stated.reference.split('@').next().unwrap_or_default();
        let tag = name
            .rsplit('/')
            .next()
            .and_then(|name| name.split_once(':'));
        match tag {
            Some((_, tag)) if tag == needed => Self::Current,
            Some((_, tag)) if is_ours(tag) => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// Whether a tag ends as Grove's do.
fn is_ours(tag: &str) -> bool {
    tag.rsplit_once('-').is_some_and(|(_, digits)| {
        digits.len() == 12 && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    })
}

/// The images that an instance needs, and how those that it names compare.
fn needed(contexts: &Contexts<'_>, instance: &Instance) -> Result<Vec<(String, State)>> {
    let images = contexts.names(instance)?;
    let found = images.iter().map(|image| {
        let name = contexts.of(instance, image)?.name;
        let state = State::of(instance, image, &name);
        Ok((name, state))
    });
    found.collect()
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    let workspace = Workspace::open(global)?;
    let fleet = fleet(&workspace, output)?;
    let pipeline = Pipeline::new(output, true)?;
    let contexts = Contexts {
        fleet: &fleet,
        pipeline: &pipeline,
        output,
    };
    let instances = arguments.selection.select(&fleet)?;
    let found: Vec<Result<Vec<_>>> = instances
        .par_iter()
        .map(|instance| needed(&contexts, instance))
        .collect();
    output.progress_done();
    let mut images: BTreeMap<String, Vec<(&Instance, State)>> = BTreeMap::new();
    for (instance, found) in instances.into_iter().zip(found) {
        for (name, state) in found? {
            images.entry(name).or_default().push((instance, state));
        }
    }
    if is_json(output) {
        let rows = images.iter().map(|(name, instances)| {
            let instances: Vec<_> = instances
                .iter()
                .map(|(instance, state)| {
                    serde_json::json!({"instance": instance.address, "state": state})
                })
                .collect();
            serde_json::json!({"image": contexts.reference(name), "instances": instances})
        });
        let rows: Vec<_> = rows.collect();
        output.json(&serde_json::json!({"version": 1, "images": rows}))?;
    } else {
        for (name, instances) in &images {
            output.print(&format!("{}\n", contexts.reference(name)))?;
            for (instance, state) in instances {
                output.print(&format!("  {}: {}\n", instance.address, state.words()))?;
            }
        }
    }
    let is_old = images
        .values()
        .flatten()
        .any(|(_, state)| *state == State::Other);
    Ok(if is_old { Exit::No } else { Exit::Done })
}
