//! Reading a fleet from a revision and from a work tree.

use std::os::unix::fs::symlink;

use grove_core::{File, Snapshot, snapshot::FILE_LIMIT};
use grove_release::{Error, Source, worktree};

use crate::support::Place;

/// A fleet in the directory `fleet/SUB` of a world.
fn write_fleet(place: &Place, sub: &str) {
    let write =
        |path: &str, content: &str| place.world.write(format!("fleet/{sub}{path}"), content);
    write("grove.yaml", "version: 1\nname: acme\n");
    write(".sops.yaml", "creation_rules: []\n");
    write("README.md", "not for the model\n");
    write("distributions/v.yaml", "release: verawood\n");
    write("themes/x/logo.png", "not for the model");
    write("clusters/prod/cluster.yaml", "provider: local\n");
    write("clusters/prod/stacks/db/main.tf", "not for the model");
    write("clusters/prod/instances/uni/instance.yaml", "client: uni\n");
    write(
        "clusters/prod/instances/uni/theme/a.css",
        "not for the model",
    );
    let large = "x".repeat(usize::try_from(FILE_LIMIT).unwrap() + 1);
    write("plugins/large.py", &large);
    let link = place.world.path(format!("fleet/{sub}plugins/link.py"));
    symlink("../../../etc/passwd", link).unwrap();
}

/// The snapshot as lines.
fn lines(snapshot: &Snapshot) -> String {
    let line = |(path, file): (&String, &File)| match file {
        File::Bytes(bytes) => format!("{path}: {} bytes", bytes.len()),
        File::Link(target) => format!("{path} -> {target}"),
        File::TooLarge(size) => format!("{path}: too large, {size}"),
        File::Unreadable(reason) => format!("{path}: {reason}"),
    };
    snapshot
        .files
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_revision_and_a_work_tree_give_the_same_files() {
    let place = Place::new();
    write_fleet(&place, "sub/fleet/");
    let repository = place.world.repository(&place.world.fleet()).commit("one");
    let root = place.world.path("fleet/sub/fleet");
    let from_disk = worktree(&root).unwrap();
    insta::assert_snapshot!(lines(&from_disk), @"
    .sops.yaml: 19 bytes
    clusters/prod/cluster.yaml: 16 bytes
    clusters/prod/instances/uni/instance.yaml: 12 bytes
    clusters/prod/stacks/db/main.tf: 17 bytes
    distributions/v.yaml: 18 bytes
    grove.yaml: 22 bytes
    plugins/large.py: too large, 4194305
    plugins/link.py -> ../../../etc/passwd
    ");
    let source = Source::discover(&root).unwrap();
    assert_eq!(source.directory(), "sub/fleet");
    let commit = source.resolve("main").unwrap();
    assert_eq!(commit.to_string(), repository);
    assert_eq!(source.snapshot(commit).unwrap().files, from_disk.files);

    // The same from a bare clone, packed.
    let bare = place.world.path("bare.git");
    let fleet = place.world.fleet();
    place
        .world
        .open(&fleet)
        .git(["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let source = Source::open(&bare, "sub/fleet").unwrap();
    assert_eq!(source.work_tree(), None);
    let commit = source.resolve("HEAD").unwrap();
    assert_eq!(source.snapshot(commit).unwrap().files, from_disk.files);
}

#[test]
fn an_older_revision_is_read_as_it_was() {
    let place = Place::new();
    place.world.write("fleet/grove.yaml", "name: one\n");
    let fleet = place.world.fleet();
    let repository = place.world.repository(&fleet);
    repository.commit("one");
    place.world.write("fleet/grove.yaml", "name: two\n");
    repository.commit("two");
    let source = Source::discover(&fleet).unwrap();
    let name = |revision: &str| {
        let snapshot = source.snapshot(source.resolve(revision).unwrap()).unwrap();
        String::from_utf8_lossy(snapshot.bytes("grove.yaml").unwrap()).into_owned()
    };
    assert_eq!(name("HEAD~1"), "name: one\n");
    assert_eq!(name("main"), "name: two\n");
    assert!(matches!(
        source.resolve("nothing"),
        Err(Error::UnknownRevision(_))
    ));
    assert!(matches!(
        source.resolve("main:grove.yaml"),
        Err(Error::UnknownRevision(_))
    ));
    let elsewhere = Source::open(&fleet, "no/such").unwrap();
    let head = elsewhere.resolve("HEAD").unwrap();
    assert!(matches!(
        elsewhere.snapshot(head),
        Err(Error::NoDirectory { .. })
    ));
    assert!(matches!(
        Source::open(&fleet, "../x"),
        Err(Error::HostileName(_))
    ));
}

#[test]
fn a_directory_outside_of_git_has_no_source() {
    let place = Place::new();
    assert!(matches!(
        Source::discover(&place.world.fleet()),
        Err(Error::NotARepository(_))
    ));
}

#[test]
fn odd_things_in_a_work_tree_are_neither_followed_nor_opened() {
    let place = Place::new();
    place.world.write("fleet/grove.yaml", "");
    place.world.write("fleet/plugins/.git/config", "x");
    let fleet = place.world.fleet();
    symlink(".", fleet.join("clusters")).unwrap();
    symlink("loop", fleet.join("plugins/loop")).unwrap();
    std::os::unix::net::UnixListener::bind(fleet.join("plugins/socket")).unwrap();
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9.py");
    std::fs::write(fleet.join("plugins").join(odd), "x").unwrap();
    insta::assert_snapshot!(lines(&worktree(&fleet).unwrap()), @"
    clusters -> .
    grove.yaml: 0 bytes
    plugins/caf\u{fffd}.py: its name is not UTF-8
    plugins/loop -> loop
    plugins/socket: it is neither a file nor a directory
    ");
    let error = worktree(&place.world.path("none")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }));
}

#[test]
fn a_tree_that_repeats_itself_without_end_is_bounded() {
    let place = Place::new();
    let fleet = place.world.fleet();
    let repository = place.world.repository(&fleet);
    let tree_of = |entries: String| {
        place.world.write("list", entries);
        let list = place.world.path("list");
        let script = "alias.from=!f() { git mktree --missing < \"$1\"; }; f";
        repository.git(["-c", script, "from", list.to_str().unwrap()])
    };
    let repeated = |entry: String| {
        let lines: Vec<String> = (0..100).map(|i| format!("{entry}\td{i}\n")).collect();
        lines.concat()
    };
    // Six levels, each with the one below a hundred times over: a million million entries.
    let mut tree = tree_of(repeated(format!("160000 commit {}", "1".repeat(40))));
    for _ in 0..5 {
        tree = tree_of(repeated(format!("040000 tree {tree}")));
    }
    let root = tree_of(format!("040000 tree {tree}\tplugins\n"));
    let commit = repository.git(["commit-tree", &root, "-m", "bomb"]);
    let source = Source::discover(&fleet).unwrap();
    let error = source.snapshot(commit.parse().unwrap()).unwrap_err();
    assert!(matches!(error, Error::TooMuch { .. }), "{error}");
}

#[test]
fn a_tree_entry_that_leads_out_is_refused() {
    let place = Place::new();
    let fleet = place.world.fleet();
    let repository = place.world.repository(&fleet);
    place
        .world
        .write("tree", b"100644 ..\0aaaaaaaaaaaaaaaaaaaa");
    let file = place.world.path("tree");
    let tree = repository.git([
        "hash-object",
        "--literally",
        "-w",
        "-t",
        "tree",
        file.to_str().unwrap(),
    ]);
    let commit = repository.git(["commit-tree", &tree, "-m", "bad"]);
    let source = Source::discover(&fleet).unwrap();
    let error = source.snapshot(commit.parse().unwrap()).unwrap_err();
    assert!(matches!(error, Error::HostileName(_)), "{error}");
}
