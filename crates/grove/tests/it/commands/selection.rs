//! How commands are told of which instances they are.

use insta::assert_snapshot;

use crate::example_world;

#[test]
fn commands_that_write_need_a_selection() {
    let world = example_world();
    for arguments in [
        &["deploy"][..],
        &["hold", "-m", "exams"],
        &["unhold"],
        &["secret", "generate"],
    ] {
        let output = world.grove(arguments).exits(2);
        assert!(output.stderr.contains("needs a selection"), "{output}");
    }
    assert_snapshot!(world.grove(["deploy"]), @"
    exit code: 2
    ----- stderr -----
    error: this command writes, so it needs a selection
    hint: name instances (`cluster/instance`), a cluster or a ring, or say `--all`
    ");
    assert_snapshot!(world.grove(["deploy", "alpha/unix"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `alpha/unix` selects nothing: there is no such instance
    hint: did you mean `alpha/uni`?
    ");
    assert_snapshot!(world.grove(["hold", "@canari", "-m", "exams"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `@canari` selects nothing: there is no such ring
    hint: did you mean `@canary`?
    ");
    assert_snapshot!(world.grove(["unhold", "-l", "clint=uni"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `clint=uni` selects nothing: there is no such label
    hint: did you mean `client=uni`?
    ");
    assert_snapshot!(world.grove(["diff", "alfa"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: `alfa` selects nothing: there is no such cluster
    ");
    assert_snapshot!(world.grove(["deploy", "alpha", "--all"]).exits(2), @"
    exit code: 2
    ----- stderr -----
    error: the argument '[SELECTOR]...' cannot be used with '--all'

    Usage: grove deploy <SELECTOR>...

    For more information, try '--help'.
    ");
}
