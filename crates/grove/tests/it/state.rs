//! A combined state taken apart, with the real OpenTofu, and Terraform where it is installed.

use std::path::{Path, PathBuf};

use grove_test::World;

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

/// The programs to try: OpenTofu, which the suite brings, and Terraform where it is installed.
fn programs() -> Vec<PathBuf> {
    let tofu = std::env::var_os("GROVE_TEST_TOFU").unwrap();
    let mut programs = vec![PathBuf::from(tofu)];
    programs.extend(grove_exec::find("terraform"));
    programs
}

/// Runs a program in a directory; it must succeed.
#[track_caller]
fn run(world: &World, program: &Path, directory: &str, arguments: &[&str]) {
    let output = world
        .program(program.display().to_string())
        .current_dir(world.path(directory))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

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

/// The example, split, with root modules of the stacks that have back ends of their own.
fn split_example(program: &Path) -> World {
    let world = World::with_shared_cache(GROVE);
    world.copy(&crate::example("split"), "fleet");
    for stack in ["cluster/network", "instances/uni", "instances/academy"] {
        let path = world.path(format!("states/{stack}.tfstate"));
        world.write(
            format!("fleet/stacks/{stack}/backend.tf"),
            format!(
                "terraform {{\n  backend \"local\" {{\n    path = \"{}\"\n  }}\n}}\n",
                path.display()
            ),
        );
    }
    run(&world, program, "fleet/combined", &["init", "-input=false"]);
    let words = "state split --from combined/terraform.tfstate --map rules.yaml --out parts";
    let _ = world.grove(words.split(' ')).success();
    world
}

fn push(world: &World, program: &Path) -> grove_test::Output {
    let program = program.display().to_string();
    let words = [
        "state", "push", "parts", "--source", "combined", "--stacks", "stacks",
    ];
    world.grove(words.into_iter().chain(["--program", &program]))
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn parts_are_pushed_once_and_a_push_that_stopped_goes_on() {
    for program in programs() {
        let world = split_example(&program);
        let combined = world.read("fleet/combined/terraform.tfstate");

        // The old root still declares everything: its next apply would make it a second time.
        let refused = push(&world, &program);
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(
            refused.stderr.contains("still declares 7 objects")
                && refused
                    .stderr
                    .contains("module.network.terraform_data.network"),
            "{refused}"
        );
        world.write("fleet/combined/main.tf", "# All of it is in stacks now.\n");

        // Somebody holds the lock: it is said who.
        let mut console = world
            .process(&program)
            .current_dir(world.path("fleet/combined"))
            .arg("console")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(console.stdin.as_mut().unwrap(), b"1\n").unwrap();
        let lock = world.path("fleet/combined/.terraform.tfstate.lock.info");
        while !lock.exists() {
            assert!(console.try_wait().unwrap().is_none(), "the console ended");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let refused = push(&world, &program);
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(
            refused.stderr.contains("cannot be locked") && refused.stderr.contains("Who:"),
            "{refused}"
        );
        drop(console.stdin.take());
        assert!(console.wait().unwrap().success());

        // It stops at a stack that cannot be pushed; what was pushed stays, and the source is untouched.
        let broken = "fleet/stacks/instances/academy/main.tf";
        let whole = world.read(broken);
        world.write("states/instances/academy.tfstate", &combined);
        let stopped = push(&world, &program);
        assert_eq!(stopped.code, Some(4), "{stopped}");
        assert!(
            stopped.stderr.contains("another lineage")
                && stopped
                    .stderr
                    .contains("1 of 3 parts are in their back ends"),
            "{stopped}"
        );
        assert_eq!(world.read("fleet/combined/terraform.tfstate"), combined);
        assert_eq!(world.read("states/instances/academy.tfstate"), combined);
        std::fs::remove_file(world.path("states/instances/academy.tfstate")).unwrap();
        assert_eq!(world.read(broken), whole);

        // The same command goes on, and a third time there is nothing to do.
        let pushed = push(&world, &program).success();
        assert_eq!(
            pushed.stdout,
            "7 objects of 3 parts in 3 back ends; the combined state has none of them any more\n"
        );
        // So it is where the last word was not written.
        let journal = world.read("fleet/parts/push.json");
        world.write(
            "fleet/parts/push.json",
            journal.replace("\"finished\": true", "\"finished\": false"),
        );
        let last = push(&world, &program).success();
        assert_eq!(last.stdout, pushed.stdout);
        let again = push(&world, &program).success();
        assert!(
            again.stderr.contains("everything was pushed already"),
            "{again}"
        );
        world.write("fleet/before.tfstate", &combined);
        let words = ["state", "diff", "parts/combined.tfstate", "before.tfstate"];
        let _ = world.grove(words).success();
        let left: serde_json::Value =
            serde_json::from_str(&world.read("fleet/combined/terraform.tfstate")).unwrap();
        let before: serde_json::Value = serde_json::from_str(&combined).unwrap();
        assert_eq!(left["resources"], serde_json::json!([]));
        assert_eq!(left["lineage"], before["lineage"]);
        // Some back ends count once more.
        let serial = |state: &serde_json::Value| state["serial"].as_u64().unwrap();
        assert!(serial(&left) > serial(&before), "{left}");

        // Nothing would change anywhere: neither in the stacks nor in the old root.
        for root in [
            "stacks/cluster/network",
            "stacks/instances/uni",
            "stacks/instances/academy",
            "combined",
        ] {
            let words = ["plan", "-detailed-exitcode", "-input=false"];
            run(&world, &program, &format!("fleet/{root}"), &words);
        }
    }
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_state_that_was_applied_since_or_a_part_that_was_changed_is_not_pushed() {
    let program = programs().remove(0);
    let world = split_example(&program);
    world.write("fleet/combined/main.tf", "# All of it is in stacks now.\n");
    let part = "fleet/parts/cluster/network/terraform.tfstate";
    let text = world.read(part);
    world.write(part, text.replace("10.0.0.0", "10.1.0.0"));
    let refused = push(&world, &program);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused
            .stderr
            .contains("is not the file that was split off"),
        "{refused}"
    );
    world.write(part, text);

    run(
        &world,
        &program,
        "fleet/combined",
        &["state", "rm", "module.network"],
    );
    let refused = push(&world, &program);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("is not the one that was split"),
        "{refused}"
    );
    assert!(!world.path("states/cluster/network.tfstate").exists());
}

/// `docs/split-a-combined-state.md`, command by command.
#[test]
#[ignore = "split: needs OpenTofu"]
fn the_page_can_be_followed() {
    let page = include_str!("../../../../docs/split-a-combined-state.md");
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let commands = rest.split_once("```").unwrap().0;
    assert!(commands.lines().count() > 5, "{commands}");
    let world = World::with_shared_cache(GROVE);
    world.copy(&crate::example("split"), "examples/split");
    let tofu = programs().remove(0);
    let directories = [Path::new(GROVE).parent(), tofu.parent()];
    let mut path = std::env::var_os("PATH").unwrap();
    for directory in directories.into_iter().flatten() {
        let all = std::iter::once(directory.to_owned()).chain(std::env::split_paths(&path));
        path = std::env::join_paths(all.collect::<Vec<_>>()).unwrap();
    }
    let output = world
        .program("sh")
        .current_dir(world.root())
        .env("PATH", path)
        .args(["-e", "-c", commands])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("3 plans: no changes"), "{printed}");
}

#[test]
fn what_cannot_be_split_is_said_and_nothing_is_written() {
    let world = World::with_shared_cache(GROVE);
    let state = r#"{"version":4,"serial":1,"lineage":"l","resources":[
        {"mode":"managed","type":"a","name":"b","provider":"p","instances":[{"attributes":{}}]}]}"#;
    world.write("fleet/state", state);
    world.write(
        "fleet/rules.yaml",
        "version: 1\nrules:\n- {match: a.c, to: x}\n",
    );
    let split = |from: &str, map: &str| {
        world.grove([
            "state", "split", "--from", from, "--map", map, "--out", "parts",
        ])
    };
    insta::assert_snapshot!(split("state", "rules.yaml").to_string(), @"
    exit code: 1
    ----- stderr -----
    error: no rule claims 1 object: a.b
    hint: every object needs a stack: add a rule, the last one may claim the rest
    ");
    world.write(
        "fleet/bad.yaml",
        "version: 1\nrules:\n- {match: \"a b\", to: x}\n- {match: a.b, too: x}\n",
    );
    insta::assert_snapshot!(split("state", "bad.yaml").to_string(), @"
    exit code: 1
    ----- stderr -----
    error: the rules cannot be used
      cause: bad.yaml:3:11: `a b` is neither a module's path nor an object's address
      cause: bad.yaml:4:21: unknown key `too`; known are match, where, output, to, as
      cause: bad.yaml:4:3: a rule needs `to`: the name of a stack
    hint: `grove state split --help` shows rules
    ");
    world.write(
        "fleet/encrypted",
        r#"{"meta":{},"encrypted_data":"x","encryption_version":"v0"}"#,
    );
    insta::assert_snapshot!(split("encrypted", "rules.yaml").to_string(), @"
    exit code: 1
    ----- stderr -----
    error: cannot read encrypted
      cause: the state is encrypted
    hint: `tofu state pull` prints it in plain text
    ");
    insta::assert_snapshot!(split("absent", "rules.yaml").to_string(), @"
    exit code: 2
    ----- stderr -----
    error: there is no absent
    hint: `tofu state pull` writes the state of a back end to stdout
    ");
    assert!(!world.path("fleet/parts").exists());
    // Nothing is left beside it.
    let mut names: Vec<_> = std::fs::read_dir(world.fleet())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("grove-split"))
        .collect();
    names.sort();
    assert_eq!(names, Vec::<String>::new());

    // What is there already stays as it is.
    world.write("fleet/parts/kept", "x");
    let output = split("state", "rules.yaml");
    assert_eq!(output.code, Some(2), "{output}");
    assert_eq!(world.read("fleet/parts/kept"), "x");
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_state_is_split_right_from_its_back_end_and_verified() {
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
            "state split --root combined --map rules.yaml --out parts --stacks stacks --verify";
        let program = program.display().to_string();
        let split = world
            .grove(words.split(' ').chain(["--program", &program]))
            .success();
        assert!(
            split
                .stdout
                .ends_with("7 of 7 objects in 3 parts\n3 plans: no changes\n"),
            "{split}"
        );
        // The lock is free again.
        assert!(
            !world
                .path("fleet/combined/.terraform.tfstate.lock.info")
                .exists()
        );

        // One that the plans would change is said, and the parts stay for a look.
        let file = "fleet/stacks/instances/uni/main.tf";
        let text = world.read(file);
        world.write(
            file,
            format!("{text}\nresource \"terraform_data\" \"more\" {{}}\n"),
        );
        let words = words.replace("--out parts", "--out others");
        let changed = world.grove(words.split(' ').chain(["--program", &program]));
        assert_eq!(changed.code, Some(1), "{changed}");
        assert!(
            changed.stdout.contains("terraform_data.more: create"),
            "{changed}"
        );
    }
}

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_push_that_is_killed_at_any_moment_ends_well_when_it_is_repeated() {
    let program = PathBuf::from(std::env::var_os("GROVE_TEST_TOFU").unwrap());
    let world = split_example(&program);
    world.write("fleet/combined/main.tf", "# All of it is in stacks now.\n");
    let combined = world.read("fleet/combined/terraform.tfstate");
    let text = program.display().to_string();
    let words = [
        "state", "push", "parts", "--source", "combined", "--stacks", "stacks",
    ];
    let mut killed = 0;
    for moment in [300, 700, 1100, 1500, 1900, 2300, 2700] {
        let mut child = world
            .process(GROVE)
            .args(words)
            .args(["--program", &text])
            .current_dir(world.fleet())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(moment));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        let _ = child.wait();
        // What it started ends by itself: its input is gone.
        let lock = world.path("fleet/combined/.terraform.tfstate.lock.info");
        let begun = std::time::Instant::now();
        while lock.exists() && begun.elapsed() < std::time::Duration::from_secs(20) {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let now = world.read("fleet/combined/terraform.tfstate");
        // The old state or the new one: never in between.
        assert!(now == combined || !now.contains("terraform_data"), "{now}");
    }
    assert!(killed > 1, "{killed} runs were cut off");
    let _ = push(&world, &program).success();
    for (part, objects) in [
        ("cluster/network", 1),
        ("instances/uni", 3),
        ("instances/academy", 3),
    ] {
        let state = world.read(format!("states/{part}.tfstate"));
        assert_eq!(
            state.matches("\"schema_version\"").count(),
            objects,
            "{part}: {state}"
        );
    }
}

/// Puts a file system with little room where its first argument says, seen by its own program alone, runs the
/// rest twice, without room and with it, and says what became of the file of its second argument. The exit
/// code 99 says that nothing may be mounted.
const FULL: &str = r#"
set -e
place=$1; combined=$2; shift 2
mkdir -p "$place"
mount -t tmpfs -o size=1m full "$place" || exit 99
before=$(sha256sum < "$combined")
dd if=/dev/zero of="$place/filler" bs=4k 2>/dev/null || true
truncate -s -12K "$place/filler"
code=0
"$@" || code=$?
[ "$before" != "$(sha256sum < "$combined")" ] || echo "without room: $code, the old state is untouched"
rm "$place/filler"
"$@"
find "$place" -name '*.tfstate' | sort | sed "s:^$place/::"
"#;

#[test]
#[ignore = "split: needs OpenTofu"]
fn a_push_to_a_full_disk_leaves_the_old_state_and_goes_on_once_there_is_room() {
    let program = PathBuf::from(std::env::var_os("GROVE_TEST_TOFU").unwrap());
    let world = split_example(&program);
    world.write("fleet/combined/main.tf", "# All of it is in stacks now.\n");
    let text = program.display().to_string();
    let place = world.path("states").display().to_string();
    let combined = world.path("fleet/combined/terraform.tfstate");
    let combined = combined.display().to_string();
    let words = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        FULL,
        "sh",
        &place,
        &combined,
    ];
    let push = [
        "state",
        "push",
        "parts",
        "--source",
        "combined",
        "--stacks",
        "stacks",
        "--program",
        &text,
    ];
    let output = world.command_under(&words, push).run();
    if output.code == Some(99) || output.stderr.starts_with("unshare:") {
        println!("skipped: nothing can be mounted here: {}", output.stderr);
        return;
    }
    let output = output.success();
    assert!(
        output.stderr.contains("no space left on device"),
        "{output}"
    );
    insta::assert_snapshot!(output.stdout, @"
    without room: 3, the old state is untouched
    7 objects of 3 parts in 3 back ends; the combined state has none of them any more
    cluster/network.tfstate
    instances/academy.tfstate
    instances/uni.tfstate
    ");
}

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
