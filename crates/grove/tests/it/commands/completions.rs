//! `grove completions` and what they offer, and `grove man`.

use grove_test::World;
use insta::assert_snapshot;

use super::copy_of;
use crate::GROVE;

/// What a shell asks after `grove rollback al` and the tab key, and the like.
#[test]
fn names_of_the_fleet_are_completed() {
    let world = copy_of("fleet");
    let ask = |words: &[&str]| {
        let last = (words.len()).to_string();
        world
            .command(["--", "grove"].iter().chain(words))
            .set("GROVE_COMPLETE", "bash")
            .set("_CLAP_COMPLETE_INDEX", last)
            .set("_CLAP_IFS", " ")
            .run()
            .success()
            .stdout
    };
    assert_snapshot!(ask(&["roll"]), @"rollback");
    assert_snapshot!(ask(&["rollback", "al"]), @"alpha/uni alpha/uni-next");
    assert_snapshot!(ask(&["deploy", "@"]), @"@canary @general");
    assert_snapshot!(ask(&["diff", "beta"]), @"beta/academy beta/academy-labs beta/library beta");
    assert!(ask(&["lock", ""]).starts_with("ulmo-1 verawood-1 "));
    // Without a fleet there is nothing to offer, and nothing to say about that.
    std::fs::remove_file(world.path("fleet/grove.yaml")).unwrap();
    assert_eq!(ask(&["rollback", "al"]), "");
}

#[test]
fn completions_and_manual_pages_are_written() {
    let world = World::new(GROVE);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.grove(["completions", shell]).success().stdout;
        assert!(script.contains("GROVE_COMPLETE"), "{shell}: {script}");
    }
    let script = world.grove(["completions", "bash"]).stdout;
    world.write("grove.bash", script);
    let syntax = world.program("bash").args(["-n", "../grove.bash"]).output();
    assert!(syntax.unwrap().status.success());

    let _ = world.grove(["man", "../man"]).success();
    let pages = world.files("man");
    for page in ["grove.1", "grove-deploy.1", "grove-secret-set.1"] {
        assert!(pages.iter().any(|known| known == page), "{page}: {pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("sandbox")));
    let page = world.read("man/grove-deploy.1");
    assert!(
        page.contains("seal, and commit to the deploy repository"),
        "{page}"
    );
}
