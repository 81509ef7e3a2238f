//! `grove secret set`.

use std::io::{IsTerminal as _, Read as _};

use grove_operations::secrets::set::{self, LIMIT, Request};
use grove_seal::Secret;

use crate::{
    around,
    error::{Error, Exit, Result},
    global::Global,
    output::Output,
    terminal,
};

/// Set one value; it is read from standard input, never from the command line.
///
/// On a terminal the value is asked for and not shown. What the file holds beside it stays as it
/// is; a file that is missing is made.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n\
    \x20 grove secret set prod/uni SMTP_PASSWORD\n\
    \x20 grove secret set group:unis SMTP_PASSWORD < password.txt")]
pub(crate) struct Arguments {
    /// Whose secret: `cluster/instance`, `cluster` (for all of its instances), or `group:NAME`.
    owner: String,
    /// The name, as Tutor or a plugin has it: `SMTP_PASSWORD`.
    name: String,
    /// A secret of the cluster itself, which no instance may read.
    #[arg(long)]
    cluster_only: bool,
    /// Keep a line break at the end of the value; one is taken away otherwise.
    #[arg(long)]
    keep_newline: bool,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    global.must_be_work_tree()?;
    let around = around::of(global, output, &[])?;
    let request = Request {
        id: global.request_id(),
        owner: arguments.owner.clone(),
        name: arguments.name.clone(),
        cluster_only: arguments.cluster_only,
    };
    let plan = set::plan(&around, &request)?;
    let value = if plan.is_done() {
        Secret::new(String::new())
    } else {
        read(arguments)?
    };
    let consent = terminal::consent(plan.needs(), output)?;
    let outcome = plan.carry_out(&consent, value)?;
    output.note(&format!("set {} in {}", arguments.name, outcome.file));
    Ok(Exit::Done)
}

fn read(arguments: &Arguments) -> Result<Secret> {
    let mut text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{}: ", arguments.name))?
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(LIMIT as u64 + 1)
            .read_to_string(&mut text)?;
        text
    };
    if text.len() > LIMIT {
        return Err(Error::usage("a secret is at most 1 MiB"));
    }
    if !arguments.keep_newline && text.ends_with('\n') {
        text.pop();
    }
    if text.is_empty() {
        return Err(Error::usage("no value came on standard input"));
    }
    Ok(Secret::new(text))
}
