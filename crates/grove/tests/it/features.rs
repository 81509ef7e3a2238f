//! What an operator says of a site, rendered with the real Tutor, and served by the real Caddy.

mod caddy;
mod images;
mod open_edx;

use grove_test::World;

use crate::{GROVE, edit, example};

const UNI: &str = "clusters/prod/instances/uni/instance.yaml";

/// The example of a production site.
fn production() -> World {
    let world = World::with_shared_cache(GROVE);
    world.copy(&example("production"), "fleet");
    world
}

/// A file of the site, rendered.
fn rendered(world: &World, file: &str) -> String {
    let _ = world.grove(["render", "--out", "../rendered"]).success();
    world.read(format!("rendered/prod/instances/uni/{file}"))
}

fn grove_yaml_value(text: &str) -> serde_json::Value {
    let parsed = grove_yaml::parse(text.as_bytes(), grove_yaml::Limits::default());
    parsed.root.unwrap().to_json()
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn each_key_turned_off_takes_away_what_it_made_and_nothing_else() {
    let world = production();
    let files = |world: &World| {
        let _ = world.grove(["render", "--out", "../rendered"]).success();
        let files = world.files("rendered/prod/instances/uni");
        let read = |file: &String| {
            let text = world.read(format!("rendered/prod/instances/uni/{file}"));
            (file.clone(), text)
        };
        files
            .iter()
            .map(read)
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let all = files(&world);
    let instance = world.read(format!("fleet/{UNI}"));
    let fleet = world.read("fleet/grove.yaml");
    let mut report = Vec::new();
    for key in [
        "autoscaling: null",
        "cron: null",
        "data: null",
        "data: {mysql: {server: main}}",
        "domains: null",
        "flags: null",
        "packages: null\ntheme: {name: university}\nimages: null",
        "packages: null\nbuild: null",
        "mail: null",
        "network: null",
        "quota: null",
        "resources: {}\nworkers: null",
        "site: null",
        "mfes: null",
        "theme: null",
    ] {
        let text = key.lines().fold(instance.clone(), |text, line| {
            let (name, _) = line.split_once(':').unwrap();
            without(&text, name) + line + "\n"
        });
        // With MySQL in the namespace, its root's password is the instance's.
        let root = ["prod/uni", "MYSQL_ROOT_PASSWORD"];
        if key == "data: null" {
            let set = world.command([&["secret", "set"][..], &root].concat());
            let _ = set.stdin("roots-own-password").run().success();
        }
        world.write(format!("fleet/{UNI}"), text);
        let less = files(&world);
        if key == "data: null" {
            let _ = world
                .grove([&["secret", "remove"][..], &root].concat())
                .success();
        }
        let gone: Vec<&str> = all
            .keys()
            .filter(|file| !less.contains_key(*file))
            .map(String::as_str)
            .collect();
        let new: Vec<&String> = less
            .keys()
            .filter(|file| !all.contains_key(*file))
            .collect();
        let changed = less
            .iter()
            .filter(|(file, text)| all.get(*file).is_some_and(|old| old != *text));
        let changed: Vec<&str> = changed.map(|(file, _)| file.as_str()).collect();
        report.push(format!(
            "{}\n  - {}\n  + {}\n  ~ {}\n",
            key.replace('\n', ", "),
            gone.join(" "),
            new.len(),
            changed.join(" ")
        ));
    }
    world.write(format!("fleet/{UNI}"), instance);
    world.write("fleet/grove.yaml", fleet);
    assert_eq!(files(&world), all);
    let report = report.concat().replace(".yaml", "").replace(" \n", "\n");
    insta::assert_snapshot!(report, @"
    autoscaling: null
      - horizontalpodautoscaler-lms-worker horizontalpodautoscaler-lms poddisruptionbudget-lms-worker poddisruptionbudget-lms
      + 0
      ~ deployment-lms-worker deployment-lms
    cron: null
      - cronjob-clear-sessions cronjob-send-digest
      + 0
      ~
    data: null
      -
      + 4
      ~ configmap-openedx-config-jobs configmap-openedx-config configmap-openedx-settings-cms-jobs configmap-openedx-settings-cms configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-cms-migrate job-lms-flags-setup job-lms-indigo-setup job-lms-meilisearch-setup job-lms-mfe-setup job-lms-migrate job-lms-sites-setup persistentvolumeclaim-mongodb
    data: {mysql: {server: main}}
      -
      + 0
      ~ configmap-openedx-settings-cms-jobs configmap-openedx-settings-cms configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms persistentvolumeclaim-mongodb
    domains: null
      - certificate-courses.uni.example certificate-www.learn.uni.example ingress-academy.partner.example ingress-courses.uni.example ingress-www.learn.uni.example secret-academy.partner.example-own-tls
      + 0
      ~ configmap-caddy-config configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-lms-sites-setup
    flags: null
      - job-lms-flags-setup
      + 0
      ~ job-lms-sites-setup
    packages: null, theme: {name: university}, images: null
      -
      + 0
      ~ configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms cronjob-clear-sessions cronjob-send-digest deployment-cms-worker deployment-cms deployment-lms-worker-grades deployment-lms-worker deployment-lms job-cms-data job-cms-migrate job-lms-flags-setup job-lms-indigo-setup job-lms-meilisearch-setup job-lms-mfe-setup job-lms-migrate job-lms-sites-setup
    packages: null, build: null
      -
      + 0
      ~
    mail: null
      -
      + 2
      ~ configmap-openedx-config-jobs configmap-openedx-config configmap-openedx-settings-cms-jobs configmap-openedx-settings-cms configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms
    network: null
      - networkpolicy-ingress-caddy networkpolicy-ingress-solver networkpolicy-isolate
      + 0
      ~
    quota: null
      - limitrange-instance resourcequota-instance
      + 0
      ~
    resources: {}, workers: null
      - deployment-lms-worker-grades
      + 0
      ~ deployment-lms-worker
    site: null
      -
      + 0
      ~ job-lms-sites-setup
    mfes: null
      -
      + 0
      ~ configmap-mfe-caddy-config configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-lms-mfe-setup
    theme: null
      -
      + 0
      ~ configmap-openedx-settings-lms-jobs configmap-openedx-settings-lms job-lms-sites-setup
    ");
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn search_of_somebody_else_takes_the_servers_place() {
    let world = production();
    let instance = world.read(format!("fleet/{UNI}"));
    let _ = world.grove(["render", "--out", "../rendered"]).success();
    let files = || -> std::collections::BTreeSet<String> {
        let files = world.files("rendered/prod/instances/uni").into_iter();
        files.filter(|file| file != "kustomization.yaml").collect()
    };
    let before = files();
    let search = "  search: {url: \"http://search.db.example.org:7700\", public_url: \"https://search.example.org\"}\n";
    let with = instance.replace(
        "  bucket: {name: uni-media",
        &format!("{search}  bucket: {{name: uni-media"),
    );
    assert_ne!(with, instance);
    world.write(format!("fleet/{UNI}"), &with);
    // The key of the site's own server is not that of this one.
    let found = world.grove(["check"]).exits(1);
    assert!(
        found
            .stdout
            .contains("`MEILISEARCH_MASTER_KEY` is of a server"),
        "{found}"
    );
    for name in ["MEILISEARCH_MASTER_KEY", "MEILISEARCH_API_KEY_UID"] {
        let _ = world
            .grove(["secret", "remove", "prod/uni", name])
            .success();
    }
    let set = ["secret", "set", "prod/uni", "MEILISEARCH_API_KEY"];
    let _ = world.command(set).stdin("a-key-of-theirs").run().success();
    let _ = world.grove(["check"]).success();
    let _ = world.grove(["render", "--out", "../rendered"]).success();
    let after = files();
    let gone: Vec<&str> = before.difference(&after).map(String::as_str).collect();
    insta::assert_snapshot!(gone.join("\n"), @"
    deployment-meilisearch.yaml
    ingress-meilisearch.learn.uni.example.yaml
    job-lms-meilisearch-setup.yaml
    persistentvolumeclaim-meilisearch.yaml
    service-meilisearch.yaml
    ");
    assert!(after.is_subset(&before), "{after:?}");
    let settings = world.read("rendered/prod/instances/uni/configmap-openedx-settings-cms.yaml");
    for (name, value) in [
        ("URL", "http://search.db.example.org:7700"),
        ("PUBLIC_URL", "https://search.example.org"),
        ("INDEX_PREFIX", "uni_4f3c1acb_"),
        ("API_KEY", "@@MEILISEARCH_API_KEY@@"),
        ("MASTER_KEY", ""),
    ] {
        let line = format!("MEILISEARCH_{name} = \"{value}\"");
        assert!(settings.contains(&line), "{line}");
    }
    // The new server has no index yet: they are filled again.
    let job = world.read("rendered/prod/instances/uni/job-cms-data.yaml");
    assert!(
        job.contains("engine: external http://search.db.example.org:7700"),
        "{job}"
    );
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn micro_frontends_are_added_replaced_and_left_out() {
    let world = production();
    let instance = ["mfes", "theme", "images", "packages", "build"]
        .into_iter()
        .fold(world.read(format!("fleet/{UNI}")), |text, key| {
            without(&text, key)
        });
    let built = format!(
        "images: {{mfe: {{ref: \"registry.example.org/openedx/mfe@sha256:{}\"}}}}\n",
        "5".repeat(64)
    );
    let with = |keys: &str| {
        world.write(format!("fleet/{UNI}"), format!("{instance}{keys}"));
        world.grove(["render", "--out", "../rendered"])
    };
    let file = |file: &str| world.read(format!("rendered/prod/instances/uni/{file}"));
    let parts = || {
        let caddy = file("configmap-mfe-caddy-config.yaml");
        let is_part = |line: &&str| line.contains("handle @mfe_") || line.contains("redir @");
        let paths = caddy.lines().filter(is_part).map(str::trim);
        let settings = file("configmap-openedx-settings-lms.yaml");
        let is_part = |line: &&str| {
            line.contains("WRITABLE_GRADEBOOK_URL =")
                || line.ends_with("[\"PARAGON_THEME_URLS\"] = {")
        };
        let settings = settings.lines().filter(is_part).map(str::trim);
        paths
            .chain(settings)
            .collect::<Vec<_>>()
            .join("\n")
            .replace("handle @mfe_", "")
    };
    let _ = with("plugins: {mfe: {}, indigo: {}}\n").success();
    let plain = parts();
    assert!(
        plain.contains("gradebook {") && plain.contains("WRITABLE_GRADEBOOK_URL"),
        "{plain}"
    );
    let lacking = "mfes: {account: {version: uni-1}}\n";
    assert!(with(lacking).exits(1).stderr.contains("image-lacks"));
    let _ = with(
        &(built.clone()
            + "plugins: {mfe: {}, indigo: {}}
mfes:
  gradebook: {enabled: false}
  shop: {repository: \"https://git.uni.example/shop.git\", version: main, port: 2900}
  account: {version: uni-1}
theme:
  tokens:
    core: {brand: \"https://cdn.uni.example/core.css\"}
    light: {brand: \"https://cdn.uni.example/light.css\"}
"),
    )
    .success();
    let changed = parts();
    let difference: Vec<String> = similar::TextDiff::from_lines(&plain, &changed)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
        .collect();
    insta::assert_snapshot!(difference.join("\n"), @r#"
    -gradebook {
    -WRITABLE_GRADEBOOK_URL = "https://apps.uni.example/gradebook"
    +shop {
    +MFE_CONFIG["PARAGON_THEME_URLS"] = {
    "#);
    // What is added is in the image's context; what the site is called in the network is not.
    let context = ["image", "context", "prod/uni", "mfe", "--out", "../mfe"];
    let _ = world.grove(context).success();
    let dockerfile = world.read("mfe/Dockerfile");
    assert!(dockerfile.contains("https://git.uni.example/shop.git"));
    assert!(!dockerfile.contains("gradebook"), "{dockerfile}");
    let own = [
        "learn.uni.example",
        "studio.uni.example",
        "apps.uni.example",
    ];
    for file in world.files("mfe") {
        let text = world.read(format!("mfe/{file}"));
        assert!(!own.iter().any(|host| text.contains(host)), "{file}");
    }
    // The theme's own style sheets stand before those of the fleet.
    let settings = file("configmap-openedx-settings-lms.yaml");
    let (_, last) = settings.rsplit_once("\"PARAGON_THEME_URLS\"] = {").unwrap();
    assert!(last.contains("https://cdn.uni.example/core.css"), "{last}");
    let unknown = with(&format!("{built}mfes: {{shop: {{version: x}}}}\n"));
    assert!(
        unknown.stderr.contains("mfes.shop: Tutor knows no such"),
        "{unknown}"
    );
    let odd = with("mfes: {shop: {repository: \"x y\"}}\n").exits(1);
    assert!(odd.stderr.contains("bad-frontend"), "{odd}");
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn a_certificate_with_another_key_is_refused_before_anything_is_released() {
    let world = production();
    edit(
        &world,
        "grove.yaml",
        "../../target/production-deploy",
        "../deploy",
    );
    let directory = world.fleet();
    let fleet = world.repository(&directory);
    fleet.commit("A site");
    let deploy = ["deploy", "prod/uni", "--create-remote"];
    let _ = world.grove(deploy).success();
    let sealed = world.open(&world.path("deploy/prod.git")).git([
        "show",
        "deploy/prod:instances/uni/sealedsecret-academy.partner.example-own-tls.yaml",
    ]);
    let sealed = grove_yaml_value(&sealed);
    assert_eq!(sealed["spec"]["template"]["type"], "kubernetes.io/tls");
    assert_eq!(
        sealed["spec"]["template"]["immutable"],
        serde_json::Value::Null
    );

    let other = world.read("fleet/clusters/prod/sealing.pem");
    let text = world.read(format!("fleet/{UNI}"));
    let (before, rest) = text.split_once("-----BEGIN CERTIFICATE-----").unwrap();
    let (_, after) = rest.split_once("-----END CERTIFICATE-----").unwrap();
    let chain = other.trim_end().replace('\n', "\n        ");
    world.write(format!("fleet/{UNI}"), format!("{before}{chain}{after}"));
    let found = world.grove(["check"]).exits(1);
    assert!(found.stdout.contains("certificate-mismatch"), "{found}");
    world.write(format!("fleet/{UNI}"), &text);
    let key = ["secret", "set", "prod/uni", "PARTNER_TLS_KEY"];
    let set = |value: &str| {
        let _ = world.command(key).stdin(value).run().success();
        fleet.commit("Another key");
        world.grove(["deploy", "prod/uni"])
    };
    let refused = set("no key");
    assert!(
        refused.code == Some(1) && refused.stderr.contains("no private key"),
        "{refused}"
    );
    let show = ["secret", "show", "prod/uni", "JWT_RSA_PRIVATE_KEY"];
    let refused = set(&world.grove(show).success().stdout);
    assert!(
        refused.stderr.contains("not that of the certificate"),
        "{refused}"
    );
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn a_rotation_reaches_what_has_to_hand_the_value_on() {
    let world = production();
    edit(
        &world,
        "grove.yaml",
        "../../target/production-deploy",
        "../deploy",
    );
    let (directory, remote) = (world.fleet(), world.path("deploy/prod.git"));
    let fleet = world.repository(&directory);
    fleet.commit("A site");
    let deploy = || {
        let words = ["deploy", "prod/uni", "--create-remote", "--format", "json"];
        let output = world.grove(words).success();
        let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        document["instances"][0].clone()
    };
    let branch = world.open(&remote);
    let jobs = || {
        let files = branch.git(["ls-tree", "--name-only", "deploy/prod:instances/uni"]);
        let jobs = files.lines().filter(|file| file.starts_with("job-"));
        jobs.map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let value = |name: &str| {
        world
            .grove(["secret", "show", "prod/uni", name])
            .success()
            .stdout
    };
    let rotate = |name: &str, more: &[&str]| {
        let words = ["secret", "rotate", "prod/uni", "--secret", name];
        world.grove(words.iter().chain(more))
    };
    let _ = deploy();
    let mut report = Vec::new();
    for (name, more, also) in [
        ("CMS_OAUTH2_SECRET", &[][..], None),
        ("MEILISEARCH_MASTER_KEY", &[], Some("MEILISEARCH_API_KEY")),
        ("OPENEDX_SECRET_KEY", &["--accept"], None),
        ("JWT_RSA_PRIVATE_KEY", &["--accept"], None),
    ] {
        let (before, derived) = (value(name), also.map(value));
        if !more.is_empty() {
            let refused = rotate(name, &[]);
            assert_eq!(refused.code, Some(4), "{refused}");
            assert_eq!(value(name), before);
        }
        let _ = rotate(name, more).success();
        assert_ne!(value(name), before, "{name}");
        assert!(derived.is_none() || also.map(value) != derived, "{name}");
        let _ = world.grove(["check"]).success();
        fleet.commit(&format!("Another {name}"));
        let ran = jobs();
        let released = deploy();
        assert_eq!(released["action"], "released");
        let tasks: Vec<String> = jobs()
            .difference(&ran)
            .map(|file| file.rsplit_once('-').unwrap().0.to_owned())
            .collect();
        let line = format!("{} {}: {}", name, released["secrets"], tasks.join(" "));
        report.push(line.trim_end().to_owned());
    }
    insta::assert_snapshot!(report.join("\n"), @r#"
    CMS_OAUTH2_SECRET ["CMS_OAUTH2_SECRET"]: job-lms-migrate
    MEILISEARCH_MASTER_KEY ["MEILISEARCH_API_KEY","MEILISEARCH_MASTER_KEY"]: job-lms-meilisearch-setup
    OPENEDX_SECRET_KEY ["OPENEDX_SECRET_KEY"]:
    JWT_RSA_PRIVATE_KEY ["JWT_RSA_PRIVATE_KEY_D","JWT_RSA_PRIVATE_KEY_DP","JWT_RSA_PRIVATE_KEY_DQ","JWT_RSA_PRIVATE_KEY_N","JWT_RSA_PRIVATE_KEY_P","JWT_RSA_PRIVATE_KEY_Q","JWT_RSA_PRIVATE_KEY_QI"]:
    "#);
    assert!(value("JWT_RSA_PRIVATE_KEY").starts_with("-----BEGIN"));
}

#[test]
#[ignore = "features: needs the package index and kustomize"]
fn init_tasks_of_a_stopped_site_run_when_it_starts_and_no_others() {
    let world = production();
    edit(
        &world,
        "grove.yaml",
        "../../target/production-deploy",
        "../deploy",
    );
    // The images' digests stand in no repository: which of them comes is all that matters here.
    let (directory, remote) = (world.fleet(), world.path("deploy/prod.git"));
    let fleet = world.repository(&directory);
    fleet.commit("A site");
    let deploy = |more: &[&str]| {
        let words = ["deploy", "prod/uni", "--create-remote", "--format", "json"];
        let output = world.grove(words.iter().chain(more)).success();
        let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        document["instances"][0].clone()
    };
    let branch = world.open(&remote);
    let jobs = || {
        let files = branch.git(["ls-tree", "--name-only", "deploy/prod:instances/uni"]);
        let jobs = files.lines().filter(|file| file.starts_with("job-"));
        jobs.map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let _ = deploy(&[]);
    let first = jobs();

    // Stopped, and another image meanwhile: its tasks have nothing to run in.
    edit(
        &world,
        UNI,
        "environment: staging",
        "environment: staging\nstate: stopped",
    );
    edit(&world, UNI, "5e9d1c0f", "6e9d1c0f");
    fleet.commit("Stopped, with another image");
    let _ = deploy(&["--confirm-deletes", "4"]);
    assert_eq!(jobs(), first);
    // More pods are wished for; still none runs, and no task does.
    edit(
        &world,
        UNI,
        "lms-worker: {min: 1, max: 3",
        "lms-worker: {min: 1, max: 2",
    );
    // What else was merged, for a workload that does not run yet, is not looked at.
    edit(
        &world,
        UNI,
        "environment: staging",
        "environment: staging\nresources: {later: {grace: 5}}",
    );
    fleet.commit("Fewer workers");
    let _ = deploy(&["--only", "operational"]);
    assert_eq!(jobs(), first);

    // Started: they run now.
    edit(&world, UNI, "state: stopped", "state: active");
    fleet.commit("Started");
    let started = deploy(&["--only", "operational"]);
    assert_eq!(started["action"], "released", "{started}");
    let second = jobs();
    assert!(second.iter().any(|job| !first.contains(job)), "{second:?}");

    // Once more stopped and started, none is new.
    for state in ["state: stopped", "state: active"] {
        let other = if state == "state: stopped" {
            "state: active"
        } else {
            "state: stopped"
        };
        edit(&world, UNI, other, state);
        fleet.commit(state);
        let _ = deploy(&["--only", "operational", "--confirm-deletes", "4"]);
        assert_eq!(jobs(), second);
    }

    // A rotated secret comes, and it is said that nothing hands it on to the database.
    let _ = world
        .command(["secret", "set", "prod/uni", "CMS_OAUTH2_SECRET"])
        .stdin("another-value-4c1f\n")
        .run()
        .success();
    fleet.commit("Another secret");
    let words = "deploy prod/uni --only operational".split(' ');
    let rotated = world.grove(words).success();
    assert!(
        rotated
            .stderr
            .contains("CMS_OAUTH2_SECRET changed, and init tasks"),
        "{rotated}"
    );
    assert_eq!(jobs(), second);
}

/// A file's text without one of its keys.
fn without(text: &str, key: &str) -> String {
    grove_yaml::remove(text, &[key]).unwrap_or_else(|_| text.to_owned())
}
