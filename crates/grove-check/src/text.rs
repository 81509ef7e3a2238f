//! Findings as a person reads them: the message, the line, a mark below it, and what to do.

use std::collections::{BTreeMap, HashMap};

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Padding, Renderer, Snippet,
};
use grove_fleet::Snapshot;
use grove_yaml::Span;

use crate::{Finding, Location, Severity, mask, rules};

/// The widest piece of a line that is shown, in bytes; one long line must not fill the screen.
const WIDEST: usize = 400;

/// Findings in the order given, as text for a terminal of any width.
///
/// Every line of a fleet's file that is shown comes from `snapshot`; what may be a secret in it is
/// shown as asterisks. Ends in a line feed, unless there are no findings.
pub fn text(findings: &[Finding], snapshot: &Snapshot, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let secrets = secrets(findings);
    let mut out = String::new();
    for finding in findings {
        out.push_str(&renderer.render(&[group(finding, snapshot, &secrets)]));
        out.push_str("\n\n");
    }
    out
}

/// What must not be shown, by file: the places of findings whose rule is about a secret.
fn secrets(findings: &[Finding]) -> HashMap<&str, Vec<Span>> {
    let mut spans: HashMap<&str, Vec<Span>> = HashMap::new();
    for finding in findings {
        if rules::find(finding.rule).is_some_and(|rule| rule.hides_source) {
            for location in &finding.locations {
                spans.entry(&location.path).or_default().push(location.span);
            }
        }
    }
    spans
}

fn group<'a>(
    finding: &'a Finding,
    snapshot: &'a Snapshot,
    secrets: &HashMap<&str, Vec<Span>>,
) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(
        level
            .primary_title(finding.message.as_str())
            .id(finding.rule),
    );
    for place in windows(&finding.locations, snapshot, secrets) {
        group = group.element(place);
    }
    if let Some(hint) = &finding.hint {
        group = group
            .element(Padding)
            .element(Level::HELP.message(hint.as_str()));
    }
    group
}

/// One snippet a line that is shown, in the order in which the locations name them.
fn windows<'a>(
    locations: &'a [Location],
    snapshot: &'a Snapshot,
    secrets: &HashMap<&str, Vec<Span>>,
) -> Vec<Element<'a>> {
    let mut lines: BTreeMap<(usize, usize), Vec<(usize, &Location)>> = BTreeMap::new();
    let mut files: Vec<&str> = Vec::new();
    for (number, location) in locations.iter().enumerate() {
        let file = files
            .iter()
            .position(|path| *path == location.path)
            .unwrap_or_else(|| {
                files.push(&location.path);
                files.len() - 1
            });
        lines
            .entry((file, location.start.line))
            .or_default()
            .push((number, location));
    }
    // The place to mend comes first, whatever its line.
    let mut lines: Vec<_> = lines.into_values().collect();
    lines.sort_by_key(|line| line.iter().map(|(number, _)| *number).min());
    lines
        .iter()
        .map(|line| window(line, snapshot, secrets))
        .collect()
}

/// The line that these locations share, with a mark for each.
fn window<'a>(
    line: &[(usize, &'a Location)],
    snapshot: &'a Snapshot,
    secrets: &HashMap<&str, Vec<Span>>,
) -> Element<'a> {
    let Some((_, first)) = line.first() else {
        return Padding.into();
    };
    let path = first.path.as_str();
    let source = snapshot
        .bytes(path)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    let is_file = line
        .iter()
        .all(|(_, location)| location.span == Span::default() && location.end == location.start);
    let (Some(source), false) = (source, is_file) else {
        return origin(first);
    };
    let (start, end) = line_around(source, first.span.start);
    let (start, end) = (
        floor(
            source,
            start.max(first.span.start.saturating_sub(WIDEST / 2)),
        ),
        floor(source, end.min(first.span.start + WIDEST)),
    );
    let Some(shown) = source.get(start..end) else {
        return origin(first);
    };
    let hidden = secrets.get(path).map_or(&[][..], Vec::as_slice);
    let shown = mask::line(shown, start, hidden, mask::is_secrets_file(path));
    let marks: Vec<Annotation<'a>> = line
        .iter()
        .map(|(number, location)| {
            let kind = if *number == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let from = location.span.start.clamp(start, end) - start;
            let to = location.span.end.clamp(start, end) - start;
            kind.span(from..to.max(from))
                .label(Some(location.label.as_str()).filter(|label| !label.is_empty()))
        })
        .collect();
    Snippet::source(shown)
        .line_start(first.start.line)
        .path(path)
        .annotations(marks)
        .into()
}

/// A place without its line: a file as a whole, or one that is no text.
fn origin(location: &Location) -> Element<'_> {
    let mut origin = Origin::path(location.path.as_str());
    if location.span != Span::default() {
        origin = origin
            .line(location.start.line)
            .char_column(location.start.column);
    }
    origin.into()
}

/// From the first byte of the line that holds `offset` to the last one before its end.
fn line_around(source: &str, offset: usize) -> (usize, usize) {
    let offset = floor(source, offset);
    let start = source
        .get(..offset)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let end = source
        .get(offset..)
        .and_then(|behind| behind.find('\n'))
        .map_or(source.len(), |at| offset + at);
    (start, end)
}

/// The nearest character boundary at or before `offset`.
fn floor(source: &str, offset: usize) -> usize {
    source.floor_char_boundary(offset)
}
