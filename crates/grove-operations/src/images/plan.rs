//! Which images instances need, and whether theirs are the ones.
//!
//! ```no_run
//! # use grove_operations::{Around, Result, images::plan};
//! # fn example(around: &Around) -> Result<()> {
//! let outcome = plan::read(around, &plan::Request::default())?;
//! assert!(!outcome.has_old());
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use grove_fleet::model::Instance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contexts::{Contexts, fleet};
use crate::{
    Around, Result,
    fleet::{selection::Selection, workspace::Workspace},
    render::pipeline::Pipeline,
    threads,
};

/// Asks which images instances need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    pub revision: Option<String>,
    /// Which instances; all of them where nothing is said.
    pub selection: Selection,
}

/// The images that instances need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// By the image's name.
    pub images: Vec<Image>,
}

impl Outcome {
    /// Whether an instance names an image that was built from something else than the fleet says now.
    pub fn has_old(&self) -> bool {
        let rows = self.images.iter().flat_map(|image| &image.instances);
        rows.into_iter().any(|row| row.state == State::Other)
    }
}

/// One image, and the instances that share it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// Its reference in the fleet's registry, with a tag.
    pub image: String,
    /// Those who need it.
    pub instances: Vec<Row>,
}

/// One instance that needs an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `cluster/instance`.
    pub instance: String,
    /// How the image that it names compares with this one.
    pub state: State,
}

/// How the image that an instance names compares with the one that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
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

/// Asks Tutor what the images of instances are built from.
pub fn read(around: &Around, request: &Request) -> Result<Outcome> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = fleet(&workspace)?;
    let pipeline = Pipeline::new(around, true)?;
    let contexts = Contexts {
        fleet: &fleet,
        pipeline: &pipeline,
        around,
    };
    let instances = request.selection.select(&fleet)?;
    let found = threads::each(threads::all(), instances.clone(), |instance| {
        needed(&contexts, instance)
    });
    around.progress_done();
    let mut images: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for (instance, found) in instances.into_iter().zip(found) {
        for (name, state) in found? {
            images.entry(name).or_default().push(Row {
                instance: instance.address.to_string(),
                state,
            });
        }
    }
    let rows = images.into_iter().map(|(name, instances)| Image {
        image: contexts.reference(&name),
        instances,
    });
    Ok(Outcome {
        images: rows.collect(),
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
