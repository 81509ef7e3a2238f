//! From text with placeholders to the text of a container in which Kubernetes expands variables,
//! and back.
//!
//! The kubelet reads `command`, `args` and the values of `env` once from left to right. `$$`
//! becomes one `$`. `$(`, what follows and the next `)` are the value of the variable of that name
//! where the container has it, and stay as they are where it has not. Nothing that was inserted is
//! read again. So an author's own `$(X)` and `$$` mean what they meant, and a value may hold
//! either; but a shell's `$(…)` around a placeholder would swallow its variable, and is escaped.

use crate::{
    names::VARIABLE,
    placeholder::{self, Piece, pieces},
};

/// The text in which each placeholder became a variable; none where the text already speaks of
/// such a variable.
pub(super) fn to_expansion(text: &str) -> Option<String> {
    if text.contains(&format!("$({VARIABLE}")) {
        return None;
    }
    let mut expansion = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        push(&rest[..at], false, &mut expansion);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expansion.push_str("$$");
            rest = after;
        } else if let Some(after) = rest.strip_prefix('(') {
            match after.split_once(')') {
                Some((name, after)) if !placeholder::any(name) => {
                    expansion.push_str("$(");
                    expansion.push_str(name);
                    expansion.push(')');
                    rest = after;
                }
                // The kubelet would leave all of it alone: so must what it reads now.
                Some((inside, after)) => {
                    expansion.push_str("$$(");
                    push(inside, true, &mut expansion);
                    expansion.push(')');
                    rest = after;
                }
                None => {
                    expansion.push_str("$$(");
                    rest = after;
                }
            }
        } else if matches!(pieces(rest).first(), Some(Piece::Name(_))) {
            expansion.push_str("$$");
        } else {
            expansion.push('$');
        }
    }
    push(rest, false, &mut expansion);
    Some(expansion)
}

/// Writes a text without operators of the kubelet, or, `escaped`, with each `$` meaning itself.
fn push(text: &str, escaped: bool, expansion: &mut String) {
    for piece in pieces(text) {
        match piece {
            Piece::Literal(literal) if escaped => expansion.push_str(&literal.replace('$', "$$")),
            Piece::Literal(literal) => expansion.push_str(literal),
            Piece::Name(name) => {
                expansion.push_str("$(");
                expansion.push_str(VARIABLE);
                expansion.push_str(name);
                expansion.push(')');
            }
        }
    }
}

/// A text whose expansion this is, with placeholders for the variables of this crate.
pub(super) fn from_expansion(expansion: &str) -> String {
    let mut text = String::with_capacity(expansion.len());
    let mut rest = expansion;
    let start = format!("$({VARIABLE}");
    while let Some((before, after)) = rest.split_once(start.as_str()) {
        text.push_str(before);
        let Some((name, after)) = after.split_once(')') else {
            text.push_str(&start);
            rest = after;
            continue;
        };
        text.push_str("@@");
        text.push_str(name);
        text.push_str("@@");
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What the kubelet makes of a text: `Expand` of `k8s.io/kubernetes/third_party/forked/golang`.
#[cfg(test)]
pub(super) fn kubelet(text: &str, variables: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')'))
        {
            out.push_str(&variables(name).unwrap_or_else(|| format!("$({name})")));
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{from_expansion, kubelet, to_expansion};

    #[test]
    fn shell_text_keeps_its_meaning() {
        for (text, expansion) in [
            ("a$@@A@@", "a$$$(GROVE_SECRET_A)"),
            ("a$$@@A@@", "a$$$(GROVE_SECRET_A)"),
            ("-p@@A@@ $(ls) $$ $x", "-p$(GROVE_SECRET_A) $(ls) $$ $x"),
            ("x=$(f \"@@A@@\" $y)", "x=$$(f \"$(GROVE_SECRET_A)\" $$y)"),
            ("$( @@A@@", "$$( $(GROVE_SECRET_A)"),
        ] {
            assert_eq!(to_expansion(text).as_deref(), Some(expansion));
        }
        assert_eq!(to_expansion("$(GROVE_SECRET_A)"), None);
    }

    proptest! {
        /// The container gets the author's text as it would without Grove, the value in its place.
        #[test]
        fn the_container_gets_text_and_value(
            parts in prop::collection::vec(prop_oneof!["[$()a @]{0,6}", Just("@@A@@".to_owned())], 0..8)
        ) {
            let text = parts.concat();
            let own = |name: &str| (name == "a").then(|| "own".to_owned());
            let value = "$(a)$$)";
            let expanded = kubelet(&to_expansion(&text).unwrap(), &|name| {
                own(name).or_else(|| (name == "GROVE_SECRET_A").then(|| value.to_owned()))
            });
            prop_assert_eq!(expanded, kubelet(&text, &own).replace("@@A@@", value));
        }

        #[test]
        fn an_expansion_comes_back(text in "([$()a ]|@@A@@){0,12}") {
            let expansion = to_expansion(&text).unwrap();
            prop_assert_eq!(to_expansion(&from_expansion(&expansion)).unwrap(), expansion);
        }
    }
}
