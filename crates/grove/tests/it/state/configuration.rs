//! `grove state split --config`: the configuration of the old root goes along.

use grove_test::World;

use super::{programs, run};
use crate::GROVE;

#[test]
#[ignore = "split: needs OpenTofu"]
fn the_configuration_of_the_old_root_goes_to_the_parts_and_their_plans_change_nothing() {
    for program in programs() {
        let world = World::new(GROVE);
        world.copy(&crate::example("split"), "fleet");
        run(
            &world,
            &program,
            "fleet/combined",
            &["init", "-input=false"],
        );
        let words =
            "state split --root combined --map rules.yaml --out parts --config combined --verify";
        let program = program.display().to_string();
        let split = world
            .grove(words.split(' ').chain(["--program", &program]))
            .success();
        assert!(split.stdout.ends_with("3 plans: no changes\n"), "{split}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(world.read("fleet/parts/instances/uni/main.tf"), @r#"
            module "instance" {
              source  = "../../../modules/instance"
              name    = "uni"
              network = var.network_id
            }

            # What belongs to an instance and stands beside its module.
            resource "terraform_data" "user" {
              input = { name = "uni", network = var.network_id }
            }

            variable "network_id" {}
            "#);
            insta::assert_snapshot!(world.read("fleet/parts/instances/uni/terraform.tfvars.json"), @r#"
            {
              "network_id": "10.0.0.0/16"
            }
            "#);
        }
    }
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_module_that_becomes_the_root_of_its_part_comes_with_its_files_and_values() {
    for program in programs() {
        let world = World::new(GROVE);
        world.copy(&crate::example("split"), "fleet");
        let rules = world
            .read("fleet/rules.yaml")
            .replace("as: module.instance\n", "as: .\n");
        world.write("fleet/rules.yaml", rules);
        // Its directory has more than its own files: a module below it, and values of no use to a root.
        world.write("fleet/modules/instance/note/main.tf", "");
        world.write("fleet/modules/instance/note.txt", "kept\n");
        world.write(
            "fleet/modules/instance/terraform.tfvars",
            "name = \"other\"\n",
        );
        run(
            &world,
            &program,
            "fleet/combined",
            &["init", "-input=false"],
        );
        let words =
            "state split --root combined --map rules.yaml --out parts --config combined --verify";
        let program = program.display().to_string();
        let split = world
            .grove(words.split(' ').chain(["--program", &program]))
            .success();
        assert!(split.stdout.ends_with("3 plans: no changes\n"), "{split}");
        let part = "fleet/parts/instances/uni";
        assert_eq!(world.read(format!("{part}/note.txt")), "kept\n");
        assert!(!world.path(format!("{part}/terraform.tfvars")).exists());
        insta::allow_duplicates! {
            insta::assert_snapshot!(world.read(format!("{part}/main.tf")), @r#"
            variable "name" {
              type = string
            }

            variable "network" {
              type = string
            }

            resource "terraform_data" "database" {
              input = "${var.name} in ${var.network}"
            }

            resource "terraform_data" "grant" {
              input = terraform_data.database.output
            }
            "#);
            insta::assert_snapshot!(world.read(format!("{part}/root_main.tf")), @r#"
            # What belongs to an instance and stands beside its module.
            resource "terraform_data" "user" {
              input = { name = "uni", network = var.network_id }
            }

            variable "network_id" {}
            "#);
            insta::assert_snapshot!(world.read(format!("{part}/terraform.tfvars.json")), @r#"
            {
              "name": "uni",
              "network": "10.0.0.0/16",
              "network_id": "10.0.0.0/16"
            }
            "#);
        }
    }
}
