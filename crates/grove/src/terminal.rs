//! The one place that asks.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use grove_operations::{
    Around,
    consent::{Consent, Need, Needs},
    jobs::answers::{Answers, Question},
    request::Target,
    stacks::apply::Level,
    text::count,
};
use grove_seal::Secret;

use crate::{
    error::{Error, Result},
    global::Global,
    options::Instances,
    output::Output,
};

/// The instances that a command means. Above a few it is asked before anything is prepared, which may take
/// long.
pub(crate) fn target(
    around: &Around,
    instances: &Instances,
    global: &Global,
    output: &Output,
) -> Result<Target> {
    let target = instances.request(global.rev.as_deref());
    agreed(target, output, |target| target.look(around))
}

/// A target that was agreed to. Where it may mean many instances, `look` says what must be agreed to.
pub(crate) fn agreed(
    mut target: Target,
    output: &Output,
    look: impl FnOnce(&Target) -> Result<Needs>,
) -> Result<Target> {
    if target.expect.is_none() && !target.selection.names_few() {
        for need in look(&target)? {
            agree(&need, &Agreed::default(), output)?;
            if let Need::Instances { instances } = need {
                target.expect = Some(instances.len());
            }
        }
    }
    Ok(target)
}

/// What the options of a command agree to.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of a command"
)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreed<'a> {
    /// Going back behind a mark that data cannot follow.
    pub(crate) data_risk: bool,
    /// How many volumes, hosts and other objects go.
    pub(crate) deletions: Option<usize>,
    /// The first release of a branch that is missing in a repository that is there.
    pub(crate) first_release: bool,
    /// Whatever users of a site would notice, and what cannot be seen from here.
    pub(crate) disruption: bool,
    /// Every plan of a stack that loses nothing.
    pub(crate) to_apply: bool,
    /// Whatever the plans of these stacks lose.
    pub(crate) to_destroy: &'a [String],
}

/// Asks for consent to everything that a plan needs; without a terminal the answer is no.
pub(crate) fn consent(needs: &Needs, output: &Output) -> Result<Consent> {
    consent_beside(needs, &Agreed::default(), output)
}

/// The same of a command whose options agree to some of it.
pub(crate) fn consent_beside(
    needs: &Needs,
    agreed: &Agreed<'_>,
    output: &Output,
) -> Result<Consent> {
    for need in needs.iter() {
        agree(need, agreed, output)?;
    }
    agree_to_deletions(needs, agreed.deletions)?;
    Ok(Consent::to(needs.clone()))
}

/// Consent of a command whose options name each part that goes: what is left is the first release of a branch.
pub(crate) fn consent_but_for_parts(
    needs: &Needs,
    agreed: &Agreed<'_>,
    output: &Output,
) -> Result<Consent> {
    for need in needs.iter() {
        if matches!(need, Need::FirstRelease { .. }) {
            agree(need, agreed, output)?;
        }
    }
    Ok(Consent::to(needs.clone()))
}

/// Consent to what is removed for good: whoever says the name once more means it. Nothing is asked.
pub(crate) fn named(needs: &Needs, name: Option<&str>, output: &Output) -> Result<Consent> {
    for need in needs.iter() {
        match need {
            Need::DataRemoval { instance, .. } if name == Some(instance) => {}
            Need::DataRemoval { instance, what } => {
                let error = Error::refused(need.refusal());
                return Err(if what.is_empty() {
                    error
                } else {
                    error.hint(format!("if that is meant, say `--confirm {instance}`"))
                });
            }
            _ => agree(need, &Agreed::default(), output)?,
        }
    }
    Ok(Consent::to(needs.clone()))
}

/// Asks for the answers to questions without showing them; without a terminal each is a line of standard input.
pub(crate) fn answers(questions: &[Question]) -> Result<Answers> {
    let mut answers = Answers::none();
    for question in questions {
        let answer = if std::io::stdin().is_terminal() {
            rpassword::prompt_password(format!("{}: ", question.text))?
        } else {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line.truncate(line.trim_end_matches(['\r', '\n']).len());
            line
        };
        answers.give(question, Secret::new(answer))?;
    }
    Ok(answers)
}

/// Refuses deletions of all instances of a plan, unless their number was confirmed.
fn agree_to_deletions(needs: &Needs, confirmed: Option<usize>) -> Result<()> {
    let mut total = 0;
    let mut reasons = Vec::new();
    for need in needs.iter() {
        if let Need::Deletions {
            of,
            objects,
            summary,
        } = need
        {
            total += objects.len();
            reasons.push(format!("{of}: {summary}"));
        }
    }
    if total == 0 || confirmed == Some(total) {
        return Ok(());
    }
    let mut error = Error::refused(match confirmed {
        Some(stated) => {
            let verb = if stated == 1 { "was" } else { "were" };
            format!(
                "{} {verb} confirmed, this deploy makes {total}",
                count(stated, "deletion")
            )
        }
        None => format!("this deploy deletes {}", count(total, "object")),
    });
    error.messages.extend(reasons);
    Err(error.hint(format!("if that is meant, say `--confirm-deletes {total}`")))
}

/// Shows what the plans of a level would do, stack by stack, and asks about each; without a terminal the
/// answer is no. Consent is to some of them: what nobody agrees to is refused alone.
pub(crate) fn level(
    around: &Around,
    level: &mut Level<'_, '_>,
    agreed: &Agreed<'_>,
    output: &Output,
) -> Consent {
    let mut needs = Needs::default();
    let mut refused = Vec::new();
    for proposal in level.proposals() {
        proposal.tell(around);
        let is_agreed = match &proposal.need {
            Need::Apply { .. } => agreed.to_apply,
            Need::Destroys { stack, .. } => agreed.to_destroy.contains(stack),
            _ => false,
        };
        let answer = if is_agreed {
            Ok(())
        } else {
            agree(&proposal.need, agreed, output)
        };
        match answer {
            Ok(()) => needs.extend([proposal.need.clone()]),
            Err(error) => refused.push((proposal.stack.clone(), error)),
        }
    }
    for (stack, error) in refused {
        level.refuse(&stack, error);
    }
    Consent::to(needs)
}

/// Asks for consent to one thing.
fn agree(need: &Need, agreed: &Agreed<'_>, output: &Output) -> Result<()> {
    output.progress_done();
    let hint = match need {
        Need::Instances { instances } => {
            output.warn(&format!("this touches {} instances:", instances.len()));
            for instance in instances {
                output.note(&format!("  {instance}"));
            }
            if confirm("Go on?") {
                return Ok(());
            }
            format!("in a script, say `--expect {}`", instances.len())
        }
        Need::DataRisk { marks, .. } => {
            if agreed.data_risk {
                return Ok(());
            }
            let mut error = Error::refused(need.refusal());
            error.messages.extend(marks.iter().cloned());
            return Err(error.hint(
                "restore a backup that fits, or say `--accept-data-risk` if the data is known to fit",
            ));
        }
        Need::FirstRelease { .. } if agreed.first_release => return Ok(()),
        Need::FirstRelease { .. } => {
            "if that is meant, say `--first-release`; `docs/operations.md` tells how a branch comes back"
                .to_owned()
        }
        Need::Disrupts { .. } | Need::Confirm { .. } if agreed.disruption => return Ok(()),
        Need::Disrupts {
            instance,
            secret,
            meaning,
        } => {
            return Err(Error::refused(format!("{secret}: {meaning}"))
                .context(instance)
                .hint("if that is meant, say `--accept`"));
        }
        // All of them together: see `agree_to_deletions`.
        Need::Deletions { .. } => return Ok(()),
        Need::Apply { stack, .. } => {
            if confirm(&format!("Apply {stack}?")) {
                return Ok(());
            }
            "in a script, say `--yes`, or apply a plan that `grove stack plan` kept".to_owned()
        }
        Need::Destroys { stack, objects } => {
            let question = format!(
                "This destroys {}. Type the stack's name to go on: ",
                count(objects.len(), "object")
            );
            if answer(&question).as_ref() == Some(stack) {
                return Ok(());
            }
            format!("if that is meant, say `--confirm-destroys {stack}`")
        }
        Need::Cluster {
            cluster, instances, ..
        } => {
            let instances = instances.len();
            if is_there() {
                output.warn(&format!(
                    "this destroys `{cluster}` with {} and everything that they hold",
                    count(instances, "instance")
                ));
                if answer("Type the cluster's name to go on: ").as_ref() == Some(cluster) {
                    return Ok(());
                }
            }
            format!("in a script, say `--confirm {cluster} --expect {instances}`")
        }
        _ => return Err(Error::refused(need.refusal())),
    };
    Err(Error::refused(need.refusal()).hint(hint))
}

/// Whether whoever runs the command can be asked.
pub(crate) fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a yes-or-no question on the terminal; without one the answer is no.
pub(crate) fn confirm(question: &str) -> bool {
    matches!(
        answer(&format!("{question} [y/N] ")).as_deref(),
        Some("y" | "Y" | "yes" | "Yes")
    )
}

/// Asks for a value on the terminal; without one, nothing is answered. An empty answer is the default.
pub(crate) fn ask(question: &str, default: &str) -> Option<String> {
    let default_shown = if default.is_empty() {
        String::new()
    } else {
        format!(" [{default}]")
    };
    let answer = answer(&format!("{question}{default_shown} "))?;
    Some(if answer.is_empty() {
        default.to_owned()
    } else {
        answer
    })
}

/// A line that is typed after a question; none without a terminal.
pub(crate) fn answer(question: &str) -> Option<String> {
    if !is_there() {
        return None;
    }
    let mut stderr = anstream::stderr();
    write!(stderr, "{question}").ok()?;
    stderr.flush().ok()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}
