//! From the parser's events to the tree, without recursion.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::{Limits, MAX_DEPTH, Problem, ProblemKind, scalar};
use crate::{Entry, Node, Span, Value};

/// How many documents are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// One; a second is a problem.
    AfterFirst,
    /// All of the stream.
    AtEnd,
}

/// Reads the documents of a text; what is wrong is added to `problems`.
pub(super) fn documents(
    text: &str,
    limits: Limits,
    stop: Stop,
    problems: &mut Vec<Problem>,
) -> Vec<Node> {
    let depth = limits.depth.min(MAX_DEPTH);
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: depth,
        block_nesting_limit: depth,
    };
    let mut builder = Builder {
        text,
        depth,
        nodes_left: limits.nodes,
        repeated_left: limits.bytes,
        stack: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        problems,
    };
    let mut documents = Vec::new();
    let mut started = 0;
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((Event::DocumentStart(..), span)) => {
                started += 1;
                if started > 1 && stop == Stop::AfterFirst {
                    builder.problem(
                        ProblemKind::Syntax,
                        builder.span(span),
                        "the file holds more than one document".to_owned(),
                    );
                    Err(Halt)
                } else {
                    Ok(())
                }
            }
            Ok((Event::DocumentEnd, _)) => {
                documents.extend(builder.root.take());
                builder.anchors.clear();
                Ok(())
            }
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                builder.scan_error(&error);
                Err(Halt)
            }
        };
        if step.is_err() {
            break;
        }
    }
    builder.close_all();
    documents.extend(builder.root.take());
    if stop == Stop::AfterFirst {
        documents.truncate(1);
    }
    documents.retain(|node| !(node.value == Value::Null && node.span.start == node.span.end));
    documents
}

/// Reading cannot go on; the problem was noted.
struct Halt;

/// A collection that is being read.
struct Frame {
    open: Open,
    /// Where it starts in the text, if it has a bracket of its own.
    start: Option<usize>,
    /// Its anchor, 0 for none.
    anchor: usize,
    /// Where its opening event stands.
    at: Span,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Key },
}

/// What a map waits for.
enum Key {
    /// The next key.
    Awaited,
    /// The value of this key.
    Known(String, Span),
    /// A value that is thrown away, since its key cannot be used.
    Unusable,
}

/// An anchored node and what repeating it costs.
struct Anchored {
    node: Node,
    size: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    text: usize,
    depth: usize,
}

struct Builder<'a> {
    text: &'a str,
    depth: usize,
    nodes_left: usize,
    /// Bytes of text that anchors and aliases may still copy.
    repeated_left: usize,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) -> Result<(), Halt> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let at = self.scalar_span(span, style);
                self.charge(1, 0, at)?;
                let value = self.scalar(&text, style, tag.as_deref(), at);
                self.complete(Node { value, span: at }, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(Open::List(Vec::new()), style, anchor, tag.as_deref(), span)
            }
            Event::MappingStart(style, anchor, tag) => self.open(
                Open::Map {
                    entries: Vec::new(),
                    key: Key::Awaited,
                },
                style,
                anchor,
                tag.as_deref(),
                span,
            ),
            Event::SequenceEnd | Event::MappingEnd => self.close(Some(self.span(span))),
            Event::Alias(id) => self.alias(id, self.span(span)),
            Event::UnresolvedAlias(name) => {
                let at = self.span(span);
                self.problem(
                    ProblemKind::Syntax,
                    at,
                    format!("no anchor `&{name}` stands before this alias"),
                );
                self.charge(1, 0, at)?;
                self.complete(
                    Node {
                        value: Value::Null,
                        span: at,
                    },
                    0,
                )
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Span) -> Value {
        let plain = style == ScalarStyle::Plain;
        let Some(tag) = tag else {
            if !plain {
                return Value::String(text.to_owned());
            }
            let (value, wrong) = scalar::resolve(text);
            if let Some(wrong) = wrong {
                // The text itself is not named: it may be a secret.
                self.problem(ProblemKind::Syntax, at, format!("this number {wrong}"));
            }
            return value;
        };
        let (value, _) = scalar::resolve(text);
        let matches = match tag.core_suffix() {
            Some("str") => return Value::String(text.to_owned()),
            Some("null") => value == Value::Null,
            Some("bool") => matches!(value, Value::Bool(_)),
            Some("int") => matches!(&value, Value::Number(number) if !number.is_f64()),
            Some("float") => matches!(value, Value::Number(_)),
            Some(_) => false,
            None if tag.parts() == ("", "!") || tag.parts() == ("!", "") => {
                return Value::String(text.to_owned());
            }
            None => {
                self.foreign_tag(tag, at);
                return Value::String(text.to_owned());
            }
        };
        if matches {
            return value;
        }
        self.problem(
            ProblemKind::Syntax,
            at,
            format!("the value is not what its tag `{}` says", tag.original()),
        );
        Value::String(text.to_owned())
    }

    fn foreign_tag(&mut self, tag: &Tag, at: Span) {
        self.problem(
            ProblemKind::Syntax,
            at,
            format!(
                "the tag `{}` is not one of YAML's core schema",
                tag.original()
            ),
        );
    }

    fn open(
        &mut self,
        open: Open,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: granit_parser::Span,
    ) -> Result<(), Halt> {
        let at = self.span(span);
        self.charge(1, 0, at)?;
        self.check_depth(self.stack.len() + 1, at)?;
        if let Some(tag) = tag {
            let fits = match tag.core_suffix() {
                Some("map") => matches!(open, Open::Map { .. }),
                Some("seq") => matches!(open, Open::List(_)),
                Some(_) => false,
                None => tag.parts() == ("", "!") || tag.parts() == ("!", ""),
            };
            if !fits {
                self.foreign_tag(tag, at);
            }
        }
        let start = (style == StructureStyle::Flow).then_some(at.start);
        self.stack.push(Frame {
            open,
            start,
            anchor,
            at,
        });
        Ok(())
    }

    /// Ends the innermost collection; `end` is its closing event, none after an error.
    fn close(&mut self, end: Option<Span>) -> Result<(), Halt> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let (first, last) = match &frame.open {
            Open::List(nodes) => (
                nodes.first().map(|node| node.span.start),
                nodes.last().map(|node| node.span.end),
            ),
            Open::Map { entries, .. } => (
                entries.first().map(|entry| entry.key_span.start),
                entries
                    .last()
                    .map(|entry| entry.value.span.end.max(entry.key_span.end)),
            ),
        };
        let span = match frame.start {
            Some(start) => Span {
                start,
                end: end.map_or_else(|| last.unwrap_or(start), |end| end.end),
            },
            None => Span {
                start: match (&frame.open, first) {
                    // The event of a list at its key's own indentation stands behind the dash.
                    (Open::List(_), Some(first)) => self
                        .text
                        .get(..first)
                        .and_then(|before| before.rfind('-'))
                        .map_or(frame.at.start, |dash| dash.min(frame.at.start)),
                    (_, first) => first.unwrap_or(frame.at.start),
                },
                end: last.unwrap_or(frame.at.start),
            },
        };
        let value = match frame.open {
            Open::List(nodes) => Value::List(nodes),
            Open::Map { entries, .. } => Value::Map(self.unique(entries)),
        };
        // After an error nothing can be repeated any more.
        let anchor = if end.is_some() { frame.anchor } else { 0 };
        self.complete(Node { value, span }, anchor)
    }

    /// The entries without those whose key came before; each of these is a problem.
    fn unique(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let mut repeated = repeated_keys(&entries);
        if repeated.is_empty() {
            return entries;
        }
        for (index, first) in &repeated {
            if let (Some(entry), Some(first)) = (entries.get(*index), entries.get(*first)) {
                self.problems.push(Problem {
                    kind: ProblemKind::DuplicateKey,
                    span: entry.key_span,
                    message: format!("the key `{}` stands here twice", entry.key),
                    related: Some(first.key_span),
                });
            }
        }
        repeated.sort_unstable();
        let mut index = 0;
        entries.retain(|_| {
            let keep = repeated
                .binary_search_by_key(&index, |(index, _)| *index)
                .is_err();
            index += 1;
            keep
        });
        entries
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<(), Halt> {
        let Some(anchored) = self.anchors.get(&id) else {
            self.problem(
                ProblemKind::Syntax,
                at,
                "the alias stands inside what it repeats".to_owned(),
            );
            self.charge(1, 0, at)?;
            return self.complete(
                Node {
                    value: Value::Null,
                    span: at,
                },
                0,
            );
        };
        let size = anchored.size;
        self.charge(size.nodes, size.text, at)?;
        self.check_depth(self.stack.len() + size.depth, at)?;
        let value = self
            .anchors
            .get(&id)
            .map_or(Value::Null, |anchored| anchored.node.value.clone());
        self.complete(Node { value, span: at }, 0)
    }

    /// Hands a finished node to what encloses it.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Halt> {
        if anchor != 0 {
            let size = size(&node);
            self.charge(size.nodes, size.text, node.span)?;
            self.anchors.insert(
                anchor,
                Anchored {
                    node: node.clone(),
                    size,
                },
            );
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.open {
            Open::List(nodes) => nodes.push(node),
            Open::Map { entries, key } => match std::mem::replace(key, Key::Awaited) {
                Key::Known(text, key_span) => entries.push(Entry {
                    key: text,
                    key_span,
                    value: node,
                }),
                Key::Unusable => {}
                Key::Awaited => {
                    let (next, problem) = usable_key(node, self.text);
                    *key = next;
                    self.problems.extend(problem);
                }
            },
        }
        Ok(())
    }

    fn close_all(&mut self) {
        while !self.stack.is_empty() {
            // It can only fail where anchors are counted, and none are any more.
            self.close(None).ok();
        }
    }

    fn charge(&mut self, nodes: usize, text: usize, at: Span) -> Result<(), Halt> {
        if let (Some(nodes_left), Some(repeated_left)) = (
            self.nodes_left.checked_sub(nodes),
            self.repeated_left.checked_sub(text),
        ) {
            self.nodes_left = nodes_left;
            self.repeated_left = repeated_left;
            return Ok(());
        }
        self.problem(
            ProblemKind::Limit,
            at,
            "the file holds more values than are read, aliases counted".to_owned(),
        );
        Err(Halt)
    }

    fn check_depth(&mut self, depth: usize, at: Span) -> Result<(), Halt> {
        if depth <= self.depth {
            return Ok(());
        }
        self.too_deep(at);
        Err(Halt)
    }

    fn too_deep(&mut self, at: Span) {
        self.problem(
            ProblemKind::Limit,
            at,
            format!("the file is nested deeper than {} levels", self.depth),
        );
    }

    fn scan_error(&mut self, error: &granit_parser::ScanError) {
        let start = error
            .marker()
            .byte_offset()
            .unwrap_or(0)
            .min(self.text.len());
        let at = Span {
            start,
            end: start
                + self
                    .text
                    .get(start..)
                    .and_then(|rest| rest.chars().next())
                    .filter(|character| !matches!(character, '\n' | '\r'))
                    .map_or(0, char::len_utf8),
        };
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            self.too_deep(at);
        } else {
            self.problem(ProblemKind::Syntax, at, error.kind().to_string());
        }
    }

    fn problem(&mut self, kind: ProblemKind, span: Span, message: String) {
        self.problems.push(Problem {
            kind,
            span,
            message,
            related: None,
        });
    }

    fn span(&self, span: granit_parser::Span) -> Span {
        let end = self.text.len();
        let start = span.start.byte_offset().unwrap_or(end).min(end);
        Span {
            start,
            end: span.end.byte_offset().unwrap_or(end).clamp(start, end),
        }
    }

    /// A scalar's bytes: with the head of a block scalar (the event starts at its first line), but
    /// without line breaks behind it that are not part of it.
    fn scalar_span(&self, span: granit_parser::Span, style: ScalarStyle) -> Span {
        let Span { start, end } = self.span(span);
        let mut written = self.text.get(start..end).unwrap_or_default();
        let breaks = ['\n', '\r'];
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                // The event ends where the next token starts: behind that line's indentation.
                if end < self.text.len() {
                    written = written.trim_end_matches(' ');
                }
                let head = self.block_head(start).unwrap_or(start);
                let keeps_breaks = self
                    .text
                    .get(head..)
                    .and_then(|text| text.lines().next())
                    .is_some_and(|line| line.contains('+'));
                let end = if keeps_breaks {
                    start + written.strip_suffix('\n').unwrap_or(written).len()
                } else {
                    start + written.trim_end_matches(breaks).len()
                };
                Span { start: head, end }
            }
            ScalarStyle::Plain => Span {
                start,
                end: start + written.trim_end().len(),
            },
            _ => Span { start, end },
        }
    }

    /// The `|` or `>` of the block scalar whose content starts at a byte.
    fn block_head(&self, content: usize) -> Option<usize> {
        let before = self.text.get(..content)?.trim_end();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.get(line_start..)?;
        line.match_indices(['|', '>'])
            .map(|(at, _)| at)
            .find(|at| {
                let behind = line.get(at + 1..).unwrap_or_default();
                let behind = behind.trim_start_matches(|character: char| {
                    matches!(character, '+' | '-' | '0'..='9')
                });
                behind.is_empty()
                    || behind.trim_start().starts_with('#') && !behind.starts_with('#')
            })
            .map(|at| line_start + at)
    }
}

/// The places of entries whose key came before, each with the place of the first such key.
fn repeated_keys(entries: &[Entry]) -> Vec<(usize, usize)> {
    /// Up to here, comparing each with each is faster than sorting.
    const FEW: usize = 12;

    let mut repeated = Vec::new();
    if entries.len() <= FEW {
        for (index, entry) in entries.iter().enumerate().skip(1) {
            let before = entries.iter().take(index);
            if let Some(first) = before.into_iter().position(|other| other.key == entry.key) {
                repeated.push((index, first));
            }
        }
        return repeated;
    }
    let mut order = entries.iter().enumerate().collect::<Vec<_>>();
    // A stable sort: the first of equal keys stays the first.
    order.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
    let mut first: Option<(usize, &Entry)> = None;
    for (index, entry) in order {
        match first {
            Some((first, known)) if known.key == entry.key => repeated.push((index, first)),
            _ => first = Some((index, entry)),
        }
    }
    repeated
}

/// Turns a node into a key, or says why it cannot be one.
fn usable_key(node: Node, text: &str) -> (Key, Option<Problem>) {
    let written = text.get(node.span.start..node.span.end).unwrap_or_default();
    let problem = |message: String| {
        Some(Problem {
            kind: ProblemKind::Syntax,
            span: node.span,
            message,
            related: None,
        })
    };
    match node.value {
        Value::String(_) if written == "<<" => (
            Key::Unusable,
            problem("merge keys (`<<`) are not used here; layers do their work".to_owned()),
        ),
        Value::String(key) => (Key::Known(key, node.span), None),
        Value::Null if written.is_empty() => {
            (Key::Unusable, problem("a key is missing".to_owned()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => (
            Key::Known(written.to_owned(), node.span),
            problem(format!("the key `{written}` is not text; quote it")),
        ),
        Value::List(_) | Value::Map(_) => (
            Key::Unusable,
            problem("a list or map cannot be a key".to_owned()),
        ),
    }
}

/// What repeating a node costs. Recursion is bounded by the depth limit.
fn size(node: &Node) -> Size {
    let mut total = Size {
        nodes: 1,
        text: 0,
        depth: 0,
    };
    let mut add = |child: Size, key: usize| {
        total.nodes += child.nodes;
        total.text += child.text + key;
        total.depth = total.depth.max(child.depth);
    };
    match &node.value {
        Value::String(text) => total.text = text.len(),
        Value::List(nodes) => {
            for node in nodes {
                add(size(node), 0);
            }
            total.depth += 1;
        }
        Value::Map(entries) => {
            for entry in entries {
                add(size(&entry.value), entry.key.len());
            }
            total.depth += 1;
        }
        _ => {}
    }
    total
}
