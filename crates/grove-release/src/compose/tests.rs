use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::object::{name, ours};

/// Objects from lines `kind name content [key=value …]`: keys are annotations of ours, `wave` is the
/// sync wave.
fn objects(text: &str) -> Objects {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let parts: Vec<&str> = line.split_whitespace().collect();
            let (kind, object_name, content) = (parts[0], parts[1], parts[2]);
            let mut object = json!({
                "kind": kind,
                "metadata": {"name": object_name},
                "spec": {"content": content},
            });
            for (key, value) in parts[3..].iter().filter_map(|part| part.split_once('=')) {
                match key {
                    "wave" => annotate(&mut object, SYNC_WAVE, value),
                    "ignore-health" => annotate(&mut object, IGNORE_HEALTH, value),
                    key => annotate(&mut object, &format!("grove-platform.org/{key}"), value),
                }
            }
            let file = format!("{}-{object_name}.yaml", kind.to_lowercase());
            (file, object)
        })
        .collect()
}

/// The reverse of [`objects`].
fn lines(objects: &Objects) -> String {
    let line = |object: &Value| {
        let mut parts = vec![
            object["kind"].as_str().unwrap().to_owned(),
            name(object).to_owned(),
            object["spec"]["content"].as_str().unwrap().to_owned(),
        ];
        if let Some(wave) = crate::object::annotation(object, SYNC_WAVE) {
            parts.push(format!("wave={wave}"));
        }
        if let Some(value) = crate::object::annotation(object, IGNORE_HEALTH) {
            parts.push(format!("ignore-health={value}"));
        }
        for key in ["name", "jobs-copy", "retained", "left-release"] {
            if let Some(value) = ours(object, key) {
                parts.push(format!("{key}={value}"));
            }
        }
        parts.join(" ")
    };
    objects.values().map(line).collect::<Vec<_>>().join("\n")
}

const ONE: &str = "
    ConfigMap settings-1 a name=settings
    ConfigMap settings-jobs a jobs-copy=true name=settings
    SealedSecret keys-1 a name=keys
    ConfigMap plain a
    Job migrate-1 old name=migrate wave=1
    Deployment lms one wave=5
";

const TWO: &str = "
    ConfigMap settings-2 b name=settings
    ConfigMap settings-jobs b jobs-copy=true name=settings
    SealedSecret keys-1 a name=keys
    Job migrate-1 new name=migrate wave=1
    Job reindex-2 new name=reindex wave=7
    Deployment lms two wave=5
";

const THREE: &str = "
    ConfigMap settings-3 c name=settings
    ConfigMap settings-jobs c jobs-copy=true name=settings
    SealedSecret keys-1 a name=keys
    Job migrate-3 new name=migrate wave=1
    Deployment lms three wave=5
";

#[test]
fn a_first_deploy_is_what_was_rendered() {
    assert_eq!(compose(objects(ONE), None), objects(ONE));
}

#[test]
fn a_deploy_carries_jobs_over_and_keeps_configuration() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    insta::assert_snapshot!(lines(&second), @"
    ConfigMap settings-1 a name=settings retained=true
    ConfigMap settings-2 b name=settings
    ConfigMap settings-jobs b name=settings jobs-copy=true
    Deployment lms two wave=5
    Job migrate-1 old wave=1 name=migrate
    Job reindex-2 new wave=7 name=reindex
    SealedSecret keys-1 a name=keys
    ");
    // One more deploy: configuration of two releases, not of three; a Job that is gone is pruned.
    let third = compose(objects(THREE), Some(&second));
    insta::assert_snapshot!(lines(&third), @"
    ConfigMap settings-2 b name=settings retained=true
    ConfigMap settings-3 c name=settings
    ConfigMap settings-jobs c name=settings jobs-copy=true
    Deployment lms three wave=5
    Job migrate-3 new wave=1 name=migrate
    SealedSecret keys-1 a name=keys
    ");
}

#[test]
fn an_unchanged_deploy_is_the_running_release() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    assert!(is_unchanged(&objects(TWO), &second));
    assert_eq!(compose(objects(TWO), Some(&second)), second);
    assert!(!is_unchanged(&objects(ONE), &second));
    assert!(!is_unchanged(&objects(THREE), &second));
}

#[test]
fn a_deploy_that_runs_no_job_puts_those_that_ran_aside() {
    let stopped = "
        ConfigMap settings-2 b name=settings
        Job migrate-9 newer name=migrate wave=1
        Deployment lms stopped wave=5
    ";
    let aside = compose_without_jobs(objects(stopped), Some(&objects(TWO)));
    insta::assert_snapshot!(lines(&aside), @"
    ConfigMap settings-2 b name=settings
    ConfigMap settings-jobs b name=settings jobs-copy=true retained=true
    Deployment lms stopped wave=5
    Job migrate-1 new wave=5 ignore-health=true name=migrate left-release=true
    Job reindex-2 new wave=5 ignore-health=true name=reindex left-release=true
    SealedSecret keys-1 a name=keys retained=true
    ");
    // Done again, it changes nothing; and what ran goes back to its place without running again.
    assert_eq!(compose_without_jobs(objects(stopped), Some(&aside)), aside);
    let started = compose(objects(TWO), Some(&aside));
    assert_eq!(started, objects(TWO));
    assert!(!lines(&compose_without_jobs(objects(stopped), None)).contains("Job"));
}

#[test]
fn configuration_that_comes_back_is_no_longer_kept_but_its_own() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    let back = compose(objects(ONE), Some(&second));
    insta::assert_snapshot!(lines(&back), @"
    ConfigMap plain a
    ConfigMap settings-1 a name=settings
    ConfigMap settings-2 b name=settings retained=true
    ConfigMap settings-jobs a name=settings jobs-copy=true
    Deployment lms one wave=5
    Job migrate-1 old wave=1 name=migrate
    SealedSecret keys-1 a name=keys
    ");
}

#[test]
fn a_rollback_keeps_the_jobs_of_the_release_it_leaves() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    let third = compose(objects(THREE), Some(&second));
    let back = compose_rollback(second.clone(), &third);
    insta::assert_snapshot!(lines(&back), @"
    ConfigMap settings-2 b name=settings
    ConfigMap settings-3 c name=settings retained=true
    ConfigMap settings-jobs b name=settings jobs-copy=true
    Deployment lms two wave=5
    Job migrate-3 new wave=5 ignore-health=true name=migrate left-release=true
    SealedSecret keys-1 a name=keys
    ");
    // Again, from a release that is itself a rollback: what was put aside stays aside.
    let further = compose_rollback(objects(ONE), &back);
    insta::assert_snapshot!(lines(&further), @"
    ConfigMap plain a
    ConfigMap settings-1 a name=settings
    ConfigMap settings-2 b name=settings retained=true
    ConfigMap settings-jobs a name=settings jobs-copy=true
    Deployment lms one wave=5
    Job migrate-3 new wave=5 ignore-health=true name=migrate left-release=true
    SealedSecret keys-1 a name=keys
    ");
}

#[test]
fn a_job_in_both_stays_where_it_is_in_a_rollback() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    let back = compose_rollback(objects(ONE), &second);
    insta::assert_snapshot!(lines(&back), @"
    ConfigMap plain a
    ConfigMap settings-1 a name=settings
    ConfigMap settings-2 b name=settings retained=true
    ConfigMap settings-jobs a name=settings jobs-copy=true
    Deployment lms one wave=5
    Job migrate-1 old wave=1 name=migrate
    Job reindex-2 new wave=5 ignore-health=true name=reindex left-release=true
    SealedSecret keys-1 a name=keys
    ");
}

#[test]
fn rolling_forward_again_gives_a_left_job_its_place_back() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    let third = compose(objects(THREE), Some(&second));
    let back = compose_rollback(second, &third);
    let changed = THREE.replace("migrate-3 new", "migrate-3 newer");
    // By a deploy, or by a rollback to the release that was left.
    let deployed = compose(objects(&changed), Some(&back));
    let rolled = compose_rollback(objects(&changed), &back);
    for forward in [deployed, rolled] {
        let job = &forward["job-migrate-3.yaml"];
        // Its place and its gate are back, its spec is the one that Kubernetes has.
        assert_eq!(crate::object::wave(job), 1);
        assert_eq!(ours(job, "left-release"), None);
        assert_eq!(job["spec"]["content"], "new");
    }
}

#[test]
fn a_job_that_was_put_aside_is_a_change_even_if_it_is_the_only_one() {
    let running = objects(
        "Deployment lms one wave=5
         Job migrate-1 x wave=5 ignore-health=true left-release=true name=migrate",
    );
    let new = objects(
        "Deployment lms one wave=5
         Job migrate-1 x wave=1 name=migrate",
    );
    assert!(!is_unchanged(&new, &running));
    assert_eq!(compose(new.clone(), Some(&running)), new);
}

#[test]
fn a_held_release_is_known_again() {
    let second = compose(objects(TWO), Some(&objects(ONE)));
    let third = compose(objects(THREE), Some(&second));
    // The source still renders what was left.
    assert!(is_unchanged(&objects(THREE), &third));
    let mended = THREE.replace("lms three", "lms four");
    assert!(!is_unchanged(&objects(&mended), &third));
}

#[test]
fn what_only_jobs_read_stays_for_a_job_that_still_runs() {
    let leaving = objects(
        "ConfigMap extra-jobs x jobs-copy=true name=extra
         Job load-1 x name=load wave=1",
    );
    let back = compose_rollback(objects("Deployment lms one wave=5"), &leaving);
    insta::assert_snapshot!(lines(&back), @"
    ConfigMap extra-jobs x name=extra jobs-copy=true retained=true
    Deployment lms one wave=5
    Job load-1 x wave=5 ignore-health=true name=load left-release=true
    ");
    assert!(!compose(objects(ONE), Some(&back)).contains_key("configmap-extra-jobs.yaml"));
}

prop_compose! {
    /// A release: for each logical name a content, of which the suffix is made.
    fn release()(settings in 0..3u8, keys in 0..3u8, jobs in prop::collection::btree_set(0..4u8, 0..3), lms in 0..3u8)
        -> Objects
    {
        let mut text = format!(
            "ConfigMap settings-{settings} c{settings} name=settings
             SealedSecret keys-{keys} c{keys} name=keys
             ConfigMap settings-jobs c{settings} jobs-copy=true name=settings
             Deployment lms c{lms} wave=5\n"
        );
        for job in jobs {
            text += "Job task-";
            text += &job.to_string();
            text += " x name=task wave=2\n";
        }
        objects(&text)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Deploy(Objects),
    Rollback(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => release().prop_map(Step::Deploy),
        1 => (0..6usize).prop_map(Step::Rollback),
    ];
    prop::collection::vec(step, 1..10)
}

proptest! {
    #[test]
    fn any_history_keeps_its_promises(steps in steps()) {
        let mut history: Vec<Objects> = Vec::new();
        for step in steps {
            let running = history.last().cloned();
            let next = match step {
                Step::Deploy(new) => {
                    let next = compose(new.clone(), running.as_ref());
                    // The same source once more writes nothing.
                    prop_assert_eq!(&compose(new.clone(), Some(&next)), &next);
                    // Everything that was rendered is there.
                    prop_assert!(new.keys().all(|file| next.contains_key(file)));
                    next
                }
                Step::Rollback(to) => {
                    let (Some(older), Some(running)) = (history.get(to), &running) else { continue };
                    let next = compose_rollback(older.clone(), running);
                    let jobs = |objects: &Objects| -> Vec<String> {
                        objects.iter().filter(|(_, o)| is_job(o)).map(|(f, _)| f.clone()).collect()
                    };
                    // No Job is pruned, none comes back.
                    prop_assert_eq!(jobs(&next), jobs(running));
                    next
                }
            };
            if let Some(running) = running {
                for (file, object) in &running {
                    // The spec of a Job never changes.
                    if let Some(job) = next.get(file).filter(|_| is_job(object)) {
                        prop_assert_eq!(&job["spec"], &object["spec"]);
                    }
                    // Pods of the release that is replaced still find their configuration.
                    if is_hashed_configuration(object) && !is_marked(object, RETAINED) {
                        prop_assert!(next.contains_key(file), "{} is gone", file);
                    }
                }
            }
            // Configuration of two releases at most.
            let kept = next.values().filter(|o| is_hashed_configuration(o)).count();
            prop_assert!(kept <= 4, "{} configuration objects", kept);
            history.push(next);
        }
    }
}
