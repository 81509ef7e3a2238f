use super::*;

/// A validator of the few words that these schemas use.
fn fits(schema: &Value, value: &Value) -> bool {
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let is = |name: &&str| match *name {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        other => panic!("unknown type {other}"),
    };
    if !types.is_empty() && !types.iter().any(is) {
        return false;
    }
    let number = value.as_u64().unwrap_or_default();
    let is_within = schema["minimum"]
        .as_u64()
        .is_none_or(|least| number >= least)
        && schema["maximum"].as_u64().is_none_or(|most| number <= most);
    // The one pattern that there is.
    let is_amount = || {
        value
            .as_str()
            .is_none_or(|text| Quantity::parse(text).is_some())
    };
    if !is_within || schema["pattern"] == Quantity::PATTERN && !is_amount() {
        return false;
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return false;
    }
    if schema.get("const").is_some_and(|only| only != value) || schema.get("not").is_some() {
        return false;
    }
    if let Some(either) = schema["oneOf"].as_array()
        && either.iter().filter(|one| fits(one, value)).count() != 1
    {
        return false;
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        return values.iter().all(|value| fits(items, value));
    }
    let Some(map) = value.as_object() else {
        return true;
    };
    let required = schema["required"].as_array().into_iter().flatten();
    required
        .into_iter()
        .all(|key| map.contains_key(key.as_str().unwrap()))
        && map.iter().all(|(key, value)| {
            match schema["properties"]
                .get(key)
                .or(schema.get("additionalProperties"))
            {
                Some(Value::Bool(allowed)) => *allowed,
                Some(schema) => fits(schema, value),
                None => true,
            }
        })
}

#[test]
fn a_schema_says_what_the_check_says() {
    use FileKind::{Cluster, Distribution, Fleet, Group, Instance};
    let files = [
        (
            Instance,
            "identity: {namespace: a, id: b}\nhosts: {lms: x, cms: null}\nplugins: {a: {}, b: null}\n",
        ),
        (
            Instance,
            "identity: {namespace: a, id: b}\nplugins: {a: {b: 1}}\n",
        ),
        (Instance, "identity: {namespace: a}\n"),
        (Instance, "identity: null\n"),
        (
            Instance,
            "identity: {namespace: a, id: b}\nenvironment: null\nconfig: {A: [1], B: null}\n",
        ),
        (
            Instance,
            "identity: {namespace: a, id: b}\nenvironment: prod\n",
        ),
        (
            Instance,
            "identity: {namespace: a, id: b}\nstate: archived\n",
        ),
        (Instance, "identity: {namespace: a, id: b}\nsandbox: {}\n"),
        (
            Instance,
            "identity: {namespace: a, id: b}\nresources: {lms: {replicas: 2, requests: {cpu: 1.5, memory: 2Gi}}}\n",
        ),
        (
            Instance,
            "identity: {namespace: a, id: b}\nresources: {lms: {replicas: 0}}\n",
        ),
        (
            Instance,
            "identity: {namespace: a, id: b}\nresources: {lms: {limits: {memory: 2GB}}}\n",
        ),
        (
            Instance,
            "identity: {namespace: a, id: b}\nenv: {lms: {features: {A: 1}}}\n",
        ),
        (Group, "config: {}\nring: a\n"),
        (Group, "identity: {}\n"),
        (
            Cluster,
            "provider: aws\nargo: {topology: local}\ndefaults: {config: {A: 1}}\n",
        ),
        (Cluster, "provider: aws\nargo: {topology: central}\n"),
        (Cluster, "provider: aws\ndomain: null\n"),
        (Cluster, "provider: aws\nharmony: {values: {}}\n"),
        (
            Distribution,
            "release: v\ntutor: {git: a, rev: b}\nplugins: {a: '1', b: {git: a, rev: b}}\n",
        ),
        (Distribution, "release: v\ntutor: 22.0\n"),
        (Distribution, "release: v\ntutor: {git: a}\n"),
        (
            Fleet,
            "version: 1\nname: a\ndeploy: {remote: r}\nrings: [{name: a, defaults: {state: active}}]\n",
        ),
        (Fleet, "version: 2\nname: a\ndeploy: {remote: r}\n"),
        (
            Fleet,
            "version: 1\nname: a\ndeploy: {remote: r}\nrings: [{name: a, defaults: {ring: b}}]\n",
        ),
        (Fleet, "version: 1\nname: a\n"),
    ];
    let mut fitting = 0;
    for (kind, text) in files {
        let parsed = grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default());
        let root = parsed.root.unwrap();
        let expected = crate::shape::misfits(kind, &root).is_empty();
        assert_eq!(
            fits(&json(kind), &root.to_json()),
            expected,
            "{kind:?} {text}"
        );
        fitting += usize::from(expected);
    }
    assert_eq!(fitting, 7);
}

#[test]
fn a_schema_is_described() {
    let schema = json(FileKind::Distribution);
    insta::assert_snapshot!(format!("{schema:#}"), @r#"
    {
      "$id": "https://grove-platform.org/schemas/distribution.schema.json",
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "additionalProperties": false,
      "description": "A named, locked set of Tutor, plugins and packages. Once released it never changes: a new set is a new name.",
      "properties": {
        "packages": {
          "additionalProperties": {
            "oneOf": [
              {
                "type": "string"
              },
              {
                "additionalProperties": false,
                "properties": {
                  "git": {
                    "description": "The repository's URL.",
                    "type": "string"
                  },
                  "rev": {
                    "description": "The commit, as 40 hexadecimal digits.",
                    "type": "string"
                  }
                },
                "required": [
                  "git",
                  "rev"
                ],
                "type": "object"
              }
            ]
          },
          "description": "Further packages that the plugins need while rendering, by package name.",
          "type": "object"
        },
        "plugins": {
          "additionalProperties": {
            "oneOf": [
              {
                "type": "string"
              },
              {
                "additionalProperties": false,
                "properties": {
                  "git": {
                    "description": "The repository's URL.",
                    "type": "string"
                  },
                  "rev": {
                    "description": "The commit, as 40 hexadecimal digits.",
                    "type": "string"
                  }
                },
                "required": [
                  "git",
                  "rev"
                ],
                "type": "object"
              }
            ]
          },
          "description": "Packages that bring Tutor plugins, by package name. Instances choose among these plugins.",
          "type": "object"
        },
        "release": {
          "description": "The Open edX release that this Tutor installs, in lower case: `verawood`.",
          "type": "string"
        },
        "tutor": {
          "description": "Tutor: an exact version, quoted, or a commit.",
          "oneOf": [
            {
              "type": "string"
            },
            {
              "additionalProperties": false,
              "properties": {
                "git": {
                  "description": "The repository's URL.",
                  "type": "string"
                },
                "rev": {
                  "description": "The commit, as 40 hexadecimal digits.",
                  "type": "string"
                }
              },
              "required": [
                "git",
                "rev"
              ],
              "type": "object"
            }
          ]
        }
      },
      "required": [
        "release",
        "tutor"
      ],
      "title": "distributions/*.yaml",
      "type": "object"
    }
    "#);
}
