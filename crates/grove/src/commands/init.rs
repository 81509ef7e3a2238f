//! `grove init`.

use std::path::{Path, PathBuf};

use grove_fleet::{
    Severity, Snapshot,
    check::{self, Context},
    scaffold::{self, Files, NewFleet},
    snapshot::File,
};
use grove_seal::source::{Identities, Place, new_identity, places};

use crate::{
    cli::Global,
    commands::init_task,
    error::{CommandError, Exit, Result},
    output::Output,
    surroundings,
};

/// Make a new fleet.
///
/// Writes `grove.yaml`, and `.sops.yaml` with who may read the fleet's secrets. Without
/// `--recipient`, that is whoever has the age keys of this machine, where `sops` looks for them;
/// where there is none, one is made. Nothing that is there is overwritten.
///
/// `grove init retry` and `grove init skip` are about init tasks of an instance that runs.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n\
    \x20 grove init my-fleet\n\
    \x20 grove init retry prod/uni lms-migrate --wait\n\
    \x20 grove init my-fleet --deploy-remote git@forge.example:acme/deploy-{cluster}.git")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<init_task::Command>,
    /// The directory; made where it is missing.
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The fleet's name; the directory's where nothing is said.
    #[arg(long)]
    name: Option<String>,
    /// Where deploy trees go: a Git URL or path; `{cluster}` stands for the cluster's name.
    #[arg(
        long,
        value_name = "PATTERN",
        default_value = "../deploy-{cluster}.git"
    )]
    deploy_remote: String,
    /// An age recipient (`age1…`) that may read the secrets; may be given several times.
    #[arg(long, value_name = "AGE1…")]
    recipient: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if let Some(task) = &arguments.task {
        return init_task::run(task, global, output);
    }
    fs_err::create_dir_all(&arguments.directory)?;
    let directory = fs_err::canonicalize(&arguments.directory)?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => directory
            .file_name()
            .and_then(|name| name.to_str())
            .map(|name| name.to_lowercase().replace(['_', ' ', '.'], "-"))
            .ok_or_else(|| CommandError::usage("say the fleet's name with `--name`"))?,
    };
    refuse_existing(&directory, ["grove.yaml", ".sops.yaml"])?;
    let files = |recipients: &[&str]| {
        scaffold::fleet(NewFleet {
            name: &name,
            remote: &arguments.deploy_remote,
            recipients,
        })
    };
    // Before a key is made.
    refuse_unsound(&Snapshot::default(), &files(&[]), output)?;
    let recipients = if arguments.recipient.is_empty() {
        own_recipients(output)?
    } else {
        arguments.recipient.clone()
    };
    if let Some(wrong) = recipients
        .iter()
        .find(|recipient| !recipient.starts_with("age1"))
    {
        return Err(
            CommandError::usage(format!("`{wrong}` is not an age recipient"))
                .hint("a recipient starts with `age1`"),
        );
    }
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    write(&directory, &files(&recipients), output)?;
    output.note("next: `grove new cluster NAME`, `grove new distribution NAME`");
    Ok(Exit::Done)
}

/// The recipients whose private keys are on this machine; a new one where there is none.
fn own_recipients(output: &Output) -> Result<Vec<String>> {
    let mut identities = Identities::default();
    let mut usual = None;
    for place in places(surroundings::raw_variable, surroundings::home().as_deref()) {
        match place {
            Place::Text { variable, text } => identities.add(variable, text.expose())?,
            Place::File { path, .. } => {
                if let Ok(text) = fs_err::read_to_string(&path) {
                    identities.add(&path.display().to_string(), &text)?;
                }
                usual = Some(path);
            }
            Place::Command { .. } => {}
        }
    }
    if !identities.is_empty() {
        return Ok(identities.recipients());
    }
    let path = usual.ok_or_else(|| {
        CommandError::usage("no age key was found, and there is no place for a new one")
            .hint("say who may read the secrets with `--recipient age1…`")
    })?;
    let (private, public) = new_identity();
    surroundings::write_private(
        &path,
        &format!("# public key: {public}\n{}\n", private.expose()),
    )?;
    output.note(&format!(
        "made an age key in {}; keep a copy of it: without it the fleet's secrets are lost",
        path.display()
    ));
    Ok(vec![public])
}

/// Refuses to overwrite.
pub(super) fn refuse_existing<'a>(
    root: &Path,
    paths: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    match paths.into_iter().find(|path| root.join(path).exists()) {
        None => Ok(()),
        Some(path) => Err(CommandError::refused(format!(
            "`{}` is there already",
            root.join(path).display()
        ))
        .hint("nothing was written; edit the file, or remove it first")),
    }
}

/// What the next steps mend, so no reason to refuse a file.
const LATER: [&str; 5] = [
    "lock-missing",
    "sealing-certificate-missing",
    "secret-missing",
    "unknown-plugin",
    "unresolved-input",
];

/// Refuses to write what `grove check` would find wrong right after it.
pub(super) fn refuse_unsound(fleet: &Snapshot, files: &Files, output: &Output) -> Result<()> {
    let mut after = fleet.clone();
    for (path, text) in files {
        let bytes = File::Bytes(text.as_bytes().into());
        after.files.insert(path.clone(), bytes);
    }
    let mut findings = check::check(&after, &Context::default()).findings;
    findings.retain(|finding| {
        finding.severity == Severity::Error
            && !LATER.contains(&finding.rule)
            && finding
                .locations
                .iter()
                .any(|location| files.contains_key(&location.path))
    });
    if findings.is_empty() {
        return Ok(());
    }
    output.must_see(&check::text(&findings, &after, output.colour_on_stderr()));
    Err(
        CommandError::usage("the new files would not be valid; nothing was written")
            .hint("say it in another way, or mend first what it clashes with"),
    )
}

/// Writes new files.
pub(super) fn write(root: &Path, files: &Files, output: &Output) -> Result<()> {
    refuse_existing(root, files.keys().map(String::as_str))?;
    for (path, text) in files {
        surroundings::write_atomically(&root.join(path), text)?;
        output.note(&format!("wrote {path}"));
    }
    Ok(())
}
