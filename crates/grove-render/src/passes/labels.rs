//! Labels of ours.

use grove_fleet::PREFIX;

use super::{draft::Draft, pass::Pass};
use crate::{Error, names};

pub(super) const PASS: Pass = Pass {
    name: "labels",
    summary: "Every object says which cluster, instance, client and environment it belongs to. The \
              labels stand on objects only: in pod templates a change of client would restart pods, \
              and selectors are immutable. Tutor's own labels stay as they are.",
    changes: &["* /metadata/labels"],
    apply,
};

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let instance = draft.instance;
    let mut labels = Vec::new();
    for (key, value) in [
        ("cluster", draft.cluster.name.as_str()),
        ("instance", &instance.address.instance),
        ("client", &instance.client),
        ("environment", instance.environment.name()),
    ] {
        let key = format!("{PREFIX}/{key}");
        if !names::is_label_value(value) {
            return Err(Error::new(
                format!("{value:?} cannot be the value of the label {key}"),
                "letters, digits, `-`, `_` and `.`, at most 63 characters, a letter or digit at both ends",
            ));
        }
        // Not every instance has a client.
        if !value.is_empty() {
            labels.push((key, value));
        }
    }
    for object in draft.objects.iter_mut().chain(draft.apps.iter_mut()) {
        for (key, value) in &labels {
            object.set_label(key, value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PASS;
    use crate::{
        names,
        testing::{self, config_map, deployment},
    };

    #[test]
    fn objects_are_labelled_and_pods_are_not() {
        insta::assert_snapshot!(
            testing::changes(&PASS, vec![deployment("lms", "openedx:1"), config_map("a", "b", "c")]), @r#"
        + ConfigMap/a /metadata/labels: {"grove-platform.org/client":"uni","grove-platform.org/cluster":"prod","grove-platform.org/environment":"production","grove-platform.org/instance":"uni"}
        + Deployment/lms /metadata/labels/grove-platform.org~1client: "uni"
        + Deployment/lms /metadata/labels/grove-platform.org~1cluster: "prod"
        + Deployment/lms /metadata/labels/grove-platform.org~1environment: "production"
        + Deployment/lms /metadata/labels/grove-platform.org~1instance: "uni"
        "#);
    }

    #[test]
    fn a_client_that_is_no_label_is_refused() {
        let mut world = testing::World::default();
        world.instance.client = "Uni of X".to_owned();
        let mut draft = world.draft(&[], vec![]).unwrap();
        insta::assert_snapshot!((PASS.apply)(&mut draft).unwrap_err(), @r#""Uni of X" cannot be the value of the label grove-platform.org/client"#);
    }

    proptest! {
        #[test]
        fn odd_clients_are_an_error_or_a_valid_label(client in any::<String>()) {
            let mut world = testing::World::default();
            world.instance.client.clone_from(&client);
            let mut draft = world.draft(&[], vec![config_map("a", "b", "c")]).unwrap();
            prop_assert_eq!((PASS.apply)(&mut draft).is_ok(), names::is_label_value(&client));
        }
    }
}
