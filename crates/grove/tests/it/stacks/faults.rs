//! What goes wrong in the middle, and states that are not what they should be.

use super::{Site, tofu};

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn a_state_that_is_not_the_stacks_own_is_never_touched() {
    let site = Site::new(&tofu());
    let _ = site.grove("stack apply alpha:network --yes").success();
    let state = "states/example/alpha/network.tfstate";
    let own = site.world.read(state);
    let refused = |text: Option<&str>, why: &str| {
        match text {
            Some(text) => site.world.write(state, text),
            None => std::fs::remove_file(site.world.path(state)).unwrap(),
        }
        let refused = site.grove("stack plan alpha:network --force");
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(refused.stderr.contains(why), "{refused}");
    };
    refused(
        None,
        "the back end has no state of `alpha:network`, which was applied as serial 1",
    );
    let lineage = own
        .split("\"lineage\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let other = own.replace(lineage, "00000000-0000-0000-0000-000000000000");
    refused(Some(&other), "holds a state of another lineage");
    let older = own.replace("\"serial\":1", "\"serial\":0");
    refused(
        Some(&older),
        "holds serial 0 of `alpha:network`, which was applied as serial 1",
    );
    // One of a version that this program does not know.
    site.world
        .write(state, own.replace("\"version\":4", "\"version\":5"));
    let newer = site.grove("stack plan alpha:network --force");
    assert_eq!(newer.code, Some(3), "{newer}");

    site.world.write(state, &own);
    assert_eq!(
        site.states("stack apply alpha:network --force --yes"),
        "alpha:network no changes"
    );
    assert_eq!(site.asked(), ["create network/alpha"]);
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn outputs_that_are_no_configuration_are_not_kept() {
    let site = Site::new(&tofu());
    site.own(
        "hostile",
        "variable \"size\" {\n  type = number\n}\noutput \"text\" {\n  value = join(\"\", [for n in range(var.size) : \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"])\n}\noutput \"lines\" {\n  value = \"a\\n\\\"b: {{ c }}\\u001b[31m\"\n}\n",
        "{inputs: {size: 1000}}",
    );
    let _ = site.grove("stack apply alpha:hostile --yes").success();
    let outputs = site.json("stack output alpha:hostile");
    assert_eq!(
        outputs["stacks"]["alpha:hostile"]["lines"],
        "a\n\"b: {{ c }}\u{1b}[31m"
    );
    // Not to a terminal either.
    let shown = site.grove("stack output alpha:hostile").success();
    assert!(!shown.stdout.contains('\u{1b}'), "{shown}");

    let file = "fleet/clusters/alpha/outputs/hostile.json";
    let before = site.world.read(file);
    let cluster = "fleet/clusters/alpha/cluster.yaml";
    let text = site.world.read(cluster);
    site.world
        .write(cluster, text.replace("size: 1000", "size: 1024"));
    let refused = site.grove("stack apply alpha:hostile --yes");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused
            .stderr
            .contains("the output `text` has 65538 bytes, more than 65536"),
        "{refused}"
    );
    assert_eq!(site.world.read(file), before);
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn outputs_that_were_changed_by_hand_reach_nobody_and_come_again_from_the_state() {
    let site = Site::new(&tofu());
    let _ = site.grove("stack apply alpha:network --yes").success();
    let file = "fleet/clusters/alpha/outputs/network.json";
    let text = site.world.read(file);
    site.world
        .write(file, text.replace("network-alpha", "network-omega"));
    let check = site.grove("check");
    assert_eq!(check.code, Some(1), "{check}");
    assert!(
        check
            .stdout
            .contains("its checksum does not fit its content"),
        "{check}"
    );
    assert_eq!(site.states("stack plan alpha:data"), "alpha:data blocked");
    let _ = site.grove("stack output alpha:network --write").success();
    assert_eq!(site.states("stack plan alpha:data"), "alpha:data planned");
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn a_full_disk_loses_no_state() {
    let site = Site::new(&tofu());
    let states = site.world.path("states").display().to_string();
    let script = format!(
        "mkdir -p {states} && mount -t tmpfs -o size=16k full {states} && head -c 20000 /dev/zero > {states}/filler 2>/dev/null; truncate -s -4K {states}/filler; \"$@\"; code=$?; \
         cp -r {states} {states}.seen; rm {states}/filler; umount {states}; exit $code"
    );
    let words = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
        "sh",
    ];
    let failed = site
        .world
        .command_under(&words, "stack apply alpha:network --yes".split(' '))
        .run();
    assert_eq!(failed.code, Some(3), "{failed}");
    assert_eq!(site.asked(), ["create network/alpha"], "{failed}");
    // There was room for the lock and none for the state, which is kept and written once there is: by an apply,
    // as a plan without it would make all of it again.
    let said = "the last apply of `alpha:network` could not write its state, which is kept in ";
    let next = "`grove stack apply alpha:network` puts it into the back end first";
    for (words, code) in [
        ("stack plan alpha:network", Some(4)),
        ("stack list alpha:network", Some(0)),
        ("stack run alpha:network -- state list", Some(3)),
        ("stack unlock alpha:network 11111111", Some(3)),
    ] {
        let output = site.grove(words);
        assert_eq!(output.code, code, "{output}");
        assert!(
            output.stderr.contains(said) && output.stderr.contains(next),
            "{output}"
        );
        assert!(
            !site
                .world
                .path("states/example/alpha/network.tfstate")
                .exists(),
            "{output}"
        );
    }
    let again = site.grove("stack apply alpha:network --yes").success();
    assert!(
        again
            .stderr
            .contains("the state that the last apply could not write is in the back end now"),
        "{again}"
    );
    assert_eq!(site.asked(), ["create network/alpha"]);
    let state = site.world.read("states/example/alpha/network.tfstate");
    assert!(state.contains("network-alpha"));
}
