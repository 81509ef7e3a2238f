//! Build contexts, as Tutor makes them.

use std::collections::BTreeMap;

use grove_fleet::{
    Fleet,
    model::{Distribution, Instance, Lock},
};
use sha2::{Digest as _, Sha256};

use crate::{
    Around, Error, Kind, Result,
    fleet::workspace::Workspace,
    render::pipeline::{Pipeline, must_have_all},
};

/// The rule that asks for an image; it is about to be built.
const WAITING: &str = "image-lacks";

/// The fleet, where all is in order but that images are not named yet.
pub(super) fn fleet(workspace: &Workspace<'_>) -> Result<Fleet> {
    let mut checked = workspace.check();
    checked.findings.retain(|finding| finding.rule != WAITING);
    workspace.sound_of(checked)
}

/// What an image is built from.
pub(super) struct Files {
    /// Content by path.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// The name of what is built from it: the image without a registry, and a tag.
    pub(super) name: String,
}

/// Asks Tutor for build contexts.
pub(super) struct Contexts<'a> {
    /// The fleet.
    pub(super) fleet: &'a Fleet,
    /// Who has the workers.
    pub(super) pipeline: &'a Pipeline<'a>,
    /// Who is told what is asked.
    pub(super) around: &'a Around,
}

impl Contexts<'_> {
    /// The images of an instance.
    pub(super) fn names(&self, instance: &Instance) -> Result<Vec<String>> {
        let (distribution, lock) = self.distribution(instance)?;
        self.around.progress(&format!(
            "asking Tutor for the images of {}",
            instance.address
        ));
        let worker = self.pipeline.worker(distribution, lock)?;
        Ok(worker.images(&grove_render::image_request(instance)?)?)
    }

    /// What an image of an instance is built from. One that would hold a secret is refused.
    pub(super) fn of(&self, instance: &Instance, image: &str) -> Result<Files> {
        must_have_all(&instance.waits)?;
        let (distribution, lock) = self.distribution(instance)?;
        self.around.progress(&format!(
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
            // The second is what a template computes of one.
            let holds = |name: &&String| {
                text.contains(&format!("@@{name}@@")) || text.contains(&format!("@@{name}__"))
            };
            if let Some(name) = names.find(holds) {
                return Err(Error::new(
                    Kind::No,
                    format!("`{path}` of the image `{image}` would hold the secret `{name}`"),
                )
                .hint("whoever has an image reads all that was built into it; a plugin or a value of `config` puts it there"));
            }
        }
        Ok(Files {
            name: format!("{image}:{}-{}", distribution.name, digest(&files)),
            files,
        })
    }

    fn distribution(&self, instance: &Instance) -> Result<(&Distribution, &Lock)> {
        let distribution = self.fleet.distributions.get(&instance.distribution);
        distribution
            .and_then(|distribution| Some((distribution, distribution.lock.as_ref()?)))
            .ok_or_else(|| Error::new(Kind::Bug, "a checked fleet lacks a lock"))
    }

    /// Where an image is, in the fleet's registry.
    pub(super) fn reference(&self, name: &str) -> String {
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
