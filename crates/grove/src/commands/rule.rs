//! `grove rule`.

use grove_fleet::{check, near::nearest};

use crate::{
    error::{CommandError, Exit, Result},
    output::Output,
    workspace::is_json,
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
        if is_json(output) {
            let rules: Vec<_> = check::rules::ALL.iter().collect();
            output.json(&serde_json::json!({"version": 1, "rules": rules}))?;
            return Ok(Exit::Done);
        }
        for rule in check::rules::ALL {
            output.print(&format!("{:<32} {}\n", rule.id, rule.summary))?;
        }
        return Ok(Exit::Done);
    };
    let rule = check::rules::find(id).ok_or_else(|| {
        let near = nearest(id, check::rules::ALL.iter().map(|rule| rule.id));
        CommandError::usage(format!("there is no rule `{id}`")).hint(near.map_or_else(
            || "`grove rule` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
    })?;
    if is_json(output) {
        output.json(rule)?;
    } else {
        let severity = match rule.severity {
            grove_fleet::Severity::Error => "error",
            grove_fleet::Severity::Warning => "warning",
        };
        output.print(&format!(
            "{} ({severity}): {}\n\n{}\n",
            rule.id,
            rule.summary,
            rule.documentation.trim()
        ))?;
    }
    Ok(Exit::Done)
}
