//! How images are pulled.

use serde_json::{Value, json};

use super::{draft::Draft, pass::Pass};
use crate::Error;

pub(super) const PASS: Pass = Pass {
    name: "pull-secret",
    summary: "Where `registry.pull_secret` names a secret, it is a Secret of the namespace that every pod of \
              the instance pulls its images with.",
    changes: &["Secret", "* /spec"],
    apply,
};

/// The Secret's logical name.
const NAME: &str = "registry";

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let Some(secret) = draft.pull_secret else {
        return Ok(());
    };
    if !draft.instance.secrets.contains_key(secret) {
        return Err(Error::new(
            format!("`registry.pull_secret` is {secret}, which the instance does not have"),
            "`grove secret set CLUSTER NAME` gives it to all of a cluster",
        ));
    }
    for object in draft.objects.iter_mut() {
        let spec = object
            .pod_template_mut()
            .and_then(|template| template.get_mut("spec"))
            .and_then(Value::as_object_mut);
        let Some(spec) = spec else { continue };
        let secrets = spec
            .entry("imagePullSecrets")
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Some(secrets) = secrets.as_array_mut() {
            secrets.push(json!({"name": NAME}));
        }
    }
    let body = json!({
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": format!("@@{secret}@@")},
    });
    draft.add("v1", "Secret", NAME, body)
}

#[cfg(test)]
mod tests {
    use super::PASS;
    use crate::testing::{self, deployment, template_job};

    #[test]
    fn every_pod_pulls_with_it() {
        let mut world = testing::World {
            pull_secret: Some("REGISTRY_AUTH".to_owned()),
            ..testing::World::default()
        };
        let objects = vec![
            deployment("lms", "r/openedx:1"),
            template_job("lms", "r/openedx:1"),
        ];
        let run = |world: &testing::World| {
            testing::run(&PASS, &mut world.draft(&[], objects.clone()).unwrap())
        };
        insta::assert_snapshot!(run(&world).unwrap_err(), @"`registry.pull_secret` is REGISTRY_AUTH, which the instance does not have");
        testing::secret(&mut world.instance, "REGISTRY_AUTH");
        insta::assert_snapshot!(run(&world).unwrap(), @r#"
        + Deployment/lms /spec/template/spec/imagePullSecrets: [{"name":"registry"}]
        + Job/lms-job /spec/template/spec/imagePullSecrets: [{"name":"registry"}]
        + Secret/registry
        "#);
    }
}
