use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Module, ModuleError> {
    Module::read([("main.tf", text.as_bytes())])
}

#[test]
fn variables_outputs_and_calls_are_read() {
    let module = read(
        r#"
        terraform {
          required_version = ">= 1.6"
          backend "s3" {}
        }
        variable "name" {
          type        = string
          description = "Its name."
        }
        variable "pools" {
          type = list(object({
            size = string
            max  = optional(number, 3)
            tags = map(any)
          }))
          default = []
        }
        variable "token" { sensitive = true }
        output "id" { value = module.network.id }
        output "key" {
          value     = var.token
          sensitive = true
        }
        module "network" {
          source   = "./network"
          for_each = toset(["a"])
          name     = var.name
        }
        "#,
    )
    .unwrap();
    let shown: Vec<String> = module
        .variables
        .iter()
        .map(|(name, variable)| {
            format!(
                "{name}: {}{}{}",
                variable.holds,
                if variable.is_required {
                    ", required"
                } else {
                    ""
                },
                if variable.is_sensitive {
                    ", sensitive"
                } else {
                    ""
                }
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    name: string, required
    pools: list(object({max = optional(number), size = string, tags = map(any)}))
    token: any, required, sensitive
    ");
    assert!(module.outputs["key"].is_sensitive && !module.outputs["id"].is_sensitive);
    assert_eq!(module.calls["network"].source.as_deref(), Some("./network"));
    assert_eq!(module.calls["network"].arguments, ["name"]);
    assert_eq!(module.owned[0].0, "backend");
    assert_eq!(
        module.variables["name"].description.as_deref(),
        Some("Its name.")
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let error = read("variable \"a\" {\n  type = string\n").unwrap_err();
    assert_eq!(error.place.file, "main.tf");
    let error = read("variable \"a\" { type = strin }").unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.place.bytes),
        ("strin is no type", 22..27)
    );
    let error = read("output \"a\" { value = 1 }\noutput \"a\" { value = 2 }").unwrap_err();
    assert_eq!(error.message, "output \"a\" is declared twice");
    assert_eq!(error.place.bytes.start, 25);
}

#[test]
fn files_of_opentofu_replace_those_of_terraform() {
    let module = Module::read([
        ("a.tf", b"variable \"old\" {}".as_slice()),
        ("a.tofu", b"variable \"new\" {}".as_slice()),
        ("b.tf.json", b"{}".as_slice()),
        ("notes.md", b"variable".as_slice()),
    ])
    .unwrap();
    assert_eq!(module.variables.keys().collect::<Vec<_>>(), ["new"]);
    assert!(module.is_partial);
}

#[test]
fn values_are_checked_as_opentofu_converts_them() {
    let holds =
        read("variable \"a\" { type = object({ size = number, tags = optional(map(string)) }) }")
            .unwrap()
            .variables["a"]
            .holds
            .clone();
    let check = |value| holds.check(&value).err().unwrap_or_default();
    assert_eq!(check(json!({"size": 1, "more": []})), "");
    assert_eq!(check(json!({"size": "17", "tags": {"a": true}})), "");
    assert_eq!(check(json!({"size": "big"})), "`size` is text, not number");
    assert_eq!(check(json!({"tags": {}})), "it lacks `size`");
    assert_eq!(
        check(json!({"size": 1, "tags": {"a": []}})),
        "`tags.a` is a list, not string"
    );
    assert_eq!(
        check(json!("x")),
        "it is text, not object({size = number, tags = optional(map(string))})"
    );
}
