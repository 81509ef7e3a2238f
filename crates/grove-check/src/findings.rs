//! Collecting what rules find, and making their places concrete.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use grove_fleet::Snapshot;
use grove_yaml::{LineIndex, Position, Span};

use crate::{Finding, Location, Severity};

/// The most findings of one rule in one file; a file that is all wrong must not fill memory.
const MOST: usize = 100;

/// The longest message, hint or label in characters: they quote what the fleet says.
const LONGEST: usize = 400;

/// Where something is, by bytes: what a rule names. Lines are counted when a finding is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// The file, from the fleet's root.
    pub(crate) path: Cow<'a, str>,
    /// The bytes that are meant; none where the file as a whole is.
    pub(crate) span: Option<Span>,
    /// What this place has to do with the finding.
    pub(crate) label: String,
}

impl<'a> Place<'a> {
    /// A file as a whole.
    pub(crate) fn file(path: impl Into<Cow<'a, str>>) -> Self {
        Self {
            path: path.into(),
            span: None,
            label: String::new(),
        }
    }

    /// Some bytes of a file.
    pub(crate) fn bytes(path: impl Into<Cow<'a, str>>, span: Span) -> Self {
        Self {
            path: path.into(),
            span: Some(span),
            label: String::new(),
        }
    }

    /// The same place with a word on it.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}

/// Takes the findings of one rule.
pub(crate) struct Findings<'a> {
    snapshot: &'a Snapshot,
    /// The id of the rule that finds them.
    rule: &'static str,
    severity: Severity,
    /// How many there are in each file.
    counts: HashMap<String, usize>,
    /// What was said already: what layers share is met once an instance.
    said: HashSet<(String, Option<Span>, String)>,
    indexes: BTreeMap<String, Option<LineIndex<'a>>>,
    kept: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(rule: &'static str, severity: Severity, snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            rule,
            severity,
            counts: HashMap::new(),
            said: HashSet::new(),
            indexes: BTreeMap::new(),
            kept: Vec::new(),
        }
    }

    /// Adds a finding at `places`, the one to mend first.
    pub(crate) fn add<'p>(
        &mut self,
        message: impl Into<String>,
        places: impl IntoIterator<Item = Place<'p>>,
    ) {
        self.push(message.into(), places.into_iter().collect(), None);
    }

    /// Adds a finding with a hint.
    pub(crate) fn add_with_hint<'p>(
        &mut self,
        message: impl Into<String>,
        places: impl IntoIterator<Item = Place<'p>>,
        hint: impl Into<String>,
    ) {
        self.push(
            message.into(),
            places.into_iter().collect(),
            Some(hint.into()),
        );
    }

    fn push(&mut self, message: String, places: Vec<Place<'_>>, hint: Option<String>) {
        let file = places
            .first()
            .map(|place| place.path.to_string())
            .unwrap_or_default();
        let span = places.first().and_then(|place| place.span);
        if !self.said.insert((file.clone(), span, message.clone())) {
            return;
        }
        let count = self.counts.entry(file.clone()).or_default();
        *count += 1;
        let (message, places, hint) = match (*count).cmp(&MOST) {
            std::cmp::Ordering::Less => (message, places, hint),
            std::cmp::Ordering::Equal => (
                format!("more findings of this kind in `{file}` are not shown"),
                places,
                None,
            ),
            std::cmp::Ordering::Greater => return,
        };
        let locations = places.into_iter().map(|place| self.locate(place)).collect();
        self.kept.push(Finding {
            rule: self.rule,
            severity: self.severity,
            message: printable(&message),
            locations,
            hint: hint.as_deref().map(printable),
        });
    }

    fn locate(&mut self, place: Place<'_>) -> Location {
        let nowhere = Position { line: 1, column: 1 };
        let path = place.path.into_owned();
        let span = place.span.unwrap_or_default();
        let (start, end) = match place.span {
            None => (nowhere, nowhere),
            Some(span) => {
                let snapshot = self.snapshot;
                let index = self.indexes.entry(path.clone()).or_insert_with(|| {
                    let bytes = snapshot.bytes(&path)?;
                    std::str::from_utf8(bytes).ok().map(LineIndex::new)
                });
                index.as_ref().map_or((nowhere, nowhere), |index| {
                    (index.position(span.start), index.position(span.end))
                })
            }
        };
        Location {
            path,
            span,
            start,
            end,
            label: printable(&place.label),
        }
    }

    /// What was found.
    pub(crate) fn finish(self) -> Vec<Finding> {
        self.kept
    }
}

/// The findings of all rules, sorted by file, place and rule.
pub(crate) fn sorted(found: Vec<Vec<Finding>>) -> Vec<Finding> {
    let mut all: Vec<Finding> = found.into_iter().flatten().collect();
    all.sort_by(|one, other| key(one).cmp(&key(other)));
    all
}

/// What findings are sorted by.
fn key(finding: &Finding) -> (Option<(&str, usize)>, &str, &str) {
    let place = finding
        .locations
        .first()
        .map(|location| (location.path.as_str(), location.span.start));
    (place, finding.rule, &finding.message)
}

/// A name or value as messages quote it: in backticks, one line, not too long.
pub(crate) fn quote(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// `text` with what could move a terminal's cursor or turn its direction written as an escape.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}
