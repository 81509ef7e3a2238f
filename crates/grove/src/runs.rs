//! What became of commands that were run in instances.

use grove_operations::jobs::instance::{Ended, Outcome};
use serde_json::json;

use crate::{
    error::{Error, Exit, Kind, Result},
    output::{Output, is_json},
};

/// Says what did not end well, and what the command comes to: of one instance, what its command ended with.
pub(crate) fn show(outcome: Outcome, output: &Output) -> Result {
    let runs = outcome.runs;
    if is_json(output) {
        output.json(&json!({"version": 1, "runs": runs}))?;
    } else {
        for ended in runs.iter().filter(|ended| ended.exit_code != Some(0)) {
            let how = match (&ended.reason, ended.exit_code) {
                (Some(reason), _) => reason.clone(),
                (None, Some(code)) => format!("exit code {code}"),
                (None, None) => "it did not come to its end".to_owned(),
            };
            output.note(&format!("{}: {} failed: {how}", ended.instance, ended.job));
        }
    }
    failures(outcome.failures, output)?;
    Ok(exit(&runs))
}

/// Several failures: the last is what the command ends with.
pub(crate) fn failures(mut failures: Vec<Error>, output: &Output) -> Result<()> {
    let Some(last) = failures.pop() else {
        return Ok(());
    };
    for failure in &failures {
        output.error(failure);
    }
    Err(last)
}

fn exit(runs: &[Ended]) -> Exit {
    let Some(failed) = runs.iter().find(|ended| ended.exit_code != Some(0)) else {
        return Exit::Done;
    };
    if runs.iter().any(|ended| ended.instance != failed.instance) {
        return Exit::Kind(Kind::No);
    }
    match failed.exit_code {
        Some(code) => Exit::Command(u8::try_from(code).unwrap_or(1)),
        None => Exit::Kind(Kind::Unhealthy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instance_ends_with_the_code_of_its_command() {
        let run = |instance: &str, exit_code| Ended {
            instance: instance.to_owned(),
            job: String::new(),
            release: 1,
            exit_code,
            reason: None,
        };
        let (done, failed) = (run("a/b", Some(0)), run("a/b", Some(7)));
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[done.clone(), run("a/c", Some(0))]), Exit::Done);
        assert_eq!(exit(&[done.clone(), failed.clone()]), Exit::Command(7));
        assert_eq!(exit(&[run("a/b", Some(-1))]), Exit::Command(1));
        assert_eq!(exit(&[run("a/b", None)]), Exit::Kind(Kind::Unhealthy));
        assert_eq!(exit(&[failed, run("a/c", Some(0))]), Exit::Kind(Kind::No));
    }
}
