//! What Tutor and the plugins say of an instance's secrets.

use grove_fleet::model::{Distribution, Instance, Lock};
use grove_render::TutorInput;
use grove_tutor::{Generator, WorkerOptions};

use crate::{Result, render::pipeline::Pipeline};

/// Someone who can be asked about the secrets of one instance.
pub(super) struct Asked {
    /// What Tutor is told of the instance.
    pub(super) input: TutorInput,
    /// Who answers.
    pub(super) generator: Generator,
}

impl Asked {
    /// Makes the environment of the instance's distribution, where it is not there yet.
    pub(super) fn new(
        pipeline: &Pipeline<'_>,
        instance: &Instance,
        distribution: &Distribution,
        lock: &Lock,
    ) -> Result<Self> {
        let input = grove_render::request(instance)?;
        let environment = pipeline.environment(distribution, lock)?;
        let limits = WorkerOptions::default().limits;
        Ok(Self {
            input,
            generator: Generator::new(environment, pipeline.cache(), limits),
        })
    }
}
