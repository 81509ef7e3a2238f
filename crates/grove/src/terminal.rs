//! The one place that asks.

use std::io::{IsTerminal as _, Write as _};

use grove_operations::{
    Around,
    consent::{Consent, Need, Needs},
    request::Target,
};

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
    let mut target = instances.request(global.rev.as_deref());
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
    consent_beside(needs, output, |_| Ok(false))
}

/// The same of a command whose options agree to some of it: `is_agreed` says so of each, or refuses it with a
/// hint of the command's.
pub(crate) fn consent_beside(
    needs: &Needs,
    output: &Output,
    is_agreed: impl Fn(&Need) -> Result<bool>,
) -> Result<Consent> {
    for need in needs.iter() {
        if !is_agreed(need)? {
            agree(need, output)?;
        }
    }
    Ok(Consent::to(needs.clone()))
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
