//! Argo CD leaves a frozen instance alone, by what Git says or by what the cluster says.

use serde_json::Value;

use crate::Site;

const UNI: &str = "clusters/alpha/instances/uni/instance.yaml";

/// The image of the LMS.
fn image(site: &Site) -> String {
    let path = "jsonpath={.spec.template.spec.containers[0].image}";
    site.kubectl(
        "alpha",
        &["get", "deployment", "lms", "-n", "uni", "-o", path],
    )
}

/// What somebody does by hand.
fn set(site: &Site, image: &str) {
    let to = format!("lms={image}");
    let _ = site.kubectl(
        "alpha",
        &["set", "image", "deployment/lms", "-n", "uni", &to],
    );
}

/// Argo CD looks twice at everything, and has time to act.
fn looked_at(site: &Site) {
    for _ in 0..2 {
        site.refresh("alpha", "grove-apps", "hard");
        site.refresh("alpha", "alpha-uni", "hard");
        std::thread::sleep(std::time::Duration::from_secs(4));
    }
}

fn until_put_back(site: &Site) {
    site.until(60, "what was done by hand is put back", || {
        site.refresh("alpha", "alpha-uni", "normal");
        !image(site).starts_with("by.hand")
    });
}

fn status(site: &Site) -> Value {
    site.json(&["status", "alpha/uni"])["instances"][0].clone()
}

#[test]
#[ignore = "operate: needs the control plane"]
fn a_frozen_instance_is_left_alone_until_the_freeze_ends() {
    let site = Site::bootstrapped(&["alpha"]);
    let world = &site.world;
    site.deploy("alpha/uni", &[]);
    let never = world.grove(["freeze", "alpha/uni-next", "--for", "1h", "-m", "why"]);
    assert!(never.stdout.contains("was never released"), "{never}");

    // By a commit.
    let begun = std::time::Instant::now();
    let frozen = [
        "freeze",
        "alpha/uni",
        "--for",
        "2h",
        "-m",
        "Restoring by hand",
    ];
    let frozen = site.json(&frozen);
    eprintln!("frozen after {:?}", begun.elapsed());
    let row = &frozen["instances"][0];
    assert!(
        row["in_git"] == true && row["in_cluster"] == true,
        "{frozen}"
    );
    set(&site, "by.hand/lms:3");
    looked_at(&site);
    assert_eq!(image(&site), "by.hand/lms:3");
    assert_eq!(status(&site)["freeze"]["reason"], "Restoring by hand");
    let history = world.grove(["history", "alpha/uni"]).success();
    assert!(history.stdout.contains("frozen until"), "{history}");
    // Nothing is released to it meanwhile.
    site.edit(
        UNI,
        "PLATFORM_NAME: Example University",
        "PLATFORM_NAME: University of Examples",
    );
    site.commit("Another name");
    for words in [
        vec!["deploy", "alpha/uni", "--wait"],
        vec!["rollback", "alpha/uni", "--to", "1"],
        vec!["instance", "stop", "alpha/uni"],
    ] {
        let refused = world.grove(&words);
        assert_eq!(refused.code, Some(4), "{words:?}: {refused}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            said.contains("frozen until") && said.contains("grove unfreeze"),
            "{refused}"
        );
    }
    let _ = site.json(&["instance", "start", "alpha/uni"]);
    let _ = site.json(&["unfreeze", "alpha/uni"]);
    until_put_back(&site);
    assert_eq!(status(&site)["freeze"], Value::Null);
    site.deploy("alpha/uni", &[]);

    // Git is down: the cluster is told, and Argo CD leaves that there when Git is back.
    let (remote, away) = (world.path("deploy-alpha.git"), world.path("away.git"));
    fs_err::rename(&remote, &away).unwrap();
    let frozen = site.json(&["freeze", "alpha/uni", "--for", "2h", "-m", "Git is down"]);
    let row = &frozen["instances"][0];
    assert!(
        row["in_git"] == false && row["in_cluster"] == true,
        "{frozen}"
    );
    set(&site, "by.hand/lms:4");
    looked_at(&site);
    fs_err::rename(&away, &remote).unwrap();
    looked_at(&site);
    assert_eq!(image(&site), "by.hand/lms:4");
    assert_eq!(status(&site)["freeze"]["only_in_cluster"], true);
    site.edit(
        UNI,
        "PLATFORM_NAME: University of Examples",
        "PLATFORM_NAME: Example University",
    );
    site.commit("The old name");
    // The branch knows of no freeze; what would sync past it looks at the Application.
    let waited = world.grove(["deploy", "alpha/uni", "--wait", "--timeout", "30"]);
    assert!(
        waited.code == Some(4) && waited.stderr.contains("frozen until"),
        "{waited}"
    );
    assert_eq!(image(&site), "by.hand/lms:4");
    let _ = site.json(&["unfreeze", "alpha/uni"]);
    until_put_back(&site);

    // It ends by itself; what is left of it in the branch goes with the next deploy.
    let _ = site.json(&["freeze", "alpha/uni", "--for", "1m", "-m", "A minute"]);
    set(&site, "by.hand/lms:2");
    std::thread::sleep(std::time::Duration::from_secs(20));
    looked_at(&site);
    assert_eq!(image(&site), "by.hand/lms:2");
    site.until(150, "the freeze ends", || status(&site)["freeze"].is_null());
    until_put_back(&site);
    let after = world.grove(["deploy", "alpha/uni"]).success();
    assert!(after.stdout.contains("nothing changed"), "{after}");
    let show = [
        "--git-dir",
        &remote.display().to_string(),
        "ls-tree",
        "-r",
        "--name-only",
        "deploy/alpha",
    ]
    .map(str::to_owned);
    let files = std::process::Command::new("git")
        .args(show)
        .output()
        .unwrap();
    let files = String::from_utf8(files.stdout).unwrap();
    assert!(
        files.contains("releases/uni/0001.yaml") && !files.contains("freeze.yaml"),
        "{files}"
    );
}
