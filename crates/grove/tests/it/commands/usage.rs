//! What is wrong in how a command is called.

use insta::assert_snapshot;

use super::copy_of;

#[test]
fn wrong_usage_ends_with_2() {
    let world = copy_of("fleet");
    for arguments in [
        &[][..],
        &["chek"],
        &["check", "--bogus"],
        &["check", "--format", "xml"],
        &["render"],
        &["hold", "alpha/uni"],
        &["show", "alpha/uni@first"],
        &["show", "alfa/uni"],
        &["rollback", "uni"],
        &["rollback", "alpha/uni", "--to", "-1"],
        &["deploy", "--local", "--rev", "HEAD"],
        &["completions", "tcsh"],
    ] {
        let output = world.grove(arguments).exits(2);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    assert_snapshot!(world.grove(["chek"]), @"
    exit code: 2
    ----- stderr -----
    error: unrecognized subcommand 'chek'

      tip: some similar subcommands exist: 'schema', 'check'

    Usage: grove [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(world.grove(["show", "alfa/uni"]), @"
    exit code: 2
    ----- stderr -----
    error: the fleet has no cluster `alfa`
    hint: there are: alpha, beta
    ");
}
