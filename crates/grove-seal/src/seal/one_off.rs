//! Secrets of a Job that is made for one task beside a release.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Error, environment::key_reference, expansion::to_expansion, object};
use crate::{names, placeholder};

/// Makes the placeholders in a Job's commands variables, with values from the Secret that the Jobs of the
/// running release read. A secret that no Job of it reads is [`Error::Unread`].
pub fn one_off(job: &mut Value, released: &BTreeMap<String, Value>) -> Result<(), Error> {
    let title = object::title(job);
    let known: BTreeSet<&str> = released
        .values()
        .filter(|one| object::kind(one) == "SealedSecret" && object::name(one) == names::JOBS_ENV)
        .filter_map(|secret| secret.pointer("/spec/encryptedData")?.as_object())
        .flat_map(|data| data.keys().map(String::as_str))
        .collect();
    let Some(pod) = object::pod_spec_mut(job) else {
        return Ok(());
    };
    for container in object::containers_mut(pod) {
        let mut wanted = BTreeSet::new();
        let words = container.get_mut("command").and_then(Value::as_array_mut);
        for word in words.into_iter().flatten() {
            let Value::String(text) = word else { continue };
            if !placeholder::any(text) {
                continue;
            }
            wanted.extend(placeholder::names(text).map(str::to_owned));
            *text = to_expansion(text).ok_or_else(|| Error::Reserved {
                object: title.clone(),
            })?;
        }
        if let Some(name) = wanted.iter().find(|name| !known.contains(name.as_str())) {
            return Err(Error::Unread { name: name.clone() });
        }
        let Some(fields) = container.as_object_mut() else {
            continue;
        };
        let own = fields.entry("env").or_insert_with(|| json!([]));
        let Some(own) = own.as_array_mut() else {
            continue;
        };
        for name in wanted {
            let variable = format!("{}{name}", names::VARIABLE);
            // What the service has for itself is the same value.
            if !own.iter().any(|one| one["name"] == variable.as_str()) {
                own.push(json!({
                    "name": variable, "valueFrom": key_reference(names::JOBS_ENV, &name),
                }));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(command: &str) -> Value {
        json!({
            "kind": "Job",
            "metadata": {"name": "do-lms-1"},
            "spec": {"template": {"spec": {"containers": [{
                "name": "lms",
                "command": ["sh", "-e", "-c", command],
                "env": [{"name": "GROVE_SECRET_OWN", "value": "x"}],
            }]}}},
        })
    }

    fn released() -> BTreeMap<String, Value> {
        let secret = json!({
            "kind": "SealedSecret",
            "metadata": {"name": "env-jobs"},
            "spec": {"encryptedData": {"ROOT": "1", "OWN": "2"}},
        });
        BTreeMap::from([("sealedsecret-env-jobs.yaml".to_owned(), secret)])
    }

    #[test]
    fn a_job_reads_what_the_jobs_of_the_release_read() {
        let mut made = job(r#"mysql -p"@@ROOT@@" $$(date) @@OWN@@"#);
        one_off(&mut made, &released()).unwrap();
        insta::assert_snapshot!(
            grove_yaml::emit(&made["spec"]["template"]["spec"]["containers"][0]), @r#"
        command:
        - sh
        - -e
        - -c
        - mysql -p"$(GROVE_SECRET_ROOT)" $$(date) $(GROVE_SECRET_OWN)
        env:
        - name: GROVE_SECRET_OWN
          value: x
        - name: GROVE_SECRET_ROOT
          valueFrom:
            secretKeyRef:
              key: ROOT
              name: env-jobs
        name: lms
        "#
        );
    }

    #[test]
    fn what_no_job_reads_is_refused_and_plain_text_stays() {
        let unread = one_off(&mut job("echo @@OTHER@@"), &released());
        assert_eq!(
            unread,
            Err(Error::Unread {
                name: "OTHER".to_owned()
            })
        );
        let mut plain = job("echo $HOME");
        one_off(&mut plain, &BTreeMap::new()).unwrap();
        assert_eq!(plain, job("echo $HOME"));
    }
}
