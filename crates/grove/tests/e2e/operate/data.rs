//! Users and databases on a shared server, and their rotation, from a cluster's side. What the Job does on
//! real servers is in the suite `data-services`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use grove_control_plane::Install;
use serde_json::Value;

use crate::Site;

const ADMINS: &str = "not-a-real-admin-password";

/// The text of every Secret of a namespace, opened.
fn secrets(site: &Site, namespace: &str) -> Vec<(String, String)> {
    let objects = site.objects("prod", "secrets", namespace).into_iter();
    let opened = objects.map(|secret| {
        let values = secret["data"].as_object().into_iter().flatten();
        let texts = values.filter_map(|(_, value)| {
            let bytes = BASE64_STANDARD.decode(value.as_str()?).ok()?;
            String::from_utf8(bytes).ok()
        });
        let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
        (name, texts.collect::<Vec<_>>().join("\n"))
    });
    opened.collect()
}

fn made<'a>(jobs: &'a [Value], start: &str) -> &'a Value {
    let name = |job: &Value| job["metadata"]["name"].as_str().unwrap().to_owned();
    jobs.iter()
        .find(|job| name(job).starts_with(start))
        .unwrap()
}

#[test]
#[ignore = "operate: needs the control plane"]
fn a_users_password_is_rotated_in_two_steps_and_rollbacks_get_in() {
    let site = Site::of("production", &["prod"], Install::CertManager);
    site.bootstrap("prod");
    site.commit("Which cluster this is");
    let world = &site.world;
    let grove = |line: &str| world.grove(line.split(' '));

    // The Job is admitted where Pod Security is restricted, and knows the server's administrator; nothing in
    // the instance's namespace does.
    let applied = grove("data apply prod/uni").success();
    assert!(applied.stderr.contains("in grove-data begins"), "{applied}");
    let jobs = site.objects("prod", "jobs", "grove-data");
    let job = made(&jobs, "apply-uni-");
    let name = job["metadata"]["name"].as_str().unwrap();
    assert_eq!(
        job["spec"]["template"]["spec"]["containers"][0]["image"],
        "overhangio/openedx:22.0.3"
    );
    let asked = secrets(&site, "grove-data");
    let (_, asked) = asked.iter().find(|(secret, _)| secret == name).unwrap();
    assert!(asked.contains(ADMINS) && asked.contains("\"action\":\"apply\""));
    let of_job = site.objects("prod", "secrets", "grove-data");
    let of_job = of_job
        .iter()
        .find(|one| one["metadata"]["name"] == name)
        .unwrap();
    assert_eq!(of_job["metadata"]["ownerReferences"][0]["name"], name);
    let _ = grove("data verify prod/uni").success();
    let asked = secrets(&site, "grove-data");
    let verified = asked
        .iter()
        .find(|(secret, _)| secret.starts_with("verify-uni-"));
    assert!(
        !verified.unwrap().1.contains(ADMINS),
        "who looks needs no administrator"
    );

    site.deploy("prod/uni", &[]);
    let configuration = |site: &Site| {
        let all = secrets(site, "uni");
        assert!(all.iter().all(|(_, text)| !text.contains(ADMINS)));
        let deployments = site.objects("prod", "deployments", "uni");
        let lms = made(&deployments, "lms");
        let volumes = lms["spec"]["template"]["spec"]["volumes"]
            .as_array()
            .unwrap();
        let mut used = volumes
            .iter()
            .filter_map(|volume| volume["secret"]["secretName"].as_str());
        let config = used
            .find(|name| name.starts_with("openedx-config"))
            .unwrap();
        all.into_iter().find(|(name, _)| name == config).unwrap().1
    };
    let user = |site: &Site| {
        let shown = site
            .world
            .grove(["secret", "show", "prod/uni", "OPENEDX_MYSQL_USERNAME"]);
        shown.success().stdout.trim().to_owned()
    };
    let first = user(&site);
    assert!(configuration(&site).contains(&format!("USER: \"{first}\"")));

    // A release more, to which somebody will want to go back.
    site.edit(
        "clusters/prod/instances/uni/instance.yaml",
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: University of Examples",
    );
    site.commit("Another name");
    site.deploy("prod/uni", &[]);

    // The second step waits until the first one runs.
    let finish = "secret rotate prod/uni --finish";
    let _ = grove("secret rotate prod/uni --secret OPENEDX_MYSQL_PASSWORD").success();
    site.commit("A second user");
    let early = grove(finish);
    assert_eq!(early.code, Some(4), "{early}");
    assert!(early.stderr.contains("does not have the new"), "{early}");
    // A user whom no server has yet would lock out every pod. (A rollback brings the values that were
    // deployed last.)
    for release in ["deploy prod/uni", "deploy prod/uni --only operational"] {
        let refused = grove(release);
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(refused.stderr.contains("no server has it yet"), "{refused}");
    }
    let _ = grove("data apply prod/uni").success();
    site.deploy("prod/uni", &["--only", "operational"]);
    let second = user(&site);
    assert_eq!(second, format!("{first}_2"));
    assert!(configuration(&site).contains(&format!("USER: \"{second}\"")));
    let _ = grove(finish).success();
    site.commit("The first user goes");
    let _ = grove("data apply prod/uni").success();
    let asked = secrets(&site, "grove-data");
    assert!(
        asked
            .iter()
            .any(|(_, text)| text.contains(&format!("\"retired\":\"{first}\""))),
        "the first user is taken away"
    );

    // An older release comes back with the user of today.
    let _ = grove("rollback prod/uni --to 1 --wait").success();
    let now = configuration(&site);
    assert!(now.contains(&format!("USER: \"{second}\"")), "{now}");
    assert_eq!(site.state("prod", "prod-uni"), "Synced/Healthy");

    // What runs is not removed, and nothing is without its name.
    let running = grove("data remove prod/uni --confirm prod/uni");
    assert_eq!(running.code, Some(4), "{running}");
    let unnamed = grove("data remove prod/uni");
    assert!(unnamed.stderr.contains("for good"), "{unnamed}");
}
