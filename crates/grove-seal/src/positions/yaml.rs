//! YAML.

use grove_yaml::{Limits, Node, Span, Value};

use super::Place;
use crate::Form;

const COMMENT: Place = Place::new("a YAML comment", Form::Quotable);
const QUOTED: Place = Place::new("a quoted YAML text", Form::Quotable);
const BLOCK: Place = Place::new("a line of a YAML block", Form::Line);
const PLAIN: Place = Place::filled("a YAML text without quotes", Form::Word);
const PART: Place = Place::new("part of a YAML text without quotes", Form::Token);

/// The place of each placeholder; none where the text is not YAML.
pub(super) fn places(text: &str, marks: &[(usize, &str)]) -> Option<Vec<Place>> {
    // A plain scalar cannot start with `@`: words of the same length stand in.
    let mut stand_in = text.to_owned();
    for (at, name) in marks {
        let length = name.len() + 4;
        stand_in.replace_range(*at..at + length, &"x".repeat(length));
    }
    let parsed = grove_yaml::parse(stand_in.as_bytes(), Limits::default());
    if !parsed.problems.is_empty() {
        return None;
    }
    let mut spans = Vec::new();
    collect(&parsed.root?, &mut spans);
    let place = |(at, name): &(usize, &str)| {
        let holds = |span: &&Span| span.start <= *at && *at < span.end;
        let Some(span) = spans.iter().find(holds) else {
            return COMMENT;
        };
        match text.get(span.start..span.end).unwrap_or_default() {
            scalar if scalar.starts_with(['"', '\'']) => QUOTED,
            scalar if scalar.starts_with(['|', '>']) || scalar.contains('\n') => BLOCK,
            scalar if scalar.len() == name.len() + 4 => PLAIN,
            _ => PART,
        }
    };
    Some(marks.iter().map(place).collect())
}

/// Where the keys and scalars stand.
fn collect(node: &Node, spans: &mut Vec<Span>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                spans.push(entry.key_span);
                collect(&entry.value, spans);
            }
        }
        Value::List(nodes) => nodes.iter().for_each(|node| collect(node, spans)),
        _ => spans.push(node.span),
    }
}
