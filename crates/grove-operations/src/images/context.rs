//! The directory that an image is built from.
//!
//! Tutor's own Dockerfile, with the packages and the theme of the fleet. It holds no secret: credentials for
//! what is not public reach the build as a secret of its own, see [`super::credentials`].
//!
//! ```no_run
//! # use grove_operations::{Around, Result, images::context};
//! # fn example(around: &Around) -> Result<()> {
//! let request = context::Request {
//!     revision: None,
//!     selector: "prod/uni".to_owned(),
//!     image: "openedx".to_owned(),
//! };
//! context::read(around, &request)?.write(around, "context".as_ref())?;
//! # Ok(())
//! # }
//! ```

use std::{collections::BTreeMap, path::Path};

use grove_fleet::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contexts::{Contexts, Files, fleet};
use crate::{
    Around, Error, Result, files,
    fleet::{selection::Selection, workspace::Workspace},
    place::Place,
    render::pipeline::Pipeline,
};

/// Asks what an image is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The fleet's revision; none for the files of its work tree.
    #[serde(default)]
    pub revision: Option<String>,
    /// Which instances: `cluster/instance` (with `*`), `cluster`, or `@ring`. They must share the image.
    pub selector: String,
    /// The image: `openedx`, `mfe`, or one of a plugin.
    pub image: String,
}

/// What an image is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The name of what is built: a reference in the fleet's registry, with a tag.
    pub image: String,
    /// How many files there are.
    pub files: usize,
    /// The secrets that the builder must be given, by their id there.
    pub secrets: Vec<String>,
}

/// The files that an image is built from.
pub struct Context {
    outcome: Outcome,
    instance: Address,
    files: BTreeMap<String, Vec<u8>>,
}

/// Asks Tutor what an image is built from.
pub fn read(around: &Around, request: &Request) -> Result<Context> {
    let _entered = around.enter()?;
    let workspace = Workspace::open(around, request.revision.as_deref())?;
    let fleet = fleet(&workspace)?;
    let instances = Selection::of(&request.selector).select(&fleet)?;
    let pipeline = Pipeline::new(around, true)?;
    let contexts = Contexts {
        fleet: &fleet,
        pipeline: &pipeline,
        around,
    };
    let found: Result<Vec<_>> = instances
        .iter()
        .map(|instance| Ok((*instance, contexts.of(instance, &request.image)?)))
        .collect();
    around.progress_done();
    let mut found = found?.into_iter();
    let (first, context) = found
        .next()
        .ok_or_else(|| Error::usage("no instance is selected"))?;
    if let Some((other, _)) = found.find(|(_, other): &(_, Files)| other.name != context.name) {
        return Err(Error::usage(format!(
            "{} and {} need different images",
            first.address, other.address
        ))
        .hint("select one of them; `grove image plan` shows which share an image"));
    }
    let has_credentials = request.image == "openedx" && !first.build.credentials.is_empty();
    let secrets = has_credentials.then(|| grove_render::NETRC.to_owned());
    Ok(Context {
        outcome: Outcome {
            image: contexts.reference(&context.name),
            files: context.files.len(),
            secrets: secrets.into_iter().collect(),
        },
        instance: first.address.clone(),
        files: context.files,
    })
}

impl Context {
    /// What is said of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// An instance whose credentials the build takes, where it takes any.
    pub fn instance(&self) -> &Address {
        &self.instance
    }

    /// Content by path from the directory that is built from.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Writes the files into a new directory, which is there once it is complete. A relative one begins at
    /// [`Around::directory`].
    pub fn write(&self, around: &Around, directory: &Path) -> Result<()> {
        let directory = Place::of(around, directory);
        files::new_directory(&directory, |beside| {
            for (path, content) in &self.files {
                let place = beside.join(path);
                if let Some(parent) = place.parent() {
                    fs_err::create_dir_all(parent)?;
                }
                fs_err::write(place, content)?;
            }
            Ok(())
        })
        .map_err(|error| directory.named(error))
    }
}
