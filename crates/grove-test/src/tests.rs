//! A world is tested with programs that every machine has in place of `grove`.

use crate::World;

#[test]
fn a_command_sees_the_world_and_not_the_user() {
    let world = World::new("sh");
    let output = world
        .command([
            "-c",
            "echo \"$HOME $LC_ALL $TZ $GROVE_TEST_NOW $USER ${SHELL:-none}\"; pwd",
        ])
        .run();
    insta::assert_snapshot!(output, @r"
    exit code: 0
    ----- stdout -----
    [HOME] C.UTF-8 UTC 2026-01-02T03:04:05Z operator none
    [WORLD]/fleet
    ");
}

#[test]
fn an_output_shows_both_streams_and_how_it_ended() {
    let world = World::new("sh");
    let output = world
        .command(["-c", "cat; printf no >&2; exit 4"])
        .stdin("given\n")
        .run();
    insta::assert_snapshot!(output.exits(4), @r"
    exit code: 4
    ----- stdout -----
    given
    ----- stderr -----
    no
    [no newline at the end]
    ");
}

#[test]
fn commits_are_the_same_in_every_world() {
    let commit = || {
        let world = World::new("sh");
        world.write_fleet([("grove.yaml", "version: 1\n"), ("plugins/shop.py", "")]);
        assert_eq!(world.files("fleet"), ["grove.yaml", "plugins/shop.py"]);
        let fleet = world.fleet();
        let repository = world.repository(&fleet);
        let commit = repository.commit("Add a fleet");
        let remote = world.bare_repository("remote.git");
        repository.git(["push", "--quiet", "../remote.git", "main"]);
        assert_eq!(world.open(&remote).git(["rev-parse", "main"]), commit);
        commit
    };
    assert_eq!(commit(), commit());
}
