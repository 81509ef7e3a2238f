//! Plans, applies and outputs.

use super::{Site, TOKEN, programs, tofu};

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn stacks_are_applied_in_their_order_and_what_is_unchanged_is_not_touched() {
    for program in programs() {
        let site = Site::new(&program);
        insta::allow_duplicates! {
            insta::assert_snapshot!(site.grove("stack graph").success().stdout, @"
            1 alpha:network
            2 alpha:cluster  reads alpha:network
            2 alpha:data  reads alpha:network
            3 alpha/uni:instance  reads alpha:data
            ");
            // Nothing is planned with a value that nobody gave.
            insta::assert_snapshot!(site.states("stack plan alpha"), @"
            alpha:network planned
            alpha:cluster blocked
            alpha:data blocked
            alpha/uni:instance blocked
            ");
            // The plan that was kept is carried out, then the others are planned.
            insta::assert_snapshot!(site.states("stack apply alpha --yes"), @"
            alpha:network applied
            alpha:cluster applied
            alpha:data applied
            alpha/uni:instance applied
            ");
        }
        // What another `init` takes away for a moment is nobody's provider.
        let providers = site.providers();
        assert_eq!(providers.len(), 4, "{providers:?}");
        assert!(
            providers.iter().all(|target| !target.is_symlink()),
            "{providers:?}"
        );
        let asked = site.asked();
        assert_eq!(asked.first().unwrap(), "create network/alpha");
        assert_eq!(asked.len(), 5, "{asked:?}");

        // What it gave is in the fleet, sensitive values as ciphertext.
        let outputs = site.json("stack output alpha:cluster");
        assert_eq!(
            outputs["stacks"]["alpha:cluster"],
            serde_json::json!({"kubeconfig": "(sensitive)", "server": "https://127.0.0.1:6443"})
        );
        let shown = site.json("stack output alpha:cluster --sensitive");
        assert_eq!(
            shown["stacks"]["alpha:cluster"]["kubeconfig"],
            "server: https://127.0.0.1:6443\n"
        );
        let password = site.json("stack output alpha:data --sensitive");
        let password = password["stacks"]["alpha:data"]["mysql_password"]
            .as_str()
            .unwrap();
        assert_eq!(site.holding("fleet", password), [""; 0]);
        assert_eq!(site.holding("fleet", TOKEN), [""; 0]);
        let _ = site.grove("check").success();

        // Nothing changed, so nothing runs; what is asked for anyway changes nothing.
        insta::allow_duplicates! {
            insta::assert_snapshot!(site.states("stack plan alpha"), @"
            alpha:network unchanged
            alpha:cluster unchanged
            alpha:data unchanged
            alpha/uni:instance unchanged
            ");
        }
        let texts = site.holding("fleet/clusters", "checksum");
        let before: Vec<String> = texts
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(site.states("stack apply alpha --yes --force"), @"
            alpha:network no changes
            alpha:cluster no changes
            alpha:data no changes
            alpha/uni:instance no changes
            ");
        }
        let after: Vec<String> = texts
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        assert_eq!(before, after);
        assert_eq!(site.asked(), asked);

        // One input changes: one stack is planned. It gives what it gave, so its readers stay.
        let file = "fleet/clusters/alpha/cluster.yaml";
        let text = site.world.read(file);
        site.world.write(
            file,
            text.replace("network: {}", "network: {inputs: {cidr: 10.20.0.0/16}}"),
        );
        let plan = site.json("stack plan alpha");
        assert_eq!(
            plan["stacks"][0]["changes"]["objects"][0]["actions"][0],
            "update"
        );
        let applied = site.json("stack apply alpha");
        assert_eq!(applied["stacks"][0]["outputs_changed"], false);
        insta::allow_duplicates! {
            insta::assert_snapshot!(site.states("stack list alpha"), @"
            alpha:cluster applied
            alpha:data applied
            alpha:network applied
            alpha/uni:instance applied
            ");
        }

        // What others change is seen, and nothing is changed for it.
        let drift = site.grove("stack drift alpha").success();
        assert_eq!(drift.stdout, "4 stacks: no drift\n");
        let bucket = site.world.read("cloud/bucket/uni.json");
        site.world.write(
            "cloud/bucket/uni.json",
            bucket.replace('}', ",\"region\":\"elsewhere\"}"),
        );
        let drift = site.grove("stack drift alpha");
        assert_eq!(drift.code, Some(1), "{drift}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(drift.stdout, @"
            alpha/uni:instance:
              simulated_bucket.media: update
            ");
        }
        // The status has what was found last, whether or not the cluster answers.
        let status = site
            .grove("status alpha --timeout 1 --format json")
            .success();
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        let stack = &status["clusters"][0]["stacks"]["alpha/uni:instance"];
        assert_eq!(stack["state"], "applied");
        assert_eq!(
            stack["drift"],
            serde_json::json!(["simulated_bucket.media"])
        );
        assert_eq!(site.asked().len(), 6);
    }
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn a_changed_output_marks_its_readers_and_one_that_went_is_found() {
    let site = Site::new(&tofu());
    site.own(
        "zone",
        "variable \"name\" {\n  type = string\n}\noutput \"name\" {\n  value = var.name\n}\noutput \"list\" {\n  value = [var.name]\n}\n",
        "{inputs: {name: one}}",
    );
    site.own(
        "dns",
        "variable \"zone\" {\n  type = string\n}\nresource \"terraform_data\" \"record\" {\n  input = var.zone\n}\n",
        "{inputs: {zone: {output: zone.name}}}",
    );
    let _ = site
        .grove("stack apply alpha:zone alpha:dns --yes")
        .success();
    let file = "fleet/clusters/alpha/cluster.yaml";
    let edit = |from: &str, to: &str| {
        let text = site.world.read(file);
        assert!(text.contains(from));
        site.world.write(file, text.replace(from, to));
    };
    edit("{name: one}", "{name: two}");
    let applied = site.grove("stack apply alpha:zone --yes").success();
    assert!(
        applied
            .stderr
            .contains("`alpha:zone` gives something else now, which `alpha:dns` read"),
        "{applied}"
    );
    assert_eq!(site.states("stack list alpha:dns"), "alpha:dns changed");
    let plan = site.json("stack plan alpha:dns");
    assert_eq!(
        plan["stacks"][0]["changes"]["objects"][0]["actions"][0],
        "update"
    );

    // A value that does not fit the variable blocks its reader.
    edit("zone.name", "zone.list");
    let plan = site.json("stack plan alpha:dns");
    assert_eq!(
        plan["stacks"][0]["why"],
        "the output `list` of `alpha:zone` does not fit the variable `zone`: it is a list, not string"
    );

    // An output that its stack no longer declares is a finding of whoever reads it.
    edit("zone.list", "zone.name");
    site.world.write(
        "fleet/clusters/alpha/stacks/zone/main.tf",
        "variable \"name\" {\n  type = string\n}\n",
    );
    let check = site.grove("check");
    assert_eq!(check.code, Some(1));
    assert!(
        check.stdout.contains("`alpha:zone` has no output `name`"),
        "{check}"
    );
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn a_plan_is_only_for_what_it_was_made_from() {
    for program in programs() {
        let site = Site::new(&program);
        let _ = site.grove("stack plan alpha:network").success();
        let file = "fleet/clusters/alpha/cluster.yaml";
        let text = site.world.read(file);
        site.world.write(
            file,
            text.replace("network: {}", "network: {inputs: {cidr: 10.20.0.0/16}}"),
        );
        let stale = site.grove("stack apply alpha:network");
        assert_eq!(stale.code, Some(4), "{stale}");
        assert!(
            stale
                .stderr
                .contains("its inputs changed since it was made"),
            "{stale}"
        );

        // Somebody else applied meanwhile.
        let _ = site.grove("stack plan alpha:network").success();
        let second = site.world.path("second-cache");
        let _ = site
            .world
            .command("stack apply alpha:network --yes".split(' '))
            .set("GROVE_CACHE_DIR", &second)
            .run()
            .success();
        let outputs = "fleet/clusters/alpha/outputs/network.json";
        std::fs::remove_file(site.world.path(outputs)).unwrap();
        let stale = site.grove("stack apply alpha:network");
        assert_eq!(stale.code, Some(4), "{stale}");
        assert!(
            stale.stderr.contains("somebody applied since it was made"),
            "{stale}"
        );
        assert_eq!(site.asked(), ["create network/alpha"]);

        // Killed after the apply and before its outputs were written, as here, it is the same: the next
        // run finds nothing to do and writes them.
        let _ = site.grove("stack plan alpha:network").success();
        assert_eq!(
            site.states("stack apply alpha:network"),
            "alpha:network no changes"
        );
        assert!(site.world.path(outputs).exists());
        // A plan is gone once it was applied.
        assert_eq!(
            site.states("stack apply alpha:network"),
            "alpha:network unchanged"
        );
        assert_eq!(site.asked(), ["create network/alpha"]);
    }
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn what_was_refused_or_only_looked_at_writes_nothing_to_the_fleet() {
    let site = Site::new(&tofu());
    let lock = "fleet/clusters/alpha/stacks/network/.terraform.lock.hcl";
    let before = site.world.files("fleet");
    for _ in 0..2 {
        // Shown and refused is not seen: it is asked about again.
        let refused = site.grove("stack apply alpha:network");
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(
            refused
                .stderr
                .contains("nobody agreed to apply `alpha:network`"),
            "{refused}"
        );
        assert_eq!(site.world.files("fleet"), before);
        assert_eq!(site.asked(), [""; 0]);
    }
    let applied = site.grove("stack apply alpha:network --yes").success();
    let said = "alpha/stacks/network/.terraform.lock.hcl has the versions of its providers now";
    assert!(applied.stderr.contains(said), "{applied}");
    assert!(site.world.path(lock).is_file());

    // Whoever only looks leaves it to whoever plans.
    std::fs::remove_file(site.world.path(lock)).unwrap();
    for words in [
        "stack drift alpha:network",
        "stack run alpha:network -- state list",
        "stack output alpha:network --write",
    ] {
        let looked = site.grove(words).success();
        assert!(
            looked
                .stderr
                .contains("versions of providers are not pinned"),
            "{looked}"
        );
        assert!(!site.world.path(lock).exists(), "{looked}");
    }
    let planned = site.grove("stack plan alpha:network --force").success();
    assert!(planned.stderr.contains(said), "{planned}");
    assert!(site.world.path(lock).is_file());
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn what_destroys_needs_the_name_and_what_is_read_stays() {
    let site = Site::new(&tofu());
    let _ = site.grove("stack apply alpha --yes").success();
    let refused = site.grove("stack apply alpha:data --destroy --yes");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("is read by `alpha/uni:instance`"),
        "{refused}"
    );
    let refused = site.grove("stack apply alpha/uni:instance --destroy --yes");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused
            .stderr
            .contains("would destroy 2 objects: simulated_bucket.media, simulated_user.mysql"),
        "{refused}"
    );
    let _ = site
        .grove("stack apply alpha/uni:instance --destroy --confirm-destroys alpha/uni:instance")
        .success();
    assert!(!site.world.path("cloud/bucket/uni.json").exists());
    assert!(
        !site
            .world
            .path("fleet/clusters/alpha/instances/uni/outputs/instance.json")
            .exists()
    );
    // The file of its sensitive outputs went too, and it can come again.
    assert_eq!(
        site.states("stack list alpha/uni"),
        "alpha/uni:instance new"
    );
    let _ = site.grove("stack apply alpha/uni --yes").success();

    // A database that would be made anew: --yes is not enough.
    let file = "fleet/clusters/alpha/cluster.yaml";
    let text = site.world.read(file);
    site.world.write(
        file,
        text.replace(
            "data: {inputs: {network_id: {output: network.network_id}}}",
            "data: {inputs: {network_id: other}}",
        ),
    );
    let refused = site.grove("stack apply alpha:data --yes");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("simulated_database.mysql"),
        "{refused}"
    );
    assert!(!site.asked().contains(&"delete database/alpha".to_owned()));
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn the_program_runs_in_a_stacks_root_and_messages_hold_no_credential() {
    let site = Site::new(&tofu());
    let _ = site.grove("stack apply alpha:network --yes").success();
    let list = site
        .grove("stack run alpha:network -- state list")
        .success();
    assert_eq!(list.stdout, "simulated_network.network\n");
    let several = site.grove("stack run alpha -- state list");
    assert_eq!(several.code, Some(2), "{several}");

    site.fault("create database/alpha", "betray");
    let failed = site.grove("stack apply alpha:data --yes");
    assert_eq!(failed.code, Some(3), "{failed}");
    assert!(
        failed.stderr.contains("401: the token *** is not accepted"),
        "{failed}"
    );
    assert!(!failed.to_string().contains(TOKEN));
    assert_eq!(site.holding("cache", TOKEN), [""; 0]);
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn what_is_ejected_runs_without_grove_and_changes_nothing() {
    for program in programs() {
        let site = Site::new(&program);
        let _ = site.grove("stack apply alpha --yes").success();
        let ejected = site.grove("eject alpha --out ../handover").success();
        assert_eq!(ejected.stdout.lines().count(), 4, "{ejected}");
        assert_eq!(site.holding("handover", TOKEN), [""; 0]);
        for directory in [
            "stacks/network",
            "stacks/data",
            "instances/uni/stacks/instance",
        ] {
            let directory = site
                .world
                .path(format!("handover/clusters/alpha/{directory}"));
            let page = std::fs::read_to_string(directory.join("README.md")).unwrap();
            assert!(page.contains("- `SIMULATED_TOKEN`"), "{page}");
            for words in [["init", "-input=false"], ["plan", "-detailed-exitcode"]] {
                let mut command = site.world.program(&program);
                let command = command.current_dir(&directory).args(words);
                let ran = command.output().unwrap();
                assert!(
                    ran.status.success(),
                    "{}",
                    String::from_utf8_lossy(&ran.stdout)
                );
            }
        }
        let again = site.grove("eject alpha --out ../handover");
        assert_eq!(again.code, Some(4), "{again}");
    }
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn every_root_module_is_formatted_and_valid_where_its_provider_is_at_hand() {
    let stacks = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../grove-stack/stacks");
    let mut fmt = std::process::Command::new(tofu());
    let fmt = fmt
        .args(["fmt", "-check", "-recursive"])
        .arg(stacks)
        .output()
        .unwrap();
    assert!(
        fmt.status.success(),
        "{}",
        String::from_utf8_lossy(&fmt.stdout)
    );
    for program in programs() {
        let site = Site::new(&program);
        let _ = site.grove("stack apply alpha --yes").success();
        for stack in [
            "alpha:network",
            "alpha:cluster",
            "alpha:data",
            "alpha/uni:instance",
        ] {
            let valid = site
                .grove(&format!("stack run {stack} -- validate"))
                .success();
            assert!(
                valid.stdout.contains("The configuration is valid"),
                "{valid}"
            );
            // The file that Grove writes beside it, too.
            let _ = site
                .grove(&format!("stack run {stack} -- fmt -check"))
                .success();
        }
    }
}

#[test]
#[ignore = "stacks: needs OpenTofu"]
fn an_instance_refers_to_outputs_and_waits_for_them() {
    let site = Site::new(&tofu());
    let file = "fleet/clusters/alpha/instances/uni/instance.yaml";
    let text = site.world.read(file);
    site.world.write(
        file,
        text.replace(
            "config:
",
            "config:
  DATA_HOST: {output: data.mysql_host}
",
        ),
    );
    let refused = site.grove("render alpha/uni --out ../rendered");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused
            .stderr
            .contains("`config.DATA_HOST` is `data.mysql_host`, which has no value")
            && refused
                .stderr
                .contains("`grove stack apply alpha:data` first"),
        "{refused}"
    );
    let _ = site.grove("stack apply alpha --yes").success();
    let explained = site.grove("explain alpha/uni config.DATA_HOST").success();
    assert!(
        explained.stdout.contains(
            "clusters/alpha/outputs/data.json  output data.mysql_host: \"alpha.simulated.example\""
        ),
        "{explained}"
    );
    // A password has no place in plain configuration.
    let text = site.world.read(file);
    site.world
        .write(file, text.replace("data.mysql_host", "data.mysql_password"));
    let check = site.grove("check");
    assert_eq!(check.code, Some(1), "{check}");
    assert!(
        check.stdout.contains("`data.mysql_password` is sensitive"),
        "{check}"
    );
}
