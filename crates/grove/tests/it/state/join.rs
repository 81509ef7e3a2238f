//! `grove state join`: what was taken apart is put together.

use std::path::Path;

use grove_test::World;

use super::{programs, push, run, split_example};
use crate::GROVE;

const RULES: &str = r#"version: 1
rules:
- match: module.instances["{instance}"]
  to: instances/{instance}
  as: module.instance
- match: terraform_data.user["{instance}"]
  to: instances/{instance}
  as: terraform_data.user
- match: module.network
  to: cluster/network
- output: network
  to: cluster/network
"#;

const COMBINED: &str = r#"
variable "instances" { default = ["uni", "academy-2", "x.y"] }
module "network" { source = "./network" }
module "instances" {
  source   = "./instance"
  for_each = toset(var.instances)
  name     = each.key
  network  = module.network.id
}
resource "terraform_data" "user" {
  for_each = toset(var.instances)
  input    = { name = each.key, big = 12345678901234567890123 }
}
output "network" { value = module.network.id }
"#;

const NETWORK: &str = r#"
resource "terraform_data" "network" { input = "net" }
output "id" { value = terraform_data.network.output }
"#;

const INSTANCE: &str = r#"
variable "name" {}
variable "network" {}
resource "terraform_data" "database" { input = "${var.name}-${var.network}" }
resource "terraform_data" "grant" { input = terraform_data.database.output }
"#;

/// A combined state that `program` applied.
fn applied(program: &Path) -> World {
    let world = World::with_shared_cache(GROVE);
    world.write("fleet/combined/main.tf", COMBINED);
    world.write("fleet/combined/network/main.tf", NETWORK);
    world.write("fleet/combined/instance/main.tf", INSTANCE);
    world.write("fleet/rules.yaml", RULES);
    run(&world, program, "fleet/combined", &["init", "-input=false"]);
    run(
        &world,
        program,
        "fleet/combined",
        &["apply", "-auto-approve", "-input=false"],
    );
    world
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_combined_state_is_split_verified_and_joined() {
    for program in programs() {
        let world = applied(&program);
        let words = "state split --from combined/terraform.tfstate --map rules.yaml --out parts";
        let split = world.grove(words.split(' ')).success();
        // Both programs write the same.
        insta::allow_duplicates! {
            insta::assert_snapshot!(split.stdout, @"
            cluster/network      1 object
            instances/academy-2  3 objects, needs inputs from cluster/network
            instances/uni        3 objects, needs inputs from cluster/network
            instances/x.y        3 objects, needs inputs from cluster/network
            10 of 10 objects in 4 parts
            ");
        }

        // Nobody else may read a state.
        let mode = |path: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = std::fs::metadata(world.path(format!("fleet/{path}"))).unwrap();
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode("parts/instances/uni/terraform.tfstate"), 0o600);

        // Each part has the configuration of its stack, and a plan of it changes nothing.
        for (stack, name) in [("uni", "uni"), ("academy-2", "academy-2"), ("x.y", "x.y")] {
            let text = format!(
                "module \"instance\" {{\n  source = \"../../../combined/instance\"\n  name = \"{name}\"\n  network = \"net\"\n}}\n\
                 resource \"terraform_data\" \"user\" {{\n  input = {{ name = \"{name}\", big = 12345678901234567890123 }}\n}}\n"
            );
            world.write(format!("fleet/parts/instances/{stack}/main.tf"), text);
        }
        world.write(
            "fleet/parts/cluster/network/main.tf",
            "module \"network\" { source = \"../../../combined/network\" }\noutput \"network\" { value = module.network.id }\n",
        );
        let program_text = program.display().to_string();
        let verify = ["state", "verify", "parts", "--program", &program_text];
        let verified = world.grove(verify).success();
        assert_eq!(verified.stdout, "4 plans: no changes\n");

        // Joined, it is what it was: by content, and to the program.
        let _ = world
            .grove(["state", "join", "parts", "--out", "joined.tfstate"])
            .success();
        let _ = world
            .grove([
                "state",
                "diff",
                "combined/terraform.tfstate",
                "joined.tfstate",
            ])
            .success();
        let joined = world.read("fleet/joined.tfstate");
        world.write("fleet/combined/terraform.tfstate", &joined);
        run(
            &world,
            &program,
            "fleet/combined",
            &["plan", "-detailed-exitcode", "-input=false"],
        );

        // A part that another configuration would change is named.
        let file = "fleet/parts/instances/uni/main.tf";
        let other = world.read(file).replace("\"net\"", "\"other\"");
        world.write(file, other);
        let verified = world.grove(verify);
        assert_eq!(verified.code, Some(1), "{verified}");
        assert_eq!(
            verified.stdout,
            "instances/uni:\n  module.instance.terraform_data.database: update\n  module.instance.terraform_data.grant: update\n"
        );
    }
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn what_stays_is_in_the_combined_state_in_the_end() {
    for program in programs() {
        let world = split_example(&program);
        std::fs::remove_dir_all(world.path("fleet/parts")).unwrap();
        let rules = world
            .read("fleet/rules.yaml")
            .replace("to: cluster/network", "to: .");
        world.write("fleet/rules.yaml", rules);
        let words = "state split --from combined/terraform.tfstate --map rules.yaml --out parts";
        let split = world.grove(words.split(' ')).success();
        assert!(
            split
                .stdout
                .starts_with(".                  1 object, which stay"),
            "{split}"
        );
        // Joined, nothing is missing.
        let _ = world
            .grove(["state", "join", "parts", "--out", "joined.tfstate"])
            .success();
        let _ = world
            .grove([
                "state",
                "diff",
                "combined/terraform.tfstate",
                "joined.tfstate",
            ])
            .success();

        world.write(
            "fleet/combined/main.tf",
            "module \"network\" {\n  source = \"../modules/network\"\n}\noutput \"network\" {\n  value = module.network.id\n}\n",
        );
        let pushed = push(&world, &program).success();
        assert!(
            pushed
                .stdout
                .starts_with("6 objects of 2 parts in 2 back ends"),
            "{pushed}"
        );
        let combined = world.read("fleet/combined/terraform.tfstate");
        assert_eq!(
            combined.matches("\"schema_version\"").count(),
            1,
            "{combined}"
        );
        run(
            &world,
            &program,
            "fleet/combined",
            &["plan", "-detailed-exitcode", "-input=false"],
        );
        let again = push(&world, &program).success();
        assert!(
            again.stderr.contains("everything was pushed already"),
            "{again}"
        );
    }
}
