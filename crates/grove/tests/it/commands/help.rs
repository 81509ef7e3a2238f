//! What `--help` says, of the program and of each command.

use grove_test::World;
use insta::assert_snapshot;

use crate::GROVE;

#[test]
fn help_names_every_command_and_the_exit_codes() {
    assert_snapshot!(World::new(GROVE).grove(["--help"]).success(), @"
    exit code: 0
    ----- stdout -----
    Many Open edX instances on many Kubernetes clusters, from one Git repository.

    A fleet repository says what should run. Grove checks it, renders it with the real Tutor, seals its
    secrets and commits plain YAML to a deploy repository, from which Argo CD deploys. Every deploy is a
    release; a rollback points back to an older one and builds nothing.

    Usage: grove [OPTIONS] <COMMAND>

    Commands:
      demo         Show the main path on an example: check, render, deploy, change, roll back
      init         Make a new fleet
      new          Make a new cluster, distribution, group or instance
      check        Check the fleet and show what is wrong with it
      explain      Show where a value comes from and what it overrode
      rule         Show what a finding means and how to mend it
      schema       Print the JSON Schema of a kind of file, or of an answer
      lock         Resolve a distribution to exact, hashed packages
      secret       Set, edit, show, generate or rotate secrets, and see who can read them
      data         Make, verify and remove databases, users and buckets on shared servers
      seal         Keep the key that a cluster's secrets are sealed to
      image        See what images are built from, and hand it to a builder
      render       Render instances to plain YAML, without secrets
      diff         Show what a deploy would change, object by object
      deploy       Release instances: check, render, seal, and commit to the deploy repository
      history      List the releases of instances
      show         Show one release
      rollback     Go back to an older release, and hold the instance there
      hold         Keep instances at the release they run
      unhold       Let held instances follow the fleet again
      freeze       Make Argo CD leave instances alone for some time
      unfreeze     End freezes before their time
      instance     Stop and start instances, and put them into maintenance
      status       Show what should run and what runs, on all clusters at once
      watch        Show what runs, and then every change of it, until it is interrupted
      run          Run a command once, with what a service of the running release has
      do           Run a job of Tutor or of a plugin: create a user, import the demo course
      shell        A shell in a pod of its own, with what a service of the running release has
      logs         Show what the pods of an instance wrote
      stack        Plan and apply infrastructure: a root module and a state for each stack
      state        Take a state of OpenTofu or Terraform apart, and put it together
      cluster      Bring a cluster up, and keep what its instances share
      eject        Leave stacks as directories that OpenTofu runs without Grove
      bundle       Fetch what `grove cluster bootstrap` installs
      doctor       Check that this machine has what Grove needs
      completions  Print a shell's completion script
      man          Write the manual pages
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --fleet <DIR>
              The fleet: a directory with `grove.yaml`, or a bare Git repository with `--rev`.
              
              Default: the nearest directory above this one that has a `grove.yaml`.
              
              [env: GROVE_FLEET=]

          --rev <REV>
              Read the fleet at this Git revision instead of the files of the work tree

          --format <FORMAT>
              How results are written to stdout

              Possible values:
              - text: For people
              - json: One JSON document, for scripts
              
              [default: text]

          --color <WHEN>
              When to use colour

              Possible values:
              - auto:   On a terminal, unless `NO_COLOR` is set
              - always: Always
              - never:  Never
              
              [default: auto]

      -q, --quiet
              Say nothing on stderr but warnings and errors

          --request-id <ID>
              What a change is called: the same again, after whatever happened, is not carried out twice

    Exit codes: 0 done; 1 findings or the answer is no; 2 wrong usage; 3 another program or a remote
    failed; 4 refused; 5 the cluster did not become healthy; 6 out of time; 70 a bug of Grove's.
    ");
}

/// Every command and sub-command with its help.
fn commands(world: &World) -> Vec<(String, String)> {
    let mut waiting = vec![String::new()];
    let mut found = Vec::new();
    while let Some(command) = waiting.pop() {
        let words = command.split_whitespace().chain(["--help"]);
        let help = world.grove(words).success().stdout;
        let names = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help");
        waiting.extend(names.map(|name| format!("{command} {name}")));
        found.push((command, help));
    }
    assert!(found.len() > 25, "{found:?}");
    found
}

#[test]
fn every_command_and_argument_is_explained() {
    let world = World::new(GROVE);
    for (command, help) in commands(&world) {
        let about = help.lines().next().unwrap_or_default();
        assert!(
            !about.is_empty() && !about.starts_with("Usage:"),
            "`{command}` says nothing about itself:\n{help}"
        );
        let mut section = "";
        let mut lines = help.lines().peekable();
        while let Some(line) = lines.next() {
            if !line.starts_with(' ') && line.ends_with(':') {
                section = line;
            }
            if section == "Commands:" {
                let is_bare = line.split_whitespace().count() == 1 && line.starts_with(' ');
                assert!(!is_bare, "{line} has no about line:\n{help}");
            } else if !section.starts_with("Example") {
                // An argument stands less far to the right than its help, which is on the next line.
                let indent = line.len() - line.trim_start().len();
                let is_argument = indent < 10 && line.trim_start().starts_with(['-', '[', '<']);
                let next = lines.peek().unwrap_or(&"");
                assert!(
                    !is_argument
                        || (next.starts_with("          ") && !next.trim().starts_with('[')),
                    "`{command}` does not explain {line}:\n{help}"
                );
            }
        }
    }
}

/// The examples of each command's help can be called as they stand there.
#[test]
fn examples_in_help_are_understood() {
    let world = World::new(GROVE);
    let mut seen = 0;
    for (command, help) in commands(&world) {
        let examples = help
            .lines()
            .skip_while(|line| !line.starts_with("Example"))
            .skip(1);
        for example in examples {
            assert!(
                example.starts_with(&format!("  grove{command} "))
                    || example.trim() == format!("grove{command}"),
                "help of `{command}` has {example}"
            );
            let call = example.split(['<', '>']).next().unwrap_or_default();
            // Help comes after all that stands before it was understood.
            let (call, rest) = call.split_once(" -- ").unwrap_or((call, ""));
            let script = format!("grove() {{ \"$0\" \"$@\"; }}; {call} --help -- {rest}");
            let output = world
                .program("sh")
                .args(["-c", &script, GROVE])
                .output()
                .unwrap();
            // A job's `--help` is its own, which asks Tutor.
            let stderr = String::from_utf8_lossy(&output.stderr);
            let is_understood = command == " do" && stderr.contains("no fleet here");
            assert!(
                output.status.success() || is_understood,
                "{example}: {output:?}"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} examples were found");
}
