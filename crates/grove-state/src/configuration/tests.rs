use std::fmt::Write as _;

use super::*;
use crate::{Allow, Rules, State, split};

const MAIN: &str = r#"
terraform {
  required_version = ">= 1.6"
  backend "s3" {}
}

variable "instances" {
  type = map(object({ size = number }))
}

locals {
  prefix = "acme"
}

provider "x" {
  region = local.prefix
}

module "network" {
  source = "./modules/network"
  cidr   = "10.0.0.0/16"
}

# One for each.
module "instances" {
  source   = "./modules/instance"
  for_each = var.instances
  name     = "${local.prefix}-${each.key}"
  size     = each.value.size
  network  = module.network.id
  peers    = [for name, one in var.instances : one.size]
  user     = x_user.user[each.key].id

  depends_on = [module.network, x_user.user]
}

resource "x_user" "user" {
  for_each = var.instances
  name     = each.key

  lifecycle {
    ignore_changes = [tags["x"]]
  }
}

output "network" {
  value = module.network.id
}
"#;

const RULES: &str = r#"version: 1
rules:
- match: module.instances["{instance}"]
  to: instances/{instance}
  as: module.instance
- match: x_user.user["{instance}"]
  to: instances/{instance}
  as: x_user.user
- match: module.network
  to: network
- output: network
  to: network
"#;

const STATE: &str = r#"{"version": 4, "terraform_version": "1.10.0", "serial": 1,
"lineage": "0a0b0c0d-0000-4000-8000-000000000000",
"outputs": {"network": {"value": "net", "type": "string"}},
"resources": [
 {"module": "module.network", "mode": "managed", "type": "x_net", "name": "n", "provider": "p",
  "instances": [{"schema_version": 0, "attributes": {"id": "1"}}]},
 {"module": "module.instances[\"uni\"]", "mode": "managed", "type": "x_db", "name": "d", "provider": "p",
  "instances": [{"schema_version": 0, "attributes": {"id": "2"}}]},
 {"mode": "managed", "type": "x_user", "name": "user", "provider": "p",
  "instances": [{"index_key": "uni", "schema_version": 0, "attributes": {"id": "3"}}]}
]}"#;

#[test]
fn each_part_gets_its_calls_and_inputs_for_what_others_have() {
    let state = State::parse(STATE).unwrap();
    let rules = Rules::parse(RULES, &BTreeMap::new()).unwrap();
    let split = split(state.clone(), &rules, Allow::default()).unwrap();
    let configuration = Configuration::read([("main.tf", MAIN)]).unwrap();
    let mut shown = String::new();
    for (part, record) in split.parts.iter().zip(&split.record.parts) {
        let made = configuration.part(part, record, "../../combined", &BTreeMap::new());
        write!(shown, "--- {}\n{}", part.stack, made.files["main.tf"]).unwrap();
        for (name, expression) in &made.variables {
            writeln!(shown, "# {name} <- {expression}").unwrap();
        }
        assert_eq!(made.left, [""; 0]);
    }
    insta::assert_snapshot!(shown, @r#"
    --- instances/uni
    terraform {
      required_version = ">= 1.6"
    }

    provider "x" {
      region = var.prefix
    }

    # One for each.
    module "instance" {
      source   = "../../combined/modules/instance"
      name     = "${var.prefix}-${"uni"}"
      size     = var.instances["uni"].size
      network  = var.network_id
      peers    = [for name, one in var.instances : one.size]
      user     = x_user.user.id

      depends_on = [x_user.user]
    }

    resource "x_user" "user" {
      name     = "uni"

      lifecycle {
        ignore_changes = [tags["x"]]
      }
    }

    variable "instances" {
      type = map(object({ size = number }))
    }

    variable "network_id" {}

    variable "prefix" {}
    # instances <- var.instances
    # network_id <- module.network.id
    # prefix <- local.prefix
    --- network
    terraform {
      required_version = ">= 1.6"
    }

    provider "x" {
      region = var.prefix
    }

    module "network" {
      source = "../../combined/modules/network"
      cidr   = "10.0.0.0/16"
    }

    output "network" {
      value = module.network.id
    }

    variable "prefix" {}
    # prefix <- local.prefix
    "#);
}

#[test]
fn what_cannot_be_copied_is_said() {
    let state = State::parse(STATE).unwrap();
    let rules = RULES.replace("as: module.instance\n", "as: .\n");
    let rules = Rules::parse(&rules, &BTreeMap::new()).unwrap();
    let split = split(state.clone(), &rules, Allow::default()).unwrap();
    let configuration =
        Configuration::read([("main.tf", "module \"network\" { source = \"./n\" }")]).unwrap();
    let left: Vec<String> = split
        .parts
        .iter()
        .zip(&split.record.parts)
        .flat_map(|(part, record)| {
            configuration
                .part(part, record, "..", &BTreeMap::new())
                .left
        })
        .collect();
    insta::assert_snapshot!(left.join("\n"), @r#"
    module.instances["uni"] is not declared in the old root
    x_user.user["uni"] is not declared in the old root
    "#);
}

const MODULE: &str = r#"
terraform {
  required_providers {
    x = { source = "acme/x" }
  }
}

variable "name" {}

variable "prefix" {
  default = "module"
}

module "sub" {
  source = "./sub"
}

module "beside" {
  source = "../network"
}

resource "x_db" "d" {
  name = "${var.prefix}-${var.name}"
}

output "id" {
  value = x_db.d.id
}
"#;

#[test]
fn a_hoisted_module_is_the_root_with_its_arguments_as_values() {
    let state = State::parse(STATE).unwrap();
    let rules = RULES.replace("as: module.instance\n", "as: .\n");
    let rules = Rules::parse(&rules, &BTreeMap::new()).unwrap();
    let split = split(state, &rules, Allow::default()).unwrap();
    let configuration = Configuration::read([("main.tf", MAIN)]).unwrap();
    let (part, record) = (&split.parts[0], &split.record.parts[0]);
    assert_eq!(
        hoisted_calls(part, record),
        BTreeSet::from(["instances".to_owned()])
    );
    let way = "../../combined/modules/instance".to_owned();
    let called = Called::read([("main.tf", MODULE), ("more.tf", "")], way).unwrap();
    let called = BTreeMap::from([("instances".to_owned(), called)]);
    let made = configuration.part(part, record, "../../combined", &called);
    let mut shown = String::new();
    for (name, text) in &made.files {
        writeln!(shown, "--- {name}\n{}", text.trim()).unwrap();
    }
    for (name, expression) in &made.variables {
        writeln!(shown, "# {name} <- {expression}").unwrap();
    }
    shown += &made.left.join("\n");
    insta::assert_snapshot!(shown, @r#"
    --- main.tf
    terraform {
      required_providers {
        x = { source = "acme/x" }
      }
    }

    variable "name" {}

    variable "prefix" {
      default = "module"
    }

    module "sub" {
      source = "./sub"
    }

    module "beside" {
      source = "../../combined/modules/network"
    }

    resource "x_db" "d" {
      name = "${var.prefix}-${var.name}"
    }
    --- more.tf

    --- root_main.tf
    terraform {
      required_version = ">= 1.6"
    }

    provider "x" {
      region = var.prefix_
    }

    resource "x_user" "user" {
      name     = "uni"

      lifecycle {
        ignore_changes = [tags["x"]]
      }
    }

    variable "network" {}

    variable "peers" {}

    variable "prefix_" {}

    variable "size" {}

    variable "user" {}
    # name <-  "${local.prefix}-${ "uni" }"
    # network <-  module.network.id
    # peers <-  [for name, one in var.instances : one.size]
    # prefix_ <- local.prefix
    # size <- var.instances["uni"].size
    # user <-  x_user.user["uni"].id
    outputs of module.instances["uni"], to be added once the part is applied: id
    "#);
}

#[test]
fn an_expression_is_read_by_a_console() {
    let text = r#"{
  # What it is called.
  a = each.key
  "b" : [
    each.value.x, // one
    count.index,
  ]
  (local.c) = merge(
    { d = 1 },
    var.e...
  ),
  f = [for k, v in each.value.all : upper(v) if k != "x"]
  j = {
    for k, v in each.value.all :
    k => v...
    if v != null # none
  }
  g = each.value.on ? -1 : (2 +
    3)
  h = <<-EOT
    one ${each.key} "two"
      %{ if true }three%{ endif }
  EOT
  i = "a ${each.value.x} \" $${b}"
}
"#;
    let expression: Expression = text.trim().parse().unwrap();
    let each = "var.all".parse().unwrap();
    let key = Key::Text("uni".to_owned());
    let alone = expressions::alone(&expression, Some(&key), Some(&each));
    assert!(!alone.contains('\n'), "{alone}");
    insta::assert_snapshot!(alone, @r#"{ a = "uni",  "b" : [var.all["uni"].x, "uni"],  (local.c) = merge( { d = 1 ,}, var.e...), f = [for k, v in var.all["uni"].all : upper(v) if k != "x"],  j = { for k, v in var.all["uni"].all : k => v... if v != null },  g = var.all["uni"].on ? -1 : (2 + 3),  h = "one ${ "uni" } \"two\"\n  %{ if true }three%{ endif }\n",  i = "a ${ var.all["uni"].x } \" $${b}",}"#);
}
