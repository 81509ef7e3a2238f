//! `grove state split`: from a file or a back end, with rules.

use grove_test::World;

use super::{programs, run};
use crate::GROVE;

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
