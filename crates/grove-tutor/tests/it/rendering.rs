//! The worker and Kustomize with Tutor itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grove_core::TutorInput;
use grove_tutor::{
    Failure, FailureKind, Generator, Kustomizer, Limits, SecretClass, Worker, WorkerError,
    WorkerOptions, environment,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::distributions::example;
use crate::machine::{Print, shared_cache};

const SECRETS: [&str; 7] = [
    "CMS_OAUTH2_SECRET",
    "MEILISEARCH_API_KEY",
    "MEILISEARCH_API_KEY_UID",
    "MEILISEARCH_MASTER_KEY",
    "MYSQL_ROOT_PASSWORD",
    "OPENEDX_MYSQL_PASSWORD",
    "OPENEDX_SECRET_KEY",
];

pub(crate) fn instance(name: &str) -> TutorInput {
    let mut input = TutorInput {
        plugins: vec!["indigo".to_owned(), "mfe".to_owned()],
        secrets: SECRETS.map(str::to_owned).into(),
        ..TutorInput::default()
    };
    let config = json!({
        "LMS_HOST": format!("{name}.example.org"),
        "CMS_HOST": format!("studio.{name}.example.org"),
        "ENABLE_HTTPS": true,
        "ENABLE_WEB_PROXY": false,
        "K8S_NAMESPACE": name,
        "ID": "a".repeat(24),
    });
    input.config.extend(config.as_object().unwrap().clone());
    for secret in SECRETS {
        input
            .config
            .insert(secret.to_owned(), format!("@@{secret}@@").into());
    }
    input
}

pub(crate) fn with_plugin(name: &str, code: &str) -> TutorInput {
    let mut input = instance(name);
    input.plugins.push("own".to_owned());
    input
        .plugin_files
        .insert("own.py".to_owned(), Arc::from(code.as_bytes()));
    input
}

pub(crate) fn failure(worker: &Worker, input: &TutorInput) -> Failure {
    let WorkerError::Failed(failure) = worker.render(input).unwrap_err() else {
        unreachable!("the worker itself failed");
    };
    *failure
}

#[test]
#[ignore = "tutor: needs the package index"]
fn instances_become_objects_on_every_version() {
    let cache = shared_cache();
    let kustomizer = Kustomizer::find().unwrap();
    println!("{}", kustomizer.version());
    for (name, version) in [("verawood-1", "22.0.3"), ("ulmo-1", "21.0.8")] {
        let environment = Arc::new(environment(&example(name), &cache, &Print).unwrap());
        let worker = Worker::start(environment, &cache, &WorkerOptions::default()).unwrap();
        assert_eq!(worker.tutor_version(), version);
        let outputs: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = ["one", "two", "three", "four"]
                .into_iter()
                .map(|name| {
                    let (worker, kustomizer, cache) = (&worker, &kustomizer, &cache);
                    scope.spawn(move || {
                        let files = worker.render(&instance(name)).unwrap();
                        kustomizer.kustomize(&files, cache).unwrap()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for (name, output) in ["one", "two", "three", "four"].iter().zip(&outputs) {
            assert_eq!(output.tutor_version, version);
            let namespace = output
                .objects
                .iter()
                .find(|object| object["kind"] == "Namespace");
            assert_eq!(namespace.unwrap()["metadata"]["name"], *name);
            let text = serde_json::to_string(&output.objects).unwrap();
            assert!(text.contains(&format!("studio.{name}.example.org")));
            assert!(text.contains("@@JWT_RSA_PRIVATE_KEY_QI@@"));
            assert!(!text.contains("PRIVATE KEY-----"));
            let generators: Vec<&str> = output.generators.iter().map(String::as_str).collect();
            assert_eq!(
                generators,
                [
                    "caddy-config",
                    "mfe-caddy-config",
                    "openedx-config",
                    "openedx-settings-cms",
                    "openedx-settings-lms",
                    "openedx-uwsgi-config",
                    "redis-config",
                ]
            );
            let apps: Vec<_> = output
                .tasks
                .iter()
                .filter_map(|task| task.app.as_deref())
                .collect();
            assert_eq!(
                apps,
                ["lms", "mysql", "meilisearch", "lms", "cms", "indigo", "mfe"]
            );
        }
        // Nothing depends on what was rendered before.
        let files = worker.render(&instance("one")).unwrap();
        let again = kustomizer.kustomize(&files, &cache).unwrap();
        assert_eq!(again.objects, outputs[0].objects);
    }
}

#[test]
#[ignore = "tutor: needs the package index"]
fn plugins_that_misbehave_fail_their_own_instance() {
    let cache = shared_cache();
    let environment = Arc::new(environment(&example("verawood-1"), &cache, &Print).unwrap());
    let limits = Limits {
        cpu_seconds: 3,
        wall_seconds: 12,
        ..Limits::default()
    };
    let options = WorkerOptions {
        parallel: 2,
        limits,
    };
    let worker = Worker::start(environment, &cache, &options).unwrap();
    let canary = cache.root.join("canary");
    std::fs::write(&canary, "not for plugins").unwrap();
    std::thread::scope(|scope| {
        let good = scope.spawn(|| (0..6).map(|_| worker.render(&instance("good"))).collect());
        for (code, kind) in [
            ("while True: pass", FailureKind::Limit),
            ("import time; time.sleep(99)", FailureKind::Limit),
            ("x = b'x' * (2 << 30)", FailureKind::Limit),
            ("import os; os._exit(3)", FailureKind::Crash),
            ("import os; os.kill(os.getpid(), 11)", FailureKind::Crash),
            ("raise SystemExit", FailureKind::Plugin),
            (
                "print('x' * 10_000_000); raise ValueError('mine')",
                FailureKind::Plugin,
            ),
        ] {
            let failure = failure(&worker, &with_plugin("bad", code));
            assert_eq!(failure.kind, kind, "{code}: {failure:?}");
        }
        let good: Vec<Result<_, WorkerError>> = good.join().unwrap();
        assert!(good.iter().all(Result::is_ok));
    });
    let code = format!(
        "
import os, socket
found = []
for name, attempt in (
    ('network', lambda: socket.create_connection(('127.0.0.1', 1), 1)),
    ('cache', lambda: open({canary:?})),
    ('home', lambda: os.listdir(os.path.expanduser('~root'))),
    ('launcher', lambda: open('/proc/self/environ')),
):
    try:
        attempt()
        found.append(name)
    except PermissionError:
        pass
    except OSError as error:
        found.append(name + repr(error))
raise ValueError(f'reached {{found}} with {{sorted(os.environ)}}')
"
    );
    let failure = failure(&worker, &with_plugin("bad", &code));
    println!("{}", failure.message);
    assert!(
        failure.message.contains("reached []"),
        "{}",
        failure.message
    );
    assert!(
        failure
            .message
            .contains("['HOME', 'LANG', 'LC_ALL', 'PATH', 'PYTHONHASHSEED', 'TMPDIR', 'TZ']")
    );
}

#[test]
#[ignore = "tutor: needs the package index"]
fn nothing_remote_is_fetched() {
    let cache = shared_cache();
    let environment = Arc::new(environment(&example("verawood-1"), &cache, &Print).unwrap());
    let worker = Worker::start(environment, &cache, &WorkerOptions::default()).unwrap();
    let kustomizer = Kustomizer::find().unwrap();
    for (patch, text) in [
        ("kustomization-resources", "- https://example.org/x.yaml"),
        (
            "kustomization",
            "helmCharts: [{name: x, repo: 'https://example.org'}]",
        ),
        (
            "kustomization-configmapgenerator",
            "- {name: x, files: ['https://example.org/x']}",
        ),
    ] {
        let mut input = instance("remote");
        input.patches.insert(patch.to_owned(), text.to_owned());
        let files = worker.render(&input).unwrap();
        let error = kustomizer.kustomize(&files, &cache).unwrap_err();
        println!("{error}\n  hint: {:?}", error.hint());
        assert!(error.is_fleet());
    }
}

#[test]
#[ignore = "tutor: needs the package index"]
fn secrets_are_made_once_and_in_pairs() {
    let cache = shared_cache();
    let environment = Arc::new(environment(&example("verawood-1"), &cache, &Print).unwrap());
    let generator = Generator::new(environment, &cache, Limits::default());
    let input = instance("new");
    let declared = generator.declared(&input).unwrap();
    let derived = declared
        .iter()
        .find(|secret| secret.name == "MEILISEARCH_API_KEY")
        .unwrap();
    assert_eq!(derived.class, SecretClass::Derived);
    let names = BTreeSet::from(["MEILISEARCH_API_KEY".to_owned()]);
    let known = BTreeMap::from([(
        "MEILISEARCH_MASTER_KEY".to_owned(),
        Zeroizing::new("master".to_owned()),
    )]);
    let made = generator.generate(&input, &names, &known).unwrap();
    let made: Vec<(&str, usize)> = made
        .iter()
        .map(|(name, value)| (name.as_str(), value.len()))
        .collect();
    assert_eq!(
        made,
        [("MEILISEARCH_API_KEY", 64), ("MEILISEARCH_API_KEY_UID", 36)]
    );
}
