//! The one place that asks.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use grove_operations::{
    Around,
    consent::{Consent, Need, Needs},
    jobs::answers::{Answers, Question},
    request::Target,
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
    let mut target = Target {
        revision: global.rev.clone(),
        selection: instances.selection.request(),
        expect: instances.agreement.expect,
    };
    if target.expect.is_none() && !target.selection.names_few() {
        for need in target.look(around)? {
            agree(&need, output)?;
            if let Need::Instances { instances } = need {
                target.expect = Some(instances.len());
            }
        }
    }
    Ok(target)
}

/// Asks for consent to everything that a plan needs; without a terminal the answer is no.
pub(crate) fn consent(needs: &Needs, output: &Output) -> Result<Consent> {
    for need in needs.iter() {
        agree(need, output)?;
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
            _ => agree(need, output)?,
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

/// Asks for consent to one thing.
fn agree(need: &Need, output: &Output) -> Result<()> {
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
