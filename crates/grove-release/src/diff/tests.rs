use serde_json::json;

use super::*;

fn config(suffix: &str, value: &str) -> Value {
    json!({
        "kind": "ConfigMap",
        "metadata": {
            "name": format!("settings-{suffix}"),
            "annotations": {"grove-platform.org/name": "settings"},
        },
        "data": {"a": "1", "value": value},
    })
}

fn sealed(suffix: &str, key: &str, ciphertext: &str) -> Value {
    json!({
        "kind": "SealedSecret",
        "metadata": {
            "name": format!("keys-{suffix}"),
            "annotations": {"grove-platform.org/name": "keys"},
        },
        "spec": {"encryptedData": {key: ciphertext, "SAME": "AgSAME"}, "template": {"data": {"file": "x"}}},
    })
}

fn deployment(settings: &str, keys: &str, image: &str) -> Value {
    json!({
        "kind": "Deployment",
        "metadata": {"name": "lms"},
        "spec": {"template": {"spec": {
            "containers": [{"image": image}],
            "volumes": [
                {"configMap": {"name": format!("settings-{settings}")}},
                {"secret": {"secretName": format!("keys-{keys}")}},
            ],
        }}},
    })
}

fn job(name: &str) -> Value {
    json!({
        "kind": "Job",
        "metadata": {"name": name, "annotations": {"grove-platform.org/name": "migrate"}},
        "spec": {"text": "migrate"},
    })
}

fn ingress(host: &str) -> Value {
    json!({"kind": "Ingress", "metadata": {"name": "web"}, "spec": {"rules": [{"host": host}]}})
}

fn claim() -> Value {
    json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "mysql"}})
}

fn objects(objects: impl IntoIterator<Item = Value>) -> Objects {
    objects
        .into_iter()
        .map(|object| (format!("{}-{}.yaml", kind(&object), name(&object)), object))
        .collect()
}

/// A diff as lines.
fn text(diff: &Diff) -> String {
    let added = diff.added.iter().map(|name| format!("+ {name}\n"));
    let removed = diff.removed.iter().map(|name| format!("- {name}\n"));
    let changed = diff.changed.iter().map(|change| {
        let again = if change.runs_again { " runs again" } else { "" };
        let Change {
            object,
            secrets,
            because,
            text,
            ..
        } = change;
        format!("~ {object}{again} secrets {secrets:?} because {because:?}\n{text}")
    });
    added.chain(removed).chain(changed).collect()
}

#[test]
fn equal_states_have_no_difference() {
    let state = objects([config("1", "x"), deployment("1", "1", "a")]);
    let diff = diff(&state, &state);
    assert!(diff.is_empty());
    assert!(!diff.deletions.need_confirmation());
}

#[test]
fn a_changed_configuration_is_one_change_and_a_reason() {
    let old = objects([
        config("1", "x"),
        deployment("1", "1", "a"),
        sealed("1", "KEY", "AgOLD"),
    ]);
    let new = objects([
        config("2", "y"),
        deployment("2", "1", "a"),
        sealed("1", "KEY", "AgOLD"),
    ]);
    insta::assert_snapshot!(text(&diff(&old, &new)), @r#"
    ~ ConfigMap settings secrets {} because {}
    @@ -1,6 +1,6 @@
     data:
       a: "1"
    -  value: x
    +  value: "y"
     kind: ConfigMap
     metadata:
       annotations:
    ~ Deployment lms secrets {} because {"settings"}
    "#);
}

#[test]
fn what_changes_itself_and_rolls_shows_both() {
    let old = objects([config("1", "x"), deployment("1", "1", "old")]);
    let new = objects([config("2", "x"), deployment("2", "1", "new")]);
    insta::assert_snapshot!(text(&diff(&old, &new)), @r#"
    ~ ConfigMap settings secrets {} because {}
    ~ Deployment lms secrets {} because {"settings"}
    @@ -5,7 +5,7 @@
       template:
         spec:
           containers:
    -      - image: old
    +      - image: new
           volumes:
           - configMap:
               name: settings
    "#);
}

#[test]
fn secrets_are_named_and_never_shown() {
    let old = objects([sealed("1", "GONE", "AgHIDDEN1"), deployment("1", "1", "a")]);
    let new = objects([sealed("2", "NEW", "AgHIDDEN2"), deployment("1", "2", "a")]);
    let diff = diff(&old, &new);
    insta::assert_snapshot!(text(&diff), @r#"
    ~ Deployment lms secrets {} because {"keys"}
    ~ SealedSecret keys secrets {"GONE", "NEW"} because {}
    @@ -5,7 +5,7 @@
       name: keys
     spec:
       encryptedData:
    -    GONE: (sealed)
    +    NEW: (sealed)
         SAME: (sealed)
       template:
         data:
    "#);
    assert!(!serde_json::to_string(&diff).unwrap().contains("HIDDEN"));

    // A value that was rotated: nothing but its name.
    let rotated = super::diff(
        &objects([sealed("1", "KEY", "AgHIDDEN1")]),
        &objects([sealed("2", "KEY", "AgHIDDEN2")]),
    );
    insta::assert_snapshot!(text(&rotated), @r#"~ SealedSecret keys secrets {"KEY"} because {}"#);

    // A plain Secret should not be there; its values are hidden all the same.
    let plain = |value: &str| {
        objects([
            json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"k": value}, "stringData": {"t": value}}),
        ])
    };
    let diff = super::diff(&plain("HIDDEN1"), &plain("HIDDEN2"));
    assert!(!serde_json::to_string(&diff).unwrap().contains("HIDDEN"));
    assert_eq!(diff.changed[0].secrets.len(), 2);
}

#[test]
fn a_job_of_a_new_name_runs_again() {
    let diff = diff(&objects([job("migrate-1")]), &objects([job("migrate-2")]));
    insta::assert_snapshot!(text(&diff), @"~ Job migrate runs again secrets {} because {}");
    assert_eq!(diff.deletions.objects, 0);
}

#[test]
fn what_is_kept_of_an_older_release_is_no_difference() {
    let kept = |mut object: Value, mark: &str| {
        object["metadata"]["annotations"][format!("grove-platform.org/{mark}")] = "true".into();
        object
    };
    let old = objects([config("1", "x")]);
    let new = objects([
        config("1", "x"),
        kept(config("0", "w"), "retained"),
        kept(job("migrate-0"), "left-release"),
    ]);
    assert!(diff(&old, &new).is_empty());
    assert!(diff(&new, &old).is_empty());
}

#[test]
fn objects_of_one_logical_name_are_all_compared() {
    let old = objects([config("1", "x"), config("2", "y")]);
    let new = objects([config("1", "x")]);
    let removed = diff(&old, &new).removed;
    assert_eq!(removed.len(), 1);
}

#[test]
fn a_volume_a_host_or_a_tenth_of_the_objects_needs_confirmation() {
    let many = |count: usize| {
        (0..count).map(|i| json!({"kind": "Service", "metadata": {"name": format!("s{i}")}}))
    };
    let old = objects(many(18).chain([claim(), ingress("learn.uni.example")]));
    let without_volume = objects(many(18).chain([ingress("learn.uni.example")]));
    let deletions = diff(&old, &without_volume).deletions;
    assert_eq!(
        (deletions.volumes.as_slice(), deletions.count()),
        (&["mysql".to_owned()][..], 1)
    );
    assert!(deletions.need_confirmation());

    let other_host = objects(many(18).chain([claim(), ingress("other.uni.example")]));
    let deletions = diff(&old, &other_host).deletions;
    assert_eq!(
        (deletions.hosts.as_slice(), deletions.count()),
        (&["learn.uni.example".to_owned()][..], 1)
    );
    assert!(deletions.need_confirmation());

    let rest = [claim(), ingress("learn.uni.example")];
    let two_less = diff(&old, &objects(many(16).chain(rest.clone()))).deletions;
    assert_eq!((two_less.objects, two_less.of), (2, 20));
    assert!(!two_less.need_confirmation());
    let three_less = diff(&old, &objects(many(15).chain(rest))).deletions;
    assert_eq!(three_less.count(), 3);
    assert!(three_less.need_confirmation());
}

#[test]
fn a_difference_as_json() {
    let diff = diff(
        &objects([config("1", "x"), claim()]),
        &objects([config("2", "x"), job("migrate-1")]),
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&diff).unwrap(), @r#"
    {
      "added": [
        {
          "kind": "Job",
          "name": "migrate",
          "jobs_copy": false
        }
      ],
      "removed": [
        {
          "kind": "PersistentVolumeClaim",
          "name": "mysql",
          "jobs_copy": false
        }
      ],
      "changed": [
        {
          "object": {
            "kind": "ConfigMap",
            "name": "settings",
            "jobs_copy": false
          },
          "text": "",
          "secrets": [],
          "because": [],
          "runs_again": false
        }
      ],
      "deletions": {
        "volumes": [
          "mysql"
        ],
        "hosts": [],
        "objects": 1,
        "of": 2
      }
    }
    "#);
}

#[test]
fn very_long_texts_are_not_compared_line_by_line() {
    let long = |word: &str| {
        let list: Vec<String> = (0..15_000).map(|i| format!("{word} {i}")).collect();
        objects([json!({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": list})])
    };
    let change = &diff(&long("old"), &long("new")).changed[0];
    assert_eq!(
        change.text,
        "(too long to compare: 15004 lines became 15004)\n"
    );
}
