//! `grove doctor`.

use crate::{
    error::{Exit, Result},
    output::Output,
    pipeline, surroundings,
    workspace::is_json,
};

/// Check that this machine has what Grove needs.
///
/// Looks for the programs that Grove calls and says what this machine can confine. Changes nothing;
/// the exit code is 1 where something needed is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// One thing that was looked at.
struct Item {
    name: &'static str,
    needed: bool,
    found: std::result::Result<String, String>,
}

pub(crate) fn run(_: &Arguments, output: &Output) -> Result {
    let mut items: Vec<Item> = [
        ("git", &["--version"][..], true),
        ("python3", &["--version"][..], true),
        ("sops", &["--version", "--disable-version-check"][..], false),
        ("tofu", &["version"][..], false),
    ]
    .into_iter()
    .map(|(name, arguments, needed)| Item {
        name,
        needed,
        found: grove_exec::Invocation::new(name)
            .args(arguments)
            .run()
            .and_then(grove_exec::Outcome::text)
            .map(|text| text.lines().next().unwrap_or_default().to_owned())
            .map_err(|error| error.to_string()),
    })
    .collect();
    items.push(Item {
        name: "kubectl or kustomize",
        needed: true,
        found: grove_tutor::Kustomizer::find()
            .map(|found| found.version().to_owned())
            .map_err(|error| error.to_string()),
    });
    let sandbox = grove_exec::Sandbox {
        launcher: surroundings::executable()?,
        ..grove_exec::Sandbox::default()
    };
    items.push(Item {
        name: "sandbox",
        needed: true,
        found: sandbox
            .probe()
            .map_err(|error| error.to_string())
            .map(|report| {
                let mut has = Vec::new();
                for (there, what) in [
                    (report.files, "files"),
                    (report.network_namespace || report.no_sockets, "network"),
                    (report.system_calls, "system calls"),
                ] {
                    if there {
                        has.push(what);
                    }
                }
                format!("confines {}", has.join(", "))
            }),
    });
    items.push(Item {
        name: "cache",
        needed: true,
        found: pipeline::cache()
            .map(|cache| cache.root.display().to_string())
            .map_err(|error| error.to_string()),
    });
    let missing = items.iter().any(|item| item.needed && item.found.is_err());
    if is_json(output) {
        let rows: Vec<_> = items
            .iter()
            .map(|item| {
                serde_json::json!({
                    "name": item.name,
                    "needed": item.needed,
                    "found": item.found.as_ref().ok(),
                    "problem": item.found.as_ref().err(),
                })
            })
            .collect();
        output.json(&serde_json::json!({"version": 1, "items": rows}))?;
    } else {
        for item in &items {
            let (mark, text) = match &item.found {
                Ok(text) => ("ok     ", text.as_str()),
                Err(text) if item.needed => ("missing", text.as_str()),
                Err(_) => ("absent ", "only needed for KMS, Vault and PGP recipients"),
            };
            output.print(&format!("{mark}  {:<22} {text}\n", item.name))?;
        }
    }
    Ok(if missing { Exit::No } else { Exit::Done })
}
