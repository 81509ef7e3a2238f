//! Whether a text is Python.
//!
//! The grammar is tree-sitter's, which knows every version of the language at once: what an image's own
//! Python takes is not refused here because this machine's is another.

use tree_sitter::{Node, Parser};

/// Where a text stops to be Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotPython {
    /// The line, from 0.
    pub(crate) line: usize,
    /// What is wrong there, where more than that is known.
    pub(crate) missing: Option<String>,
}

/// The first place at which `text` is not Python. Text with template code (`{{ … }}`) is not judged: what it
/// becomes is not known yet.
pub(crate) fn check(text: &str) -> Option<NotPython> {
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .ok()?;
    let tree = parser.parse(text, None)?;
    let root = tree.root_node();
    root.has_error().then(|| first(root)).flatten()
}

/// The first node that is an error, or that had to be made up.
fn first(node: Node<'_>) -> Option<NotPython> {
    if node.is_missing() {
        return Some(NotPython {
            line: node.start_position().row,
            missing: Some(node.kind().to_owned()).filter(|kind| !kind.is_empty()),
        });
    }
    // Within a larger error, the innermost one says where.
    let mut cursor = node.walk();
    let inner = node
        .children(&mut cursor)
        .filter(Node::has_error)
        .find_map(first);
    inner.or_else(|| {
        node.is_error().then(|| NotPython {
            line: node.start_position().row,
            missing: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    fn line(text: &str) -> Option<usize> {
        check(text).map(|error| error.line)
    }

    #[test]
    fn what_is_python_is_let_through() {
        for text in [
            "",
            "# only a word\n",
            "FEATURES['A'] = True\nX = f\"{d[\"a\"]}\"\n",
            "def f(a, /, b, *, c=1):\n    match a:\n        case [1, *_]:\n            return (x := b)\n",
            "LOGGING = {\n    'version': 1,\n}\nassert 'é' != \"it's\"",
            "A = {{ LMS_HOST }}",
            "print('a'); X: list[int] = [1]\n@d\nasync def g(): await h()\n",
        ] {
            assert_eq!(check(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_is_found_where_it_stands() {
        assert_eq!(line("A = 1\nB = = 2\n"), Some(1));
        assert_eq!(line("A = {'a': 1\n"), Some(0));
        assert_eq!(line("X = 1\nif X\n    Y = 2\n"), Some(1));
        assert_eq!(line("A = 'open\n"), Some(0));
        assert!(line("def f():\nreturn 1 +\n").is_some());
    }
}
