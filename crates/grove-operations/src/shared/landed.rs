//! What became of a request that was carried out before, read from the deploy branch.

use grove_release::{DeployBranch, Landed, SharedRecord};

use super::{change::SharedChange, render::Released};
use crate::Result;

/// The release of what instances share that a commit brought, and what it changed; none where it brought none.
pub(super) fn made(
    branch: &DeployBranch,
    landed: &Landed,
) -> Result<Option<(SharedRecord, SharedChange)>> {
    let mut releases = landed.message.releases.iter();
    let Some((_, number)) = releases.find(|(name, _)| name == SHARED) else {
        return Ok(None);
    };
    let record = branch.view_at(landed.commit)?.shared_record(*number)?;
    let before = match branch.view_before(landed)?.shared_latest()? {
        Some(before) => Released::read(branch, &before)?,
        None => Released::default(),
    };
    let change = SharedChange::between(&before, &Released::read(branch, &record)?);
    Ok(Some((record, change)))
}

/// What instances share, where a commit names its releases.
pub(super) const SHARED: &str = "_cluster";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use grove_release::Author;
    use grove_test::World;

    use crate::{
        Around,
        consent::Consent,
        shared::{deploy, rollback},
    };

    /// A fleet whose cluster alpha has an add-on of this brand.
    fn brand(world: &World, brand: &str) {
        let text = world.read("fleet/clusters/alpha/cluster.yaml");
        let text = text.split("addons:").next().unwrap_or_default().to_owned();
        let addon = format!("{text}addons: {{maintenance-pages: {{brand: {brand}}}}}\n");
        world.write("fleet/clusters/alpha/cluster.yaml", addon);
    }

    fn deployed(around: &Around, id: &str) -> deploy::Outcome {
        let request = serde_json::json!({
            "id": id, "cluster": "alpha", "local": true, "create_remote": true,
        });
        let request = serde_json::from_value(request).unwrap();
        let plan = deploy::plan(around, &request, None).unwrap();
        plan.carry_out(&Consent::none()).unwrap()
    }

    fn rolled_back(around: &Around, id: &str) -> rollback::Outcome {
        let request = serde_json::json!({"id": id, "cluster": "alpha"});
        let plan = rollback::plan(around, &serde_json::from_value(request).unwrap()).unwrap();
        plan.carry_out(&Consent::none()).unwrap()
    }

    #[test]
    fn the_same_request_again_gives_the_first_outcome() {
        let world = World::new("grove");
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        world.copy(&examples.join("fleet"), "fleet");
        let fleet = world.fleet();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut around = Around::new(&fleet, world.cache(), Path::new("grove"), now);
        around.variables = world.variables();
        around.author = Some(Author {
            name: "Ada".to_owned(),
            email: "ada@example.org".to_owned(),
        });
        around.deploy_remote = Some("../deploy-{cluster}.git".to_owned());

        brand(&world, "One");
        let first = deployed(&around, "a");
        assert_eq!((first.release, first.changed), (Some(1), true));
        brand(&world, "Two");
        let second = deployed(&around, "b");
        assert_eq!(second.release, Some(2));
        let back = rolled_back(&around, "c");
        assert_eq!((back.from, back.to, back.release), (2, 1, 3));

        assert_eq!(deployed(&around, "a"), first);
        assert_eq!(deployed(&around, "b"), second);
        assert_eq!(rolled_back(&around, "c"), back);
    }
}
