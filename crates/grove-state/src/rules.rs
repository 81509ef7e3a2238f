//! Which object belongs to which stack.
//!
//! ```yaml
//! version: 1
//! rules:
//! - match: module.instances["{instance}"]          # a module and everything in it
//!   to: instances/{instance}                       # the stack
//!   as: module.instance                            # what takes the place of what `match` has found
//! - match: module.mysql.mysql_user.users["{instance}"]
//!   where: {attributes: {host: "%"}}               # only objects with these attributes
//!   to: instances/{instance}
//!   as: mysql_user.user
//! - match: [module.vpc, module.eks]
//!   to: cluster
//! - output: "vpc_*"                                # outputs of the root module, by name
//!   to: cluster
//! ```
//!
//! The first rule that fits claims an object. In names and keys `*` stands for any text and `{name}` for
//! any text that `to` and `as` may use; a step without a key fits every key. `names` may say which texts
//! a `{name}` stands for: `names: {instance: [uni, academy]}`.

use std::collections::{BTreeMap, BTreeSet};

use grove_yaml::{Limits, Node, Span, Value};

use crate::{Address, Error, Key, Module, Problem, address::Reader};

/// The version of the rules that this program reads.
const VERSION: i64 = 1;

/// The name, in a rule's `to`, of what stays in the combined state: a part like any other, which is put
/// back there in the end.
pub const STAYS: &str = ".";

/// Rules, in their order.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(crate) rules: Vec<Rule>,
    /// What a `{name}` may stand for, where that is stated.
    pub(crate) names: BTreeMap<String, BTreeSet<String>>,
}

/// One rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) attributes: BTreeMap<String, Glob>,
    pub(crate) output: Option<Glob>,
    pub(crate) to: String,
    /// The address, or the module's path, that takes the place of what the pattern has found.
    pub(crate) rename: Option<String>,
}

/// What the names of a pattern stand for.
pub(crate) type Captures = BTreeMap<String, String>;

/// Rules for the states of Grove's predecessor, in which instances are keys of modules and of resources.
pub const LEGACY: &str = include_str!("rules/legacy.yaml");

impl Rules {
    /// Reads rules. `names` says, over what the rules say, what a `{name}` may stand for.
    pub fn parse(text: &str, names: &BTreeMap<String, BTreeSet<String>>) -> Result<Self, Error> {
        let parsed = grove_yaml::parse(text.as_bytes(), Limits::default());
        let mut reading = Reading::default();
        for problem in &parsed.problems {
            reading.problem(problem.span, problem.message.clone());
        }
        let rules = parsed.root.as_ref().map(|root| reading.rules(root, names));
        if parsed.root.is_none() && reading.problems.is_empty() {
            let span = Span { start: 0, end: 0 };
            reading.problem(span, "there are no rules".to_owned());
        }
        match rules {
            Some(rules) if reading.problems.is_empty() => Ok(rules),
            _ => Err(Error::Rules(reading.problems)),
        }
    }
}

/// Reading, and what was wrong on the way.
#[derive(Default)]
struct Reading {
    problems: Vec<Problem>,
}

impl Reading {
    fn problem(&mut self, span: Span, message: String) {
        self.problems.push(Problem { message, span });
    }

    fn rules(&mut self, root: &Node, names: &BTreeMap<String, BTreeSet<String>>) -> Rules {
        self.keys(root, &["version", "names", "rules"]);
        match root.get("version").map(|node| &node.value) {
            Some(Value::Number(number)) if number.as_i64() == Some(VERSION) => {}
            _ => self.problem(root.span, format!("`version: {VERSION}` is missing")),
        }
        let mut rules = Rules::default();
        for entry in root.get("names").map(Node::entries).unwrap_or_default() {
            let texts = match names.get(&entry.key) {
                Some(stated) => stated.clone(),
                None => self.texts(&entry.value).into_iter().collect(),
            };
            if texts.is_empty() {
                let message = format!("what `{{{}}}` may stand for has to be stated", entry.key);
                self.problem(entry.value.span, message);
            }
            rules.names.insert(entry.key.clone(), texts);
        }
        for (name, texts) in names {
            rules.names.insert(name.clone(), texts.clone());
        }
        match root.get("rules").map(|node| &node.value) {
            Some(Value::List(list)) => {
                rules.rules = list.iter().filter_map(|node| self.rule(node)).collect();
            }
            _ => self.problem(root.span, "`rules` is no list".to_owned()),
        }
        rules
    }

    fn keys(&mut self, node: &Node, known: &[&str]) {
        if !matches!(node.value, Value::Map(_)) {
            self.problem(node.span, "this is no map".to_owned());
        }
        for entry in node.entries() {
            if !known.contains(&entry.key.as_str()) {
                let message = format!(
                    "unknown key `{}`; known are {}",
                    entry.key,
                    known.join(", ")
                );
                self.problem(entry.value.span, message);
            }
        }
    }

    fn texts(&mut self, node: &Node) -> Vec<String> {
        let nodes: Vec<&Node> = match &node.value {
            Value::List(list) => list.iter().collect(),
            _ => vec![node],
        };
        let mut texts = Vec::new();
        for node in nodes {
            match node.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.problem(node.span, "this is no text".to_owned()),
            }
        }
        texts
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        self.keys(node, &["match", "where", "output", "to", "as"]);
        let before = self.problems.len();
        let mut known = BTreeSet::new();
        let mut patterns = Vec::new();
        if let Some(found) = node.get("match") {
            for text in self.texts(found) {
                match Pattern::parse(&text) {
                    Some(pattern) => {
                        pattern.names(&mut known);
                        patterns.push(pattern);
                    }
                    None => self.problem(
                        found.span,
                        format!("`{text}` is neither a module's path nor an object's address"),
                    ),
                }
            }
        }
        let mut attributes = BTreeMap::new();
        if let Some(condition) = node.get("where") {
            self.keys(condition, &["attributes"]);
            for entry in condition
                .get("attributes")
                .map(Node::entries)
                .unwrap_or_default()
            {
                match entry.value.as_str().and_then(Glob::parse) {
                    Some(glob) => {
                        glob.names(&mut known);
                        attributes.insert(entry.key.clone(), glob);
                    }
                    None => self.problem(entry.value.span, "this is no text".to_owned()),
                }
            }
        }
        let output = node.get("output").and_then(|node| {
            let glob = node.as_str().and_then(Glob::parse);
            if glob.is_none() {
                self.problem(node.span, "this is no name of an output".to_owned());
            }
            glob
        });
        if let Some(output) = &output {
            output.names(&mut known);
        }
        if patterns.is_empty() && output.is_none() && self.problems.len() == before {
            self.problem(node.span, "a rule needs `match` or `output`".to_owned());
        }
        let to = node.get("to").and_then(Node::as_str).map(str::to_owned);
        let rename = node.get("as").and_then(Node::as_str).map(str::to_owned);
        if to.is_none() {
            self.problem(
                node.span,
                "a rule needs `to`: the name of a stack".to_owned(),
            );
        }
        if to.as_deref() == Some(STAYS) && rename.is_some() {
            self.problem(
                node.span,
                "what stays keeps its address: `as` has no place here".to_owned(),
            );
        }
        for text in to.iter().chain(&rename) {
            for name in used(text) {
                if !known.contains(&name) {
                    self.problem(node.span, format!("nothing gives `{{{name}}}` of `{text}`"));
                }
            }
        }
        Some(Rule {
            patterns,
            attributes,
            output,
            to: to?,
            rename,
        })
    }
}

/// The names in braces of a text.
fn used(text: &str) -> Vec<String> {
    let parts = text.split('{').skip(1);
    parts
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// A text with what its names stand for.
pub(crate) fn filled(text: &str, captures: &Captures) -> String {
    let mut text = text.to_owned();
    for (name, value) in captures {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// Text with `*` and `{name}` in it.
#[derive(Clone, Debug)]
pub(crate) struct Glob(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Any,
    Name(String),
}

impl Glob {
    fn parse(mut text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        while !text.is_empty() {
            if let Some(rest) = text.strip_prefix('*') {
                parts.push(Part::Any);
                text = rest;
            } else if let Some(rest) = text.strip_prefix('{') {
                let (name, rest) = rest.split_once('}')?;
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                if name.is_empty() || !name.chars().all(is_name) {
                    return None;
                }
                parts.push(Part::Name(name.to_owned()));
                text = rest;
            } else {
                let end = text.find(['*', '{']).unwrap_or(text.len());
                let (part, rest) = text.split_at(end);
                parts.push(Part::Text(part.to_owned()));
                text = rest;
            }
        }
        Some(Self(parts))
    }

    fn names(&self, into: &mut BTreeSet<String>) {
        into.extend(self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.clone()),
            _ => None,
        }));
    }

    /// Whether a text fits; what its names stand for goes to `captures`. A name that stands for
    /// something already has to stand for the same.
    pub(crate) fn fits(&self, text: &str, names: Names<'_>, captures: &mut Captures) -> bool {
        fits(&self.0, text, names, captures)
    }
}

/// What names may stand for.
pub(crate) type Names<'a> = &'a BTreeMap<String, BTreeSet<String>>;

fn fits(parts: &[Part], text: &str, names: Names<'_>, captures: &mut Captures) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    match first {
        Part::Text(part) => text
            .strip_prefix(part.as_str())
            .is_some_and(|text| fits(rest, text, names, captures)),
        Part::Any => ends(text).any(|end| fits(rest, &text[end..], names, captures)),
        Part::Name(name) => ends(text).any(|end| {
            let value = &text[..end];
            let may_be = names.get(name).is_none_or(|known| known.contains(value));
            let is_same = captures.get(name).is_none_or(|before| before == value);
            if value.is_empty() || !may_be || !is_same {
                return false;
            }
            let is_new = captures.insert(name.clone(), value.to_owned()).is_none();
            let is_fit = fits(rest, &text[end..], names, captures);
            if !is_fit && is_new {
                captures.remove(name);
            }
            is_fit
        }),
    }
}

/// Where a text can be parted, the longest first.
fn ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    (0..=text.len())
        .rev()
        .filter(|end| text.is_char_boundary(*end))
}

/// The address of a module or of an object, with `*` and `{name}` in its names and keys.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    modules: Vec<(Glob, Option<KeyGlob>)>,
    resource: Option<(bool, Glob, Glob, Option<KeyGlob>)>,
}

/// A key of a pattern.
#[derive(Clone, Debug)]
enum KeyGlob {
    Number(i64),
    Text(Glob),
}

impl KeyGlob {
    fn fits(&self, key: Option<&Key>, names: Names<'_>, captures: &mut Captures) -> bool {
        match (self, key) {
            (Self::Number(wanted), Some(Key::Number(number))) => wanted == number,
            (Self::Text(glob), Some(Key::Text(text))) => glob.fits(text, names, captures),
            _ => false,
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let mut modules = Vec::new();
        while reader.take("module.") {
            let step = step(&mut reader)?;
            modules.push(step);
            if reader.0.is_empty() {
                return Some(Self {
                    modules,
                    resource: None,
                });
            }
            reader.take(".").then_some(())?;
        }
        let is_data = reader.take("data.");
        let kind = glob(&mut reader)?;
        reader.take(".").then_some(())?;
        let (name, key) = step(&mut reader)?;
        reader.0.is_empty().then_some(Self {
            modules,
            resource: Some((is_data, kind, name, key)),
        })
    }

    fn names(&self, into: &mut BTreeSet<String>) {
        let key_names = |key: &Option<KeyGlob>, into: &mut BTreeSet<String>| {
            if let Some(KeyGlob::Text(glob)) = key {
                glob.names(into);
            }
        };
        for (name, key) in &self.modules {
            name.names(into);
            key_names(key, into);
        }
        if let Some((_, kind, name, key)) = &self.resource {
            kind.names(into);
            name.names(into);
            key_names(key, into);
        }
    }

    /// Whether an object fits.
    pub(crate) fn fits(
        &self,
        address: &Address,
        names: Names<'_>,
        captures: &mut Captures,
    ) -> bool {
        let steps = &address.resource.module.0;
        let is_long_enough = match self.resource {
            Some(_) => steps.len() == self.modules.len(),
            None => steps.len() >= self.modules.len(),
        };
        if !is_long_enough {
            return false;
        }
        let fits_key = |glob: &Option<KeyGlob>, key: Option<&Key>, captures: &mut Captures| {
            glob.as_ref()
                .is_none_or(|glob| glob.fits(key, names, captures))
        };
        let modules = self
            .modules
            .iter()
            .zip(steps.iter())
            .all(|((name, key), step)| {
                name.fits(&step.name, names, captures) && fits_key(key, step.key.as_ref(), captures)
            });
        modules
            && self
                .resource
                .as_ref()
                .is_none_or(|(is_data, kind, name, key)| {
                    *is_data == address.resource.is_data
                        && kind.fits(&address.resource.kind, names, captures)
                        && name.fits(&address.resource.name, names, captures)
                        && fits_key(key, address.key.as_ref(), captures)
                })
    }

    /// An object's address with `to` in the place of what this has found; nothing where `to` is not of
    /// the same sort.
    pub(crate) fn rename(&self, address: &Address, to: &str) -> Option<Address> {
        if self.resource.is_some() {
            return Address::parse(to);
        }
        let module = Module::parse(if to == "." { "" } else { to })?;
        let rest = address.resource.module.0.get(self.modules.len()..)?;
        let steps = module.0.iter().chain(rest);
        let mut address = address.clone();
        address.resource.module = Module(steps.cloned().collect());
        Some(address)
    }
}

fn step(reader: &mut Reader<'_>) -> Option<(Glob, Option<KeyGlob>)> {
    let name = glob(reader)?;
    let key = match reader.key().ok()? {
        None => None,
        Some(Key::Number(number)) => Some(KeyGlob::Number(number)),
        Some(Key::Text(text)) => Some(KeyGlob::Text(Glob::parse(&text)?)),
    };
    Some((name, key))
}

/// Reads a name with `*` and `{name}` in it.
fn glob(reader: &mut Reader<'_>) -> Option<Glob> {
    let is_part = |c: char| c.is_alphanumeric() || "_-*{}".contains(c);
    let end = reader.0.find(|c| !is_part(c)).unwrap_or(reader.0.len());
    let (name, rest) = reader.0.split_at(end);
    reader.0 = rest;
    (!name.is_empty()).then(|| Glob::parse(name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, address: &str) -> Option<String> {
        let mut captures = Captures::new();
        let names = BTreeMap::from([("known".to_owned(), BTreeSet::from(["uni".to_owned()]))]);
        let pattern = Pattern::parse(pattern).unwrap();
        let address = Address::parse(address).unwrap();
        pattern
            .fits(&address, &names, &mut captures)
            .then(|| format!("{captures:?}"))
    }

    #[test]
    fn patterns_fit_whole_steps() {
        let instance = r#"module.instances["{i}"]"#;
        assert_eq!(
            found(instance, r#"module.instances["a.b]"].module.db.x.y[0]"#).as_deref(),
            Some(r#"{"i": "a.b]"}"#)
        );
        assert_eq!(found("module.a", "module.ab.x.y"), None);
        assert_eq!(
            found("module.a", r#"module.a["k"].x.y"#).as_deref(),
            Some("{}")
        );
        assert_eq!(found("module.a.x.y", "module.a.module.b.x.y"), None);
        assert_eq!(found("x.*", "x.y[3]").as_deref(), Some("{}"));
        assert_eq!(found("x.y[3]", "x.y[4]"), None);
        assert_eq!(found("x.y", "data.x.y"), None);
        assert_eq!(found("data.x.y", "data.x.y").as_deref(), Some("{}"));
        assert_eq!(
            found(r#"{t}_user.u["{i}-{n}"]"#, r#"mysql_user.u["a-b-c"]"#).as_deref(),
            Some(r#"{"i": "a-b", "n": "c", "t": "mysql"}"#)
        );
        assert_eq!(
            found(r#"module.{i}.x.y["{i}"]"#, r#"module.a.x.y["b"]"#),
            None
        );
        assert_eq!(found(r#"x.y["{known}"]"#, r#"x.y["other"]"#), None);
        assert_eq!(
            found(r#"x.y["{known}"]"#, r#"x.y["uni"]"#).as_deref(),
            Some(r#"{"known": "uni"}"#)
        );
    }

    #[test]
    fn what_takes_a_patterns_place_is_of_its_sort() {
        let renamed = |pattern: &str, address: &str, to: &str| {
            let pattern = Pattern::parse(pattern).unwrap();
            let address = Address::parse(address).unwrap();
            Some(pattern.rename(&address, to)?.to_string())
        };
        let inner = r#"module.a["k"].module.b.x.y[0]"#;
        assert_eq!(
            renamed("module.a", inner, ".").as_deref(),
            Some("module.b.x.y[0]")
        );
        assert_eq!(
            renamed("module.a", inner, "module.c").as_deref(),
            Some("module.c.module.b.x.y[0]")
        );
        assert_eq!(renamed("module.a", inner, "x.y"), None);
        assert_eq!(renamed("x.y", r#"x.y["k"]"#, "x.z").as_deref(), Some("x.z"));
        assert_eq!(renamed("x.y", r#"x.y["k"]"#, "module.x"), None);
    }

    #[test]
    fn rules_are_read_with_what_is_wrong_in_them() {
        let problems = |text: &str| match Rules::parse(text, &BTreeMap::new()) {
            Err(Error::Rules(problems)) => {
                let lines = problems.into_iter().map(|problem| problem.message);
                lines.collect::<Vec<_>>().join("\n")
            }
            other => format!("{other:?}"),
        };
        insta::assert_snapshot!(problems("version: 1\nrules:\n- {match: \"a b\", to: x}\n- {to: x}\n- {match: a.b, to: \"{i}\", then: 1}\n- {match: a.b}\n"), @"
        `a b` is neither a module's path nor an object's address
        a rule needs `match` or `output`
        unknown key `then`; known are match, where, output, to, as
        nothing gives `{i}` of `{i}`
        a rule needs `to`: the name of a stack
        ");
        insta::assert_snapshot!(problems(LEGACY), @"what `{instance}` may stand for has to be stated");
        insta::assert_snapshot!(problems(""), @"there are no rules");
        insta::assert_snapshot!(problems("rules: 1"), @"
        `version: 1` is missing
        `rules` is no list
        ");
    }
}
