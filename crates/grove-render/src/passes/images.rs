//! Images, listed and held to what the fleet asks for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{draft::Draft, pass::Pass};
use crate::{Error, components, pod};

pub(super) const PASS: Pass = Pass {
    name: "images",
    summary: "Changes nothing: lists the image of every component for the release, and checks that \
              each image that the fleet states is the one that came out.",
    changes: &[],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let mut found: BTreeMap<&str, BTreeMap<String, &str>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for object in draft.objects.iter() {
        for container in object.pod_template().into_iter().flat_map(pod::containers) {
            let text = |key: &str| container.get(key).and_then(Value::as_str);
            let (Some(name), Some(image)) = (text("name"), text("image")) else {
                continue;
            };
            let component = components::of_container(object, name);
            if let Some(asked) = draft.instance.images.get(component)
                && asked.reference != image
            {
                return Err(Error::new(
                    format!(
                        "`images.{component}` asks for {asked}, and {object} has {image}",
                        asked = asked.reference,
                        object = object.id()
                    ),
                    "a plugin overrides the image; state one of the two",
                ));
            }
            used.insert(component);
            found
                .entry(component)
                .or_default()
                .insert(object.name().to_owned(), image);
        }
    }
    for component in draft.instance.images.keys() {
        if !used.contains(component.as_str()) && !components::is_known(component) {
            return Err(Error::new(
                format!(
                    "`images.{component}` is for a component that the environment does not have"
                ),
                "state it only where the plugin that runs it is on",
            ));
        }
    }
    let mut images = BTreeMap::new();
    for (component, by_workload) in found {
        let distinct: BTreeSet<&str> = by_workload.values().copied().collect();
        // Where workloads of one component differ, each is named.
        for (workload, image) in by_workload {
            let name = match distinct.len() {
                1 => component.to_owned(),
                _ => format!("{component}/{workload}"),
            };
            images.insert(name, image.to_owned());
        }
    }
    draft.images = images;
    Ok(())
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::Image;

    use super::PASS;
    use crate::testing::{self, deployment, template_job};

    fn run(asked: &[(&str, &str)]) -> Result<String, crate::Error> {
        let mut world = testing::World::default();
        for (component, reference) in asked {
            let image = Image {
                reference: (*reference).to_owned(),
            };
            world.instance.images.insert((*component).to_owned(), image);
        }
        let mut draft = world.draft(
            &[],
            vec![
                deployment("lms", "r/openedx@sha256:1"),
                deployment("cms-worker", "r/openedx@sha256:1"),
                deployment("minio", "minio:1"),
                template_job("minio", "mc:1"),
                deployment("shop", "shop:1"),
                template_job("shop", "shop:2"),
            ],
        )?;
        (PASS.apply)(&mut draft)?;
        Ok(serde_json::to_string_pretty(&draft.images).unwrap())
    }

    #[test]
    fn each_component_is_listed() {
        insta::assert_snapshot!(run(&[("openedx", "r/openedx@sha256:1"), ("notes", "notes:1")]).unwrap(), @r#"
        {
          "minio": "minio:1",
          "minio-mc": "mc:1",
          "openedx": "r/openedx@sha256:1",
          "shop/shop": "shop:1",
          "shop/shop-job": "shop:2"
        }
        "#);
    }

    #[test]
    fn what_came_out_is_what_was_asked_for() {
        insta::assert_snapshot!(run(&[("openedx", "r/openedx@sha256:2")]).unwrap_err(), @"`images.openedx` asks for r/openedx@sha256:2, and Deployment/cms-worker has r/openedx@sha256:1");
        insta::assert_snapshot!(run(&[("opnedx", "x:1")]).unwrap_err(), @"`images.opnedx` is for a component that the environment does not have");
    }
}
