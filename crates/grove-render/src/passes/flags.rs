//! Feature flags.

use grove_fleet::model::{Flag, Flags, is_flag_name};
use serde_json::{Map, Value, json};

use super::{draft::Draft, pass::Pass};
use crate::{Error, Task};

pub(super) const PASS: Pass = Pass {
    name: "flags",
    summary: "Where the fleet has `flags`, one more init task of the LMS sets them, after all others: flags, \
              switches and samples of django-waffle. One that leaves the fleet is deleted where Grove made \
              it. The task runs when they change, as every init task does.",
    changes: &[],
    apply,
};

/// What the task runs: Python without a single quote, which ends a word of the shell that tasks have.
const PROGRAM: &str = include_str!("flags.py");

fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let Some(flags) = &draft.instance.flags else {
        return Ok(());
    };
    let names = flags
        .flags
        .keys()
        .chain(flags.switches.keys())
        .chain(flags.samples.keys());
    for name in names {
        if !is_flag_name(name) {
            return Err(Error::new(
                format!("`flags` has the name {name:?}, which no flag can have"),
                "at most 100 characters, none of them a blank",
            ));
        }
    }
    draft.tasks.push(Task {
        service: "lms".to_owned(),
        app: Some("flags".to_owned()),
        text: format!(
            "GROVE_FLAGS='{}' ./manage.py lms shell -c '{PROGRAM}'\n",
            escaped(&wanted(flags).to_string())
        ),
    });
    Ok(())
}

/// What the program reads.
fn wanted(flags: &Flags) -> Value {
    let all: Map<String, Value> = flags
        .flags
        .iter()
        .map(|(name, flag)| (name.clone(), fields(flag)))
        .collect();
    let switches: Map<String, Value> = flags
        .switches
        .iter()
        .map(|(name, on)| (name.clone(), json!({"active": on})))
        .collect();
    let samples: Map<String, Value> = flags
        .samples
        .iter()
        .map(|(name, percent)| (name.clone(), json!({"percent": percent})))
        .collect();
    json!({"flags": all, "switches": switches, "samples": samples})
}

fn fields(flag: &Flag) -> Value {
    json!({
        "everyone": flag.everyone,
        "percent": flag.percent,
        "groups": flag.groups,
        "testing": flag.testing,
        "superusers": flag.superusers,
        "staff": flag.staff,
        "authenticated": flag.authenticated,
    })
}

/// JSON in which nothing means anything to a shell in single quotes, to Kubernetes, or to sealing.
pub(super) fn escaped(json: &str) -> String {
    json.replace('\'', "\\u0027")
        .replace('$', "\\u0024")
        .replace('@', "\\u0040")
}

#[cfg(test)]
mod tests {
    use grove_fleet::model::{Flag, Flags};

    use super::{PASS, PROGRAM};
    use crate::testing;

    #[test]
    fn flags_are_one_more_task_and_no_text_of_theirs_is_code() {
        assert!(!PROGRAM.contains(['\'', '$', '@']));
        let mut world = testing::World::default();
        let task = |world: &testing::World| {
            let mut draft = world.draft(&[], vec![]).unwrap();
            (PASS.apply)(&mut draft).map(|()| draft.tasks.last().map(|task| task.text.clone()))
        };
        assert_eq!(task(&world).unwrap(), None);
        let flag = Flag {
            everyone: Some(true),
            ..Flag::default()
        };
        let mut flags = Flags {
            flags: [("a'$(b)@@C@@\"\\".to_owned(), flag)].into(),
            ..Flags::default()
        };
        world.instance.flags = Some(flags.clone());
        let text = task(&world).unwrap().unwrap();
        insta::assert_snapshot!(text.lines().next().unwrap(), @r#"GROVE_FLAGS='{"flags":{"a\u0027\u0024(b)\u0040\u0040C\u0040\u0040\"\\":{"authenticated":false,"everyone":true,"groups":[],"percent":null,"staff":false,"superusers":false,"testing":false}},"samples":{},"switches":{}}' ./manage.py lms shell -c 'import json"#);
        flags.switches.insert("two words".to_owned(), true);
        world.instance.flags = Some(flags);
        insta::assert_snapshot!(task(&world).unwrap_err(), @r#"`flags` has the name "two words", which no flag can have"#);
    }
}
