//! From bytes to the spanned tree, within limits.

mod build;
mod scalar;
#[cfg(test)]
mod tests;

use crate::{Node, Span};

/// How much a document may ask for. Everything beyond is a [`Problem`], never memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest document, in bytes; also the most text that aliases may repeat.
    pub bytes: usize,
    /// Deepest nesting, in levels; more than 250 counts as 250.
    pub depth: usize,
    /// Most nodes, counting what aliases repeat.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            depth: 100,
            nodes: 250_000,
        }
    }
}

/// The deepest nesting that any limit allows: far below what a thread's stack can walk.
const MAX_DEPTH: usize = 250;

/// What a tool's output may ask for, where many documents come at once.
const STREAM_LIMITS: Limits = Limits {
    bytes: 64 << 20,
    depth: MAX_DEPTH,
    nodes: 4_000_000,
};

/// What parsing gives: the tree as far as it could be read, and what was wrong.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The document; none where it is empty or not readable.
    pub root: Option<Node>,
    /// What was wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a document as YAML.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Which kind of thing.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// What, in words.
    pub message: String,
    /// A second place that belongs to it: the first of two equal keys.
    pub related: Option<Span>,
}

/// The kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not YAML, not UTF-8, more than one document, or a key that is not text.
    Syntax,
    /// A key that stands twice in one map.
    DuplicateKey,
    /// Past one of the [`Limits`].
    Limit,
}

/// Parses one document of YAML 1.2.
///
/// Anchors and aliases work and count against the limits; merge keys (`<<`) are a syntax problem,
/// since layers do their work. Tags other than the core schema's are a syntax problem. So is a
/// number that readers of YAML 1.1 and 1.2 understand differently (`0755`) or that does not fit
/// 64 bits: it is kept as text.
///
/// After a syntax problem that ends the reading, the tree holds what stood before it. An alias
/// has the span of its own `*name`, what is below it those of the anchored node.
pub fn parse(bytes: &[u8], limits: Limits) -> Parsed {
    let (text, mut problems) = match text(bytes, limits) {
        Ok(text) => (text, Vec::new()),
        Err(problem) => {
            return Parsed {
                root: None,
                problems: vec![problem],
            };
        }
    };
    let mut documents = build::documents(text, limits, build::Stop::AfterFirst, &mut problems);
    problems.sort_by_key(|problem| problem.span);
    Parsed {
        root: documents.pop(),
        problems,
    }
}

/// Why a stream of documents could not be read; says the first problem and its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct StreamError {
    /// Line of the first problem, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// Parses every document of a stream into plain values, as `kubectl kustomize` prints them.
///
/// Empty documents are left out. Any problem that [`parse`] would name fails the whole stream.
/// The limits are wider: 64 MiB and four million nodes.
pub fn parse_all(bytes: &[u8]) -> Result<Vec<serde_json::Value>, StreamError> {
    let failed = |problem: &Problem| StreamError {
        line: bytes
            .iter()
            .take(problem.span.start)
            .filter(|byte| **byte == b'\n')
            .count()
            + 1,
        message: problem.message.clone(),
    };
    let text = text(bytes, STREAM_LIMITS).map_err(|problem| failed(&problem))?;
    let mut problems = Vec::new();
    let documents = build::documents(text, STREAM_LIMITS, build::Stop::AtEnd, &mut problems);
    match problems.iter().min_by_key(|problem| problem.span) {
        Some(problem) => Err(failed(problem)),
        None => Ok(documents.into_iter().map(Node::into_json).collect()),
    }
}

/// The bytes as text, where they are short enough and UTF-8.
fn text(bytes: &[u8], limits: Limits) -> Result<&str, Problem> {
    if bytes.len() > limits.bytes {
        return Err(Problem {
            kind: ProblemKind::Limit,
            span: Span::default(),
            message: format!(
                "the file has {} bytes, more than the {} that are read",
                bytes.len(),
                limits.bytes
            ),
            related: None,
        });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        Problem {
            kind: ProblemKind::Syntax,
            span: Span {
                start,
                end: start + error.error_len().unwrap_or(bytes.len() - start),
            },
            message: "the file is not UTF-8 text".to_owned(),
            related: None,
        }
    })
}
