//! Locking and installing distributions.

use std::path::PathBuf;

use grove_core::{Distribution, Lock, Requirement};
use grove_exec::Invocation;
use grove_tutor::environment::Error;
use grove_tutor::{Cache, Environment, environment, lock};

use crate::machine::{Print, fresh_cache, shared_cache};
use crate::repository::{HATCHLING, SETUPTOOLS, commit};

fn version(text: &str) -> Requirement {
    Requirement::Version(text.to_owned())
}

/// Tutor 22 with these plugins.
fn distribution(plugins: &[(&str, Requirement)]) -> Distribution {
    Distribution {
        name: "test-1".to_owned(),
        release: "verawood".to_owned(),
        tutor: version("22.0.3"),
        plugins: plugins
            .iter()
            .map(|(name, requirement)| ((*name).to_owned(), requirement.clone()))
            .collect(),
        ..Distribution::default()
    }
}

pub(crate) fn example(name: &str) -> Lock {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/fleet/distributions")
        .join(format!("{name}.lock"));
    Lock::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What `python -c` prints in an environment.
fn python(environment: &Environment, script: &str) -> String {
    let run = Invocation::new(&environment.python).args(["-I", "-c", script]);
    run.run().unwrap().text().unwrap().trim().to_owned()
}

/// The environment's file `path`, below `site-packages`.
fn installed(environment: &Environment, path: &str) -> PathBuf {
    let site = python(
        environment,
        "import sysconfig; print(sysconfig.get_path('purelib'))",
    );
    PathBuf::from(site).join(path)
}

/// Why a distribution with these plugins cannot be locked.
fn error(cache: &Cache, plugins: &[(&str, Requirement)]) -> Error {
    let error = lock(&distribution(plugins), cache, &Print).unwrap_err();
    println!("{error}\nhint: {:?}", error.hint());
    error
}

#[test]
#[ignore = "tutor: needs the package index"]
fn the_examples_install_from_their_locks_in_every_version() {
    for (name, tutor) in [("verawood-1", "22.0.3"), ("ulmo-1", "21.0.8")] {
        let lock = example(name);
        assert_eq!(lock.tutor, tutor);
        let environment = environment(&lock, &shared_cache(), &Print).unwrap();
        let script = "from tutor.__about__ import __version__; print(__version__)";
        assert_eq!(python(&environment, script), tutor);
        let key = std::fs::read_to_string(&environment.throwaway_key).unwrap();
        assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        assert!(lock.plugins["mfe"].secrets.is_empty());
        assert_eq!(
            lock.plugins["minio"].secrets,
            ["MINIO_AWS_SECRET_ACCESS_KEY"]
        );
        assert!(lock.secrets.contains(&"JWT_RSA_PRIVATE_KEY".to_owned()));
        assert!(!lock.secrets.contains(&"ID".to_owned()));
        // It is there now, so it is only looked at.
        let start = std::time::Instant::now();
        let again = grove_tutor::environment(&lock, &shared_cache(), &Print).unwrap();
        println!("second use: {:?}", start.elapsed());
        assert_eq!(again.root, environment.root);
    }
}

#[test]
#[ignore = "tutor: needs the package index"]
fn wheels_are_built_to_the_bytes_of_the_lock_on_another_machine() {
    // A cache without them builds them; the lock's hashes then prove the bytes.
    let dir = tempfile::tempdir().unwrap();
    let cache = fresh_cache(dir.path());
    let environment = environment(&example("ulmo-1"), &cache, &Print).unwrap();
    assert!(installed(&environment, "tutormfe/plugin.py").is_file());
}

#[test]
#[ignore = "tutor: needs the package index"]
fn plugins_from_commits_are_locked_and_installed() {
    let dir = tempfile::tempdir().unwrap();
    let shop = commit(&dir.path().join("shop"), HATCHLING);
    let legacy = commit(&dir.path().join("legacy"), SETUPTOOLS);
    let wanted = distribution(&[("tutor-shop", shop.clone()), ("tutor-legacy", legacy)]);
    let mut texts = Vec::new();
    for name in ["one", "a longer path/two"] {
        let root = dir.path().join(name);
        std::fs::create_dir_all(&root).unwrap();
        let cache = fresh_cache(&root);
        texts.push(lock(&wanted, &cache, &Print).unwrap());
    }
    assert_eq!(texts[0], texts[1]);
    assert!(!texts[0].contains(env!("CARGO_TARGET_TMPDIR")) && !texts[0].contains("one/"));

    let lock = Lock::parse(&texts[0]).unwrap();
    assert_eq!(lock.input, wanted.input());
    assert_eq!(lock.plugins["shop"].package, "tutor-shop");
    assert_eq!(lock.plugins["shop"].version, "1.2.3");
    assert_eq!(lock.plugins["shop"].secrets, ["SHOP_KEY"]);
    assert_eq!(lock.plugins["legacy"].package, "tutor-legacy");
    let wheel = &lock.wheels["tutor-shop"];
    let Requirement::Git { git, rev } = shop else {
        panic!()
    };
    assert_eq!((&wheel.git, &wheel.rev), (&git, &rev));
    assert!(lock.requirements.contains(&format!(
        "tutor-shop==1.2.3 \\\n    --hash=sha256:{}\n",
        wheel.sha256
    )));

    // Elsewhere, from the lock alone, by two at once.
    let root = dir.path().join("three");
    std::fs::create_dir(&root).unwrap();
    let cache = fresh_cache(&root);
    let (first, second) = std::thread::scope(|scope| {
        let make = || environment(&lock, &cache, &Print).unwrap();
        let other = scope.spawn(make);
        (make(), other.join().unwrap())
    });
    assert_eq!(first.root, second.root);
    assert_eq!(python(&first, "import tutorshop, legacy; print(1)"), "1");
    drop(second);

    // Damage: a file that is shorter, and one of the same length.
    let file = installed(&first, "tutorshop/plugin.py");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    let new = environment(&lock, &cache, &Print).unwrap();
    assert_ne!(new.root, first.root);
    let file = installed(&new, "tutorshop/plugin.py");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert!(new.is_intact());
    std::fs::write(&file, text.replace("import", "impart")).unwrap();
    assert!(!new.is_intact());
    new.condemn().unwrap();
    assert_ne!(environment(&lock, &cache, &Print).unwrap().root, new.root);

    // A lock that somebody changed.
    let mut changed = lock.clone();
    let other = "0".repeat(64);
    changed.requirements = lock.requirements.replace(&wheel.sha256, &other);
    changed.wheels.get_mut("tutor-shop").unwrap().sha256 = other;
    let error = environment(&changed, &cache, &Print).unwrap_err();
    assert!(matches!(error, Error::WheelChanged { .. }), "{error}");
}

#[test]
#[ignore = "tutor: needs the package index"]
fn a_plugin_that_does_not_load_is_named_with_its_traceback() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = HATCHLING.to_vec();
    files[2].1 = "raise RuntimeError('not today')";
    let requirement = commit(&dir.path().join("shop"), &files);
    let error = error(&fresh_cache(dir.path()), &[("tutor-shop", requirement)]);
    assert!(matches!(error, Error::PluginFails { .. }), "{error}");
    assert!(
        error.to_string().contains("RuntimeError: not today"),
        "{error}"
    );
}

#[test]
#[ignore = "tutor: needs the package index"]
fn what_cannot_be_locked_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let shop = commit(&dir.path().join("shop"), HATCHLING);
    let cache = fresh_cache(dir.path());
    let Requirement::Git { git: url, rev } = &shop else {
        panic!()
    };
    let git = |git: &str, rev: &str| Requirement::Git {
        git: git.to_owned(),
        rev: rev.to_owned(),
    };
    assert!(matches!(
        error(&cache, &[("tutor-mfe", version("99.0"))]),
        Error::NotFound { .. }
    ));
    assert!(matches!(
        error(&cache, &[("tutor-mfe", version("21.0.2"))]),
        Error::Unresolved(_)
    ));
    assert!(matches!(
        error(&cache, &[("tutor-mfe", version("1 --index-url=x"))]),
        Error::Invalid { .. }
    ));
    let unknown = error(
        &cache,
        &[("tutor-shop", git("file:///no/such/repository", rev))],
    );
    assert!(matches!(unknown, Error::Fetch { .. }));
    let unknown = error(&cache, &[("tutor-shop", git(url, &"0".repeat(40)))]);
    assert!(matches!(unknown, Error::Fetch { .. }));
    assert!(matches!(
        error(&cache, &[("tutor-other", shop.clone())]),
        Error::WrongPackage { .. }
    ));
    assert!(matches!(
        error(&cache, &[("tutor-shop", git(url, "main"))]),
        Error::Invalid { .. }
    ));
    assert!(matches!(
        error(&cache, &[("six", version("1.17.0"))]),
        Error::NotAPlugin(_)
    ));
}
