//! The reference pages of `docs/reference/`: the keys of every file, and the rules of the check.

use std::fmt::Write as _;

use grove_fleet::shape::{Choice, FileKind, Key, Keys, Support, Type};

use crate::{Severity, rules};

/// Every page: its file's name, and its text as Markdown.
pub fn pages() -> Vec<(String, String)> {
    let kinds = FileKind::ALL.into_iter();
    let mut pages: Vec<(String, String)> = kinds
        .map(|kind| (format!("{}.md", kind.name()), keys(kind)))
        .collect();
    pages.push(("rules.md".to_owned(), all_rules()));
    pages
}

fn keys(kind: FileKind) -> String {
    let shape = kind.shape();
    let mut text = format!(
        "# `{}`\n\n{}\n\n| key | value | what it means |\n| --- | --- | --- |\n",
        shape.path, shape.doc
    );
    let mut layers = false;
    rows(
        &mut text,
        shape.keys,
        "",
        kind == FileKind::Instance,
        &mut layers,
    );
    if kind == FileKind::Instance {
        text.push_str(
            "\nKeys marked ↧ are layered: fleet, ring, cluster and groups give them under `defaults` (a group at \
             its top), and later layers win, key by key. `null` takes away what an earlier layer gave.\n",
        );
    } else if layers {
        text.push_str("\nLayered keys are those marked ↧ in [`instance.yaml`](instance.md).\n");
    }
    text
}

/// A row for each key, those below it after it.
fn rows(text: &mut String, keys: Keys, above: &str, with_layered: bool, layers: &mut bool) {
    let mut collapsed = false;
    for key in keys.iter().flat_map(|group| group.iter()) {
        if key.support != Support::Now {
            continue;
        }
        if key.layered && !with_layered {
            if !collapsed {
                let _ = writeln!(text, "| `{above}…` | | Any layered key. |");
                collapsed = true;
                *layers = true;
            }
            continue;
        }
        let path = format!("{above}{}", key.name);
        let mark = if key.layered { " ↧" } else { "" };
        let must = if key.required { ", required" } else { "" };
        let _ = writeln!(
            text,
            "| `{path}`{mark} | {}{must} | {}{} |",
            kind_of(&key.holds),
            escaped(key.doc),
            choices(key)
        );
        below(text, &key.holds, &path, with_layered, layers);
    }
}

fn below(text: &mut String, holds: &Type, path: &str, with_layered: bool, layers: &mut bool) {
    match holds {
        Type::Object(keys) => rows(text, keys, &format!("{path}."), with_layered, layers),
        Type::Map(holds) => below(text, holds, &format!("{path}.*"), with_layered, layers),
        Type::List(holds) => below(text, holds, &format!("{path}[]"), with_layered, layers),
        Type::Either(usual, other) => {
            below(text, usual, path, with_layered, layers);
            below(text, other, path, with_layered, layers);
        }
        _ => {}
    }
}

fn kind_of(holds: &Type) -> String {
    match holds {
        Type::Text => "text".to_owned(),
        Type::Bool => "`true` or `false`".to_owned(),
        Type::Exactly(only) => format!("`{only}`"),
        Type::Number(least, most) => format!("number, {least} to {most}"),
        Type::Quantity => "amount, as `500m` or `2Gi`".to_owned(),
        Type::OneOf(_) => "word".to_owned(),
        Type::Object(_) => "map".to_owned(),
        Type::Map(holds) => match holds {
            Type::Object(_) | Type::Any => "map of names".to_owned(),
            holds => format!("map of names: {}", kind_of(holds)),
        },
        Type::List(holds) => match holds {
            Type::Object(_) => "list of maps".to_owned(),
            holds => format!("list: {}", kind_of(holds)),
        },
        Type::Either(usual, other) => format!("{}, or {}", kind_of(usual), kind_of(other)),
        Type::Any => "any value".to_owned(),
    }
}

/// The words that a key may have, with what they mean.
fn choices(key: &Key) -> String {
    let mut all: &[Choice] = &[];
    let mut holds = &key.holds;
    loop {
        holds = match holds {
            Type::OneOf(choices) => {
                all = choices;
                break;
            }
            Type::Map(inner) | Type::List(inner) => inner,
            _ => break,
        };
    }
    let known = all.iter().filter(|choice| choice.support == Support::Now);
    known.fold(String::new(), |mut text, choice| {
        let _ = write!(text, "<br>`{}`: {}", choice.value, escaped(choice.doc));
        text
    })
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn all_rules() -> String {
    let mut text = "# Rules of `grove check`\n\nAn error stops a deploy, a warning does not. `grove rule ID` shows \
                    the same.\n"
        .to_owned();
    let mut sorted: Vec<_> = rules::ALL.iter().collect();
    sorted.sort_by_key(|rule| rule.id);
    for rule in sorted {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let _ = write!(
            text,
            "\n## {}\n\n*{severity}*: {}.\n\n{}\n",
            rule.id,
            rule.summary,
            rule.documentation.trim()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::pages;

    #[test]
    fn every_kind_of_file_has_a_page_and_rows_have_three_cells() {
        let pages = pages();
        assert_eq!(pages.len(), 6);
        for (name, text) in &pages {
            for row in text.lines().filter(|line| line.starts_with('|')) {
                assert_eq!(
                    row.replace("\\|", "").matches('|').count(),
                    4,
                    "{name}: {row}"
                );
            }
        }
        let (_, instance) = &pages[4];
        assert!(instance.contains("| `data.bucket.name` | text | "));
        let (_, group) = &pages[2];
        assert!(!group.contains("data.bucket"));
    }
}
