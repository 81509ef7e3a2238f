//! Files that the program makes of itself and that are committed. A new one is an entry in
//! [`files`].

use std::process::Command;

use anyhow::{Context as _, Result};
use grove_exec::sandbox::calls;

use crate::{context::Context, process};

/// A generated file: its path in the repository, and its text as the program makes it now.
struct File {
    path: String,
    text: String,
}

fn files(context: &Context) -> Result<Vec<File>> {
    let grove = context.build()?.grove()?;
    // Without a kind it lists the kinds.
    let kinds = process::read(Command::new(grove).arg("schema"))?;
    let schema = |kind: &str| {
        let text = process::read(Command::new(grove).args(["schema", kind]))?;
        Ok(File {
            path: format!("schemas/{kind}.schema.json"),
            text,
        })
    };
    let mut files: Vec<File> = kinds.lines().map(schema).collect::<Result<_>>()?;
    let pages = grove_check::reference::pages().into_iter();
    files.extend(pages.map(|(name, text)| File {
        path: format!("docs/reference/{name}"),
        text,
    }));
    files.push(isolation(context)?);
    Ok(files)
}

/// The page about what a plugin can reach: its table is at its end, and made of the filter's own.
fn isolation(context: &Context) -> Result<File> {
    let path = "docs/isolation.md";
    let table = calls::table();
    let page = fs_err::read_to_string(context.root.join(path))?;
    let head = table.lines().next().unwrap_or_default();
    let (prose, _) = page
        .split_once(head)
        .context("docs/isolation.md has no table of system calls")?;
    Ok(File {
        path: path.to_owned(),
        text: format!("{prose}{table}"),
    })
}

/// Writes them all.
pub(crate) fn write(context: &Context) -> Result<()> {
    for file in files(context)? {
        let path = context.root.join(&file.path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::write(path, file.text)?;
    }
    Ok(())
}

/// Those whose committed text is not what the program makes now.
pub(crate) fn stale(context: &Context) -> Result<Vec<String>> {
    let stale = |file: File| {
        let committed = fs_err::read_to_string(context.root.join(&file.path)).unwrap_or_default();
        (committed != file.text).then_some(file.path)
    };
    Ok(files(context)?.into_iter().filter_map(stale).collect())
}
