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
        let made = configuration.part(part, record, "../../combined");
        write!(shown, "--- {}\n{}", part.stack, made.text).unwrap();
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
        .flat_map(|(part, record)| configuration.part(part, record, "..").left)
        .collect();
    insta::assert_snapshot!(left.join("\n"), @r#"
    module.instances["uni"] is hoisted into the root module: write its resources there
    x_user.user["uni"] is not declared in the old root
    "#);
}
