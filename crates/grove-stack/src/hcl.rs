//! The language's text, as `tofu fmt` formats it.

use std::fmt::Write as _;

/// A value or an expression.
pub(crate) enum Expression {
    /// Text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// An expression, as it is written.
    Raw(&'static str),
    /// A map of one level.
    Map(Vec<(&'static str, Expression)>),
}

/// A block: its type and labels, then what it holds.
pub(crate) struct Block {
    pub(crate) head: String,
    pub(crate) arguments: Vec<(&'static str, Expression)>,
    pub(crate) blocks: Vec<Block>,
}

impl Block {
    pub(crate) fn new(head: impl Into<String>) -> Self {
        Self {
            head: head.into(),
            arguments: Vec::new(),
            blocks: Vec::new(),
        }
    }

    pub(crate) fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.arguments.push((name, Expression::Text(value.into())));
        self
    }

    pub(crate) fn yes(mut self, name: &'static str) -> Self {
        self.arguments.push((name, Expression::Bool(true)));
        self
    }

    pub(crate) fn raw(mut self, name: &'static str, value: &'static str) -> Self {
        self.arguments.push((name, Expression::Raw(value)));
        self
    }

    pub(crate) fn map(mut self, name: &'static str, key: &'static str, value: String) -> Self {
        let map = Expression::Map(vec![(key, Expression::Text(value))]);
        self.arguments.push((name, map));
        self
    }

    pub(crate) fn block(mut self, block: Self) -> Self {
        self.blocks.push(block);
        self
    }

    pub(crate) fn write(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        // Nothing can fail that writes to a text.
        let _ = writeln!(text, "{indent}{} {{", self.head);
        arguments(&self.arguments, text, depth + 1);
        for (index, block) in self.blocks.iter().enumerate() {
            if index > 0 || !self.arguments.is_empty() {
                text.push('\n');
            }
            block.write(text, depth + 1);
        }
        let _ = writeln!(text, "{indent}}}");
    }
}

/// Equal signs stand below each other in runs of arguments of one line.
fn arguments(list: &[(&'static str, Expression)], text: &mut String, depth: usize) {
    let indent = "  ".repeat(depth);
    let is_long = |value: &Expression| matches!(value, Expression::Map(_));
    for run in list.chunk_by(|(_, one), (_, two)| !is_long(one) && !is_long(two)) {
        let width = run.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in run {
            let _ = write!(text, "{indent}{name:width$} = ");
            expression(value, text, depth);
            text.push('\n');
        }
    }
}

fn expression(value: &Expression, text: &mut String, depth: usize) {
    match value {
        Expression::Text(value) => text.push_str(&quoted(value)),
        Expression::Bool(value) => {
            let _ = write!(text, "{value}");
        }
        Expression::Raw(value) => text.push_str(value),
        Expression::Map(entries) => {
            text.push_str("{\n");
            arguments(entries, text, depth + 1);
            text.push_str(&"  ".repeat(depth));
            text.push('}');
        }
    }
}

/// Text in quotes in which nothing is evaluated.
pub(crate) fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // `${` and `%{` begin a template.
            '$' | '%' if rest.peek() == Some(&'{') => {
                text.push(c);
                text.push(c);
            }
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_formatted_and_text_is_only_text() {
        let block = Block::new("terraform")
            .text("required_version", ">= 1.6")
            .block(
                Block::new("backend \"s3\"")
                    .text("key", "a\"b\n${x}")
                    .yes("use_lockfile")
                    .map("endpoints", "s3", "u".to_owned())
                    .raw("x", "var.x"),
            );
        let mut text = String::new();
        block.write(&mut text, 0);
        insta::assert_snapshot!(text, @r#"
        terraform {
          required_version = ">= 1.6"

          backend "s3" {
            key          = "a\"b\n$${x}"
            use_lockfile = true
            endpoints = {
              s3 = "u"
            }
            x = var.x
          }
        }
        "#);
    }
}
