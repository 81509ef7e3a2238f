//! `grove rule`.

use grove_operations::fleet::rules::{self, Severity};

use crate::{
    error::{Exit, Result},
    output::{Output, is_json},
};

/// Show what a finding means and how to mend it.
///
/// Without an id, lists every rule of `grove check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove rule\n\
    \x20 grove rule lock-missing")]
pub(crate) struct Arguments {
    /// The rule's id, as a finding names it; without it, all rules are listed.
    id: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let Some(id) = &arguments.id else {
        let outcome = rules::read()?;
        output.outcome(&outcome, || {
            let rules = outcome.rules.iter();
            let lines: Vec<String> = rules
                .map(|rule| format!("{:<32} {}\n", rule.id, rule.summary))
                .collect();
            lines.concat()
        })?;
        return Ok(Exit::Done);
    };
    let rule = rules::find(id)?;
    if is_json(output) {
        output.json(&rule)?;
        return Ok(Exit::Done);
    }
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    output.print(&format!(
        "{} ({severity}): {}\n\n{}\n",
        rule.id,
        rule.summary,
        rule.documentation.trim()
    ))?;
    Ok(Exit::Done)
}
