//! Who ran what in an instance, as the deploy repository has it.

use grove_fleet::Address;
use grove_release::{Changes, DeployBranch, Landed, Run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Around, Result, Token,
    release::publish::{Subject, publish},
    request::RequestId,
};

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// `cluster/instance`.
    pub instance: String,
    /// The name of the Job that ran it.
    pub job: String,
    /// The release whose image, configuration and secrets it had.
    pub release: u32,
    /// The command's own; none where it did not come to its end.
    pub exit_code: Option<i32>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A command that was run, and how it ended.
#[derive(Debug)]
pub(super) struct Finished {
    /// The instance's name on its cluster.
    pub(super) instance: String,
    /// How it ended.
    pub(super) ended: Ended,
    /// The workload whose image, configuration and secrets it had.
    pub(super) service: String,
    /// What it was, in words.
    pub(super) command: Vec<String>,
}

/// Writes who ran what to the deploy branch; where that fails, it is said, and what was run stands. Gives how the
/// commands ended: of a request that others carried out since it was planned, as they recorded it.
pub(super) fn record(
    around: &Around,
    branch: &mut DeployBranch,
    finished: Vec<Finished>,
    request: Option<&RequestId>,
) -> Vec<Ended> {
    // What was run is written down, also where the operation was ended meanwhile.
    let around = &Around {
        token: Token::new(),
        ..around.clone()
    };
    let first = write(around, branch, &finished, request).and_then(|landed| {
        let (Some(landed), Some(request)) = (landed, request) else {
            return Ok(Vec::new());
        };
        let mut first = Vec::new();
        for one in &finished {
            let address = Address::new(branch.cluster(), &one.instance);
            first.extend(recorded(branch, &landed, &address, request)?);
        }
        Ok(first)
    });
    let first = first.unwrap_or_else(|error| {
        around.warn("what was run is not recorded in the deploy repository:");
        around.failed(&error);
        Vec::new()
    });
    let ended = finished.into_iter().map(|one| one.ended);
    ended
        .map(|ended| {
            let same = first.iter().find(|first| first.job == ended.job);
            same.cloned().unwrap_or(ended)
        })
        .collect()
}

/// How the commands of an instance ended that a request ran, where a branch says that it was carried out.
pub(super) fn recorded(
    branch: &DeployBranch,
    landed: &Landed,
    address: &Address,
    request: &RequestId,
) -> Result<Vec<Ended>> {
    let then = branch.view_at(landed.commit)?;
    let runs = then.runs(&address.instance, usize::MAX)?.into_iter().rev();
    let own = runs.filter(|run| run.request.as_ref() == Some(request));
    Ok(own
        .map(|run| Ended {
            instance: address.to_string(),
            job: run.job,
            release: run.release,
            exit_code: run.exit_code,
            reason: None,
        })
        .collect())
}

fn write(
    around: &Around,
    branch: &mut DeployBranch,
    finished: &[Finished],
    request: Option<&RequestId>,
) -> Result<Option<Landed>> {
    let (author, time) = (around.author()?, around.now());
    let mut changes = Changes::default();
    let mut names = Vec::new();
    for one in finished {
        names.push(one.instance.clone());
        changes.run(&Run {
            version: grove_release::RECORD_VERSION,
            instance: one.instance.clone(),
            job: one.ended.job.clone(),
            release: one.ended.release,
            time,
            author: author.to_string(),
            service: one.service.clone(),
            command: hidden(&one.command),
            exit_code: one.ended.exit_code,
            request: request.cloned(),
        });
    }
    if changes.is_empty() {
        return Ok(None);
    }
    let subject = Subject::new(format!("Ran a command in {}", names.join(", ")), request);
    Ok(publish(around, branch, changes, subject)?.landed)
}

/// A command without what looks like a secret: what an option of such a name has, and what is assigned to
/// such a name.
fn hidden(command: &[String]) -> Vec<String> {
    const HIDDEN: &str = "…";
    let speaks = |word: &str| {
        let word = word.to_ascii_lowercase();
        ["password", "passwd", "secret", "token", "key", "credential"]
            .iter()
            .any(|known| word.contains(known))
    };
    let mut hide_next = false;
    command
        .iter()
        .map(|word| {
            if std::mem::take(&mut hide_next) {
                return HIDDEN.to_owned();
            }
            match word.split_once('=') {
                Some((name, _)) if speaks(name) => format!("{name}={HIDDEN}"),
                None if word.starts_with('-') && speaks(word) => {
                    hide_next = true;
                    word.clone()
                }
                // Text of many lines is a program or data; who ran it knows which.
                _ if word.contains('\n') => HIDDEN.to_owned(),
                _ => word.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn what_looks_like_a_secret_is_not_recorded() {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let command =
            words("./manage.py|lms|create|--password|x y|--token=z|API_KEY=q|-c|a\nb|plain");
        assert_eq!(
            hidden(&command).join("|"),
            "./manage.py|lms|create|--password|…|--token=…|API_KEY=…|-c|…|plain"
        );
    }
}
