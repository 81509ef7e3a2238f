//! Commands that are killed at each of their steps, and repeated.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use grove_test::{Output, World};

use crate::{edit, example_world};

const UNI: &str = "clusters/alpha/instances/uni/instance.yaml";
/// All that commands write to in Git.
const REPOSITORIES: [&str; 3] = ["fleet", "upstream.git", "deploy-alpha.git"];
/// More steps than any command has.
const STEPS: u32 = 40;

/// A command, what it begins from, and how it ends when it is repeated after it landed.
struct Writing {
    words: &'static [&'static str],
    /// Commands that come before it.
    before: &'static [&'static [&'static str]],
    /// Whether the fleet was changed before it, so that there is something to release.
    is_changed: bool,
    /// The codes with which it may end when all of it was there already.
    again: &'static [i32],
}

const fn of(words: &'static [&'static str]) -> Writing {
    Writing {
        words,
        before: &[],
        is_changed: false,
        again: &[0],
    }
}

const HOLD: &[&str] = &["hold", "alpha/uni", "-m", "The exam week"];
const FREEZE: &[&str] = &["freeze", "alpha/uni", "--for", "2h", "-m", "A restore"];

/// Commands that write to a deploy branch and nowhere else.
const COMMANDS: [Writing; 9] = [
    Writing {
        is_changed: true,
        ..of(&["deploy", "alpha/uni", "-m", "Another name"])
    },
    of(&["deploy", "alpha/uni-next"]),
    of(&["rollback", "alpha/uni", "--from", "3"]),
    of(&["rollback", "alpha/uni", "--to", "1"]),
    // It does not say what it leaves, so that a repeat could be another one.
    Writing {
        again: &[4],
        ..of(&["rollback", "alpha/uni"])
    },
    of(HOLD),
    Writing {
        before: &[HOLD],
        ..of(&["unhold", "alpha/uni"])
    },
    // No cluster can be reached, which is said.
    Writing {
        again: &[0, 3],
        ..of(FREEZE)
    },
    Writing {
        before: &[FREEZE],
        again: &[0, 3],
        ..of(&["unfreeze", "alpha/uni"])
    },
];

/// A site with three releases, whose fleet others can see.
fn three_releases() -> World {
    let world = example_world();
    let upstream = world.bare_repository("upstream.git");
    let fleet = world.fleet();
    let repository = world.open(&fleet);
    let _ = repository.git(["remote", "add", "origin", &upstream.display().to_string()]);
    let _ = repository.git(["push", "--quiet", "--set-upstream", "origin", "main"]);
    let _ = world
        .grove(["deploy", "alpha/uni", "--create-remote"])
        .success();
    for (from, to) in [("1209600", "2"), ("2", "3")] {
        change(&world, from, to);
        let _ = world.grove(["deploy", "alpha/uni"]).success();
    }
    world
}

fn change(world: &World, from: &str, to: &str) {
    let age = |age: &str| format!("SESSION_COOKIE_AGE: {age}");
    edit(world, UNI, &age(from), &age(to));
    world.repository(&world.fleet()).commit(to);
    let _ = world.open(&world.fleet()).git(["push", "--quiet"]);
}

fn run(world: &World, program: &str, arguments: &[&str]) -> String {
    let ran = world
        .process(program)
        .args(arguments)
        .current_dir(world.root())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{program} {arguments:?}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Puts all repositories into a directory, or back from there.
fn copy(world: &World, from: &Path, to: &Path) {
    for name in REPOSITORIES {
        let (from, to) = (from.join(name), to.join(name));
        let place = to.display().to_string();
        run(world, "rm", &["-rf", &place]);
        run(world, "cp", &["-a", &from.display().to_string(), &place]);
    }
}

/// What is in all repositories. Values that were encrypted are others each time.
fn state(world: &World) -> String {
    let git = |name: &str, words: &[&str]| {
        let path = world.path(name);
        world.open(&path).git(words.iter().copied())
    };
    let (tip, second) = (
        ["rev-parse", "deploy/alpha"],
        ["rev-parse", "refs/grove/alpha"],
    );
    assert_eq!(
        git("deploy-alpha.git", &tip),
        git("deploy-alpha.git", &second)
    );
    [
        git("fleet", &["for-each-ref"]),
        git("fleet", &["status", "--porcelain"]),
        git("upstream.git", &["for-each-ref"]),
        git("deploy-alpha.git", &["for-each-ref", "--format=%(refname)"]),
        git(
            "deploy-alpha.git",
            &["log", "--format=%an %ad %B", "deploy/alpha"],
        ),
        git(
            "deploy-alpha.git",
            &["ls-tree", "-r", "--name-only", "deploy/alpha"],
        ),
    ]
    .join("\n")
}

/// A `git` that kills whoever calls it at one of the calls that write: before it, or after it.
fn deadly_git(world: &World) -> String {
    let git = run(world, "sh", &["-c", "command -v git"]);
    let directory = world.path("deadly");
    let at = directory.display();
    world.write(
        "deadly/git",
        format!(
            "#!/bin/sh
case \" $* \" in
*' push '*|*' commit '*|*' update-ref '*|*' add '*) ;;
*) exec {git} \"$@\" ;;
esac
count=$(($(cat {at}/count) + 1))
echo $count > {at}/count
[ $count -eq $(cat {at}/when) ] || exec {git} \"$@\"
[ $(cat {at}/how) = before ] || {git} \"$@\"
touch {at}/done
kill -KILL $PPID
",
            git = git.trim()
        ),
    );
    let file = directory.join("git");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = run(world, "sh", &["-c", "echo $PATH"]);
    format!("{at}:{}", path.trim())
}

#[test]
#[ignore = "main-path: needs the package index and kustomize"]
fn every_command_that_is_killed_is_repeated_without_harm() {
    let world = three_releases();
    let path = deadly_git(&world);
    let (root, start, begun) = (world.root(), world.path("start"), world.path("begun"));
    for place in [&start, &begun] {
        std::fs::create_dir(place).unwrap();
    }
    copy(&world, root, &start);
    let mut kills = 0;
    for command in COMMANDS {
        copy(&world, &start, root);
        if command.is_changed {
            change(&world, "3", "4");
        }
        for before in command.before {
            let output = world.grove(*before);
            assert!(matches!(output.code, Some(0 | 3)), "{before:?}: {output}");
        }
        copy(&world, root, &begun);
        let words = command.words;
        let name = words.join(" ");
        let is_right = |output: &Output, codes: &[i32]| {
            output
                .code
                .is_some_and(|code| code == 0 || codes.contains(&code))
        };
        // As it is meant.
        let output = world.grove(words);
        assert!(is_right(&output, command.again), "{name}: {output}");
        let meant = state(&world);
        // Again, once it has landed.
        let output = world.grove(words);
        assert!(is_right(&output, command.again), "{name} again: {output}");
        assert_eq!(state(&world), meant, "{name} again: {output}");
        for how in ["before", "after"] {
            for step in 1..=STEPS {
                assert!(step < STEPS, "{name} has no end");
                copy(&world, &begun, root);
                for (file, text) in [
                    ("when", step.to_string()),
                    ("how", how.to_owned()),
                    ("count", "0".to_owned()),
                ] {
                    world.write(format!("deadly/{file}"), text);
                }
                let is_done = world.path("deadly/done");
                drop(std::fs::remove_file(&is_done));
                let killed = world.command(words).set("PATH", &path).run();
                if !is_done.exists() {
                    break;
                }
                assert_eq!(killed.code, None, "{name}, {how} {step}: {killed}");
                kills += 1;
                let place = format!("{name}, killed {how} its step {step}");
                let output = world.grove(words);
                assert!(is_right(&output, command.again), "{place}: {output}");
                assert_eq!(state(&world), meant, "{place}: {output}");
            }
        }
    }
    println!("{kills} kills");
    assert!(kills > 30, "{kills}");
}
