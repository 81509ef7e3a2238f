//! Ends in the middle, and caches that are not what they were.

use std::path::{Path, PathBuf};

use crate::support::{Place, deploy, objects};

/// Lets `git push` on this machine run a hook first.
fn pre_push(place: &Place, text: &str) {
    place.script("hooks/pre-push", text);
    let hooks = place.world.path("hooks");
    place.world.write(
        "home/.gitconfig",
        format!("[core]\n\thooksPath = {}\n", hooks.display()),
    );
}

#[test]
fn an_end_between_writing_and_pushing_leaves_the_remote_as_it_was() {
    for hook in ["exit 1", "kill -9 $PPID"] {
        let place = Place::new();
        let remote = place.remote();
        let mut branch = place.open(&remote, "a").unwrap();
        deploy(&mut branch, "uni", 1, "one").unwrap();
        let before = place.in_remote(["rev-parse", "deploy/prod"]);

        pre_push(&place, hook);
        assert!(deploy(&mut branch, "uni", 2, "two").is_err(), "{hook}");
        assert_eq!(place.in_remote(["rev-parse", "deploy/prod"]), before);

        pre_push(&place, "exit 0");
        let mut next = place.open(&remote, "a").unwrap();
        assert_eq!(next.rewritten(), None);
        assert_eq!(
            next.view().unwrap().objects("uni").unwrap(),
            Some(objects("one"))
        );
        assert!(deploy(&mut next, "uni", 2, "two").unwrap().pushed);
    }
}

#[test]
fn a_connection_that_breaks_after_the_remote_took_it_is_a_success() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    // The program that serves the push dies after the branch was moved, before it answers.
    place.script("deploy.git/hooks/post-receive", "kill -9 $PPID");
    let outcome = deploy(&mut branch, "uni", 1, "one").unwrap();
    assert!(outcome.pushed);
    assert_eq!(place.in_remote(["rev-list", "--count", "deploy/prod"]), "1");
}

#[test]
fn a_remote_that_cannot_store_the_commit_stays_as_it_was() {
    let place = Place::new();
    let remote = place.remote();
    let mut branch = place.open(&remote, "a").unwrap();
    deploy(&mut branch, "uni", 1, "one").unwrap();
    let before = place.in_remote(["rev-parse", "deploy/prod"]);
    // What a full disk does to the remote's side.
    place.in_remote(["config", "receive.maxInputSize", "10"]);
    assert!(deploy(&mut branch, "uni", 2, "two").is_err());
    assert_eq!(place.in_remote(["rev-parse", "deploy/prod"]), before);
    place.in_remote(["fsck", "--strict"]);
    place.in_remote(["config", "--unset", "receive.maxInputSize"]);
    assert!(deploy(&mut branch, "uni", 2, "two").unwrap().pushed);
}

/// Every file below a repository's `objects/`.
fn object_files(repository: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![repository.join("objects")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

fn overwrite(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    // In place: a file that is cut short below a program that has mapped it ends the program.
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

/// What happens to a cache, and how.
type Damage = (&'static str, fn(&Path) -> std::io::Result<()>);

#[test]
fn a_damaged_cache_is_made_anew() {
    let damages: [Damage; 6] = [
        ("every object empty", |cache| {
            for path in object_files(cache) {
                overwrite(&path, b"");
            }
            Ok(())
        }),
        ("no objects", |cache| {
            std::fs::remove_dir_all(cache.join("objects"))
        }),
        ("objects without content", |cache| {
            object_files(cache)
                .iter()
                .try_for_each(std::fs::remove_file)
        }),
        ("no HEAD", |cache| std::fs::remove_file(cache.join("HEAD"))),
        ("a config that is none", |cache| {
            std::fs::write(cache.join("config"), "[[[")
        }),
        ("a reference that is none", |cache| {
            std::fs::write(cache.join("refs/remotes/origin/deploy/prod"), "garbage\n")
        }),
    ];
    for (name, damage) in damages {
        let place = Place::new();
        let remote = place.remote();
        let mut branch = place.open(&remote, "a").unwrap();
        deploy(&mut branch, "uni", 1, "one").unwrap();
        drop(branch);
        damage(&place.cache("a")).unwrap();
        let mut branch = place
            .open(&remote, "a")
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let view = branch.view().unwrap();
        assert_eq!(view.objects("uni").unwrap(), Some(objects("one")), "{name}");
        assert!(
            deploy(&mut branch, "uni", 2, "two").unwrap().pushed,
            "{name}"
        );
        // Nothing of the old one lies about.
        let left: Vec<String> = std::fs::read_dir(place.caches("a"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_cache_that_is_damaged_while_it_is_open_is_made_anew() {
    let place = Place::new();
    let remote = place.remote();
    deploy(&mut place.open(&remote, "z").unwrap(), "uni", 1, "one").unwrap();
    let branch = place.open(&remote, "a").unwrap();
    for path in object_files(&place.cache("a")) {
        let length = usize::try_from(path.metadata().unwrap().len()).unwrap();
        overwrite(&path, &vec![0; length]);
    }
    assert_eq!(
        branch.view().unwrap().objects("uni").unwrap(),
        Some(objects("one"))
    );
}
