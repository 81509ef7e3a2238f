//! What a file says that its table does not allow.

use grove_yaml::{Node, Span, Value};

use super::{
    FileKind,
    table::{Keys, Type, find},
};
use crate::words::{Choice, Support};
use crate::{Quantity, near::nearest};

/// One place of a file that does not fit the table of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which way it does not fit.
    pub kind: MisfitKind,
    /// The keys that lead to it, list places as numbers; for a missing key, the key included.
    pub path: Vec<String>,
    /// Where: the key for a wrong or missing key (then of the map that misses it), else the value.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The ways not to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MisfitKind {
    /// A key that no version knows.
    UnknownKey,
    /// A value of another type, or none of the texts that it may be.
    WrongType,
    /// A key that must be there.
    MissingKey,
    /// A key or value that only a later version renders.
    NotYet,
}

/// Everything in a file that does not fit, in the order of the file.
///
/// What layers give may be `null`, which takes away what earlier layers gave.
pub fn misfits(kind: FileKind, root: &Node) -> Vec<Misfit> {
    let mut walk = Walk {
        path: Vec::new(),
        found: Vec::new(),
    };
    let layers = kind == FileKind::Group;
    walk.object(kind.shape().keys, root, None, layers);
    walk.found.sort_by_key(|misfit| misfit.span);
    walk.found
}

struct Walk {
    path: Vec<String>,
    found: Vec<Misfit>,
}

impl Walk {
    /// `within` is true below a layered key, where `null` takes away.
    fn value(&mut self, holds: &Type, node: &Node, key: Option<Span>, within: bool) {
        if within && node.value == Value::Null {
            return;
        }
        match (holds, &node.value) {
            (Type::Any, _) | (Type::Text, Value::String(_)) | (Type::Bool, Value::Bool(_)) => {}
            (Type::Exactly(only), Value::Number(number)) if number.as_u64() == Some(*only) => {}
            (Type::Number(least, most), Value::Number(number))
                if number
                    .as_u64()
                    .is_some_and(|number| (*least..=*most).contains(&number)) => {}
            (Type::Quantity, value) if Quantity::of(value).is_some() => {}
            (Type::OneOf(choices), Value::String(text)) => self.choice(choices, text, node),
            (Type::Object(keys), Value::Map(_)) => self.object(keys, node, key, within),
            (Type::Map(holds), Value::Map(entries)) => {
                for entry in entries {
                    self.path.push(entry.key.clone());
                    self.value(holds, &entry.value, Some(entry.key_span), within);
                    self.path.pop();
                }
            }
            (Type::List(holds), Value::List(nodes)) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.path.push(index.to_string());
                    self.value(holds, node, None, false);
                    self.path.pop();
                }
            }
            (Type::Either(usual, other), value) => {
                let holds = if matches!(value, Value::Map(_)) {
                    other
                } else {
                    usual
                };
                self.value(holds, node, key, within);
            }
            (holds, value) => self.wrong_type(holds, value, node),
        }
    }

    fn object(&mut self, keys: Keys, node: &Node, key: Option<Span>, within: bool) {
        let Value::Map(entries) = &node.value else {
            self.wrong_type(&Type::Object(keys), &node.value, node);
            return;
        };
        for entry in entries {
            self.path.push(entry.key.clone());
            match find(keys, &entry.key) {
                None => self.unknown(keys, &entry.key, entry.key_span),
                Some(known) if known.support == Support::NotYet => self.add(
                    MisfitKind::NotYet,
                    entry.key_span,
                    format!(
                        "`{}` is not rendered by this version yet",
                        self.path.join(".")
                    ),
                    Some("take it out, or use a version of Grove that renders it".to_owned()),
                ),
                Some(known) => self.value(
                    &known.holds,
                    &entry.value,
                    Some(entry.key_span),
                    within || known.layered,
                ),
            }
            self.path.pop();
        }
        for known in keys.iter().flat_map(|group| group.iter()) {
            if known.required && node.get(known.name).is_none() {
                self.path.push(known.name.to_owned());
                self.add(
                    MisfitKind::MissingKey,
                    key.unwrap_or(Span {
                        start: node.span.start,
                        end: node.span.start,
                    }),
                    format!("`{}` is missing", self.path.join(".")),
                    Some(known.doc.to_owned()),
                );
                self.path.pop();
            }
        }
    }

    fn unknown(&mut self, keys: Keys, name: &str, span: Span) {
        let names = || {
            keys.iter()
                .flat_map(|group| group.iter())
                .map(|key| key.name)
        };
        let is_tutor_key = name.len() > 2
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        let hint = if is_tutor_key && find(keys, "config").is_some() {
            Some("keys of Tutor go under `config`".to_owned())
        } else if name == "defaults" && find(keys, "config").is_some() {
            Some("what stands under `defaults` elsewhere stands at the top here".to_owned())
        } else if let Some(near) = nearest(name, names()) {
            Some(format!("there is a key `{near}`"))
        } else {
            let known = names().collect::<Vec<_>>();
            (!known.is_empty() && known.len() <= 8)
                .then(|| format!("the keys here are {}", list(&known)))
        };
        self.add(
            MisfitKind::UnknownKey,
            span,
            format!("there is no key `{name}` here"),
            hint,
        );
    }

    fn choice(&mut self, choices: &[Choice], text: &str, node: &Node) {
        match choices.iter().find(|choice| choice.value == text) {
            Some(choice) if choice.support != Support::NotYet => {}
            Some(_) => self.add(
                MisfitKind::NotYet,
                node.span,
                format!(
                    "`{}: {text}` is not rendered by this version yet",
                    self.path.join(".")
                ),
                None,
            ),
            None => {
                let values = possible(choices);
                let hint = match nearest(text, values.iter().copied()) {
                    Some(near) => format!("`{near}` is one that it can be"),
                    None => format!("it can be {}", list(&values)),
                };
                self.add(
                    MisfitKind::WrongType,
                    node.span,
                    format!("`{}` cannot be `{text}`", self.path.join(".")),
                    Some(hint),
                );
            }
        }
    }

    fn wrong_type(&mut self, holds: &Type, value: &Value, node: &Node) {
        let wanted = match holds {
            Type::Text | Type::OneOf(_) => "text",
            Type::Bool => "true or false",
            Type::Exactly(_) => "a known number",
            Type::Number(..) => "a whole number",
            Type::Quantity => "an amount",
            Type::Object(_) | Type::Map(_) => "a map",
            Type::List(_) => "a list",
            Type::Either(..) | Type::Any => "a value",
        };
        let (found, scalar) = match value {
            Value::Null => ("empty", false),
            Value::Bool(_) => ("true or false", true),
            Value::Number(_) => ("a number", true),
            Value::String(_) => ("text", true),
            Value::List(_) => ("a list", false),
            Value::Map(_) => ("a map", false),
        };
        let what = match self.path.as_slice() {
            [] => "the file".to_owned(),
            path => format!("`{}`", path.join(".")),
        };
        let hint = match holds {
            Type::Text if scalar => Some("quote it".to_owned()),
            Type::OneOf(choices) => Some(format!("it can be {}", list(&possible(choices)))),
            Type::Exactly(only) => Some(format!("it can be {only}")),
            Type::Number(least, most) => Some(format!("it can be {least} to {most}")),
            Type::Quantity => Some(Quantity::HINT.to_owned()),
            _ => None,
        };
        let message = match holds {
            Type::Exactly(_) if scalar => format!("{what} is not a number that this version knows"),
            Type::Number(..) if matches!(value, Value::Number(_)) => {
                format!("{what} is a number that it cannot be")
            }
            Type::Quantity if scalar => format!("{what} is no amount"),
            _ => format!("{what} is {found}, not {wanted}"),
        };
        self.add(MisfitKind::WrongType, node.span, message, hint);
    }

    fn add(&mut self, kind: MisfitKind, span: Span, message: String, hint: Option<String>) {
        self.found.push(Misfit {
            kind,
            path: self.path.clone(),
            span,
            message,
            hint,
        });
    }
}

/// The texts that this version knows what to do with.
fn possible(choices: &[Choice]) -> Vec<&'static str> {
    choices
        .iter()
        .filter(|choice| choice.support == Support::Now)
        .map(|choice| choice.value)
        .collect()
}

fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
