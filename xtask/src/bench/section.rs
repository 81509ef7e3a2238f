//! Sections of a Markdown file that programs write.

use std::path::Path;

use anyhow::{Context as _, Result};

/// Replaces what stands between `<!-- bench NAME -->` and `<!-- end -->`.
pub(super) fn replace(file: &Path, name: &str, text: &str) -> Result<()> {
    let old = fs_err::read_to_string(file)?;
    let new = replaced(&old, name, text)
        .with_context(|| format!("`{}` has no section for `{name}`", file.display()))?;
    Ok(fs_err::write(file, new)?)
}

fn replaced(old: &str, name: &str, text: &str) -> Option<String> {
    let (before, rest) = old.split_once(&format!("<!-- bench {name} -->\n"))?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!(
        "{before}<!-- bench {name} -->\n{text}<!-- end -->{after}"
    ))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn only_the_named_section_changes() {
        let old = "a\n<!-- bench x -->\nold\n<!-- end -->\nb\n<!-- bench y -->\n<!-- end -->\n";
        let new = "a\n<!-- bench x -->\nnew\n<!-- end -->\nb\n<!-- bench y -->\n<!-- end -->\n";
        assert_eq!(replaced(old, "x", "new\n").as_deref(), Some(new));
        assert_eq!(replaced(old, "z", "new\n"), None);
    }
}
