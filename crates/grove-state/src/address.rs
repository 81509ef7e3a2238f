//! Addresses of objects, as OpenTofu writes them
//! (<https://opentofu.org/docs/cli/state/resource-addressing/>).
//!
//! A key in brackets is an integer or a quoted text, in which a bracket, a dot or a quote may stand: an
//! address is read sign by sign and never split at dots.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

/// The key of one object among several: of `count` or of `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Of `count`.
    Number(i64),
    /// Of `for_each`.
    Text(String),
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "[{number}]"),
            Self::Text(text) => {
                formatter.write_str("[\"")?;
                quote(text, formatter)?;
                formatter.write_str("\"]")
            }
        }
    }
}

/// One step of a module path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The name of the call.
    pub name: String,
    /// Its key, where the call has `count` or `for_each`.
    pub key: Option<Key>,
}

/// A module path; empty for the root module. Resources of one module share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Module(pub Arc<[Step]>);

impl Module {
    /// Reads `module.a["k"].module.b[0]`; nothing where it is no module path.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let mut reader = Reader(text);
        let module = reader.module()?;
        let is_whole = reader.0.is_empty() && !text.ends_with('.');
        (is_whole && !module.0.is_empty()).then_some(module)
    }

    /// The same path without keys: where the module stands in the configuration.
    #[must_use]
    pub fn config(&self) -> Self {
        let bare = |step: &Step| Step {
            name: step.name.clone(),
            key: None,
        };
        Self(self.0.iter().map(bare).collect())
    }
}

impl fmt::Display for Module {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_char('.')?;
            }
            write!(formatter, "module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(formatter, "{key}")?;
            }
        }
        Ok(())
    }
}

/// Where a resource stands: its module, its type and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAddress {
    /// Its module.
    pub module: Module,
    /// Whether it is a data source.
    pub is_data: bool,
    /// Its type.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl ResourceAddress {
    /// The same without keys: what `dependencies` of a state name.
    #[must_use]
    pub fn config(&self) -> Self {
        Self {
            module: self.module.config(),
            ..self.clone()
        }
    }
}

impl fmt::Display for ResourceAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.0.is_empty() {
            write!(formatter, "{}.", self.module)?;
        }
        let data = if self.is_data { "data." } else { "" };
        write!(formatter, "{data}{}.{}", self.kind, self.name)
    }
}

/// Where one object stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Its resource.
    pub resource: ResourceAddress,
    /// Its key, where the resource has `count` or `for_each`.
    pub key: Option<Key>,
}

impl Address {
    /// Reads the address of an object or, where it has no key, of a resource; nothing where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let module = reader.module()?;
        let is_data = reader.take("data.");
        let kind = reader.name()?;
        reader.take(".").then_some(())?;
        let name = reader.name()?;
        let key = reader.key().ok()?;
        reader.0.is_empty().then_some(Self {
            resource: ResourceAddress {
                module,
                is_data,
                kind,
                name,
            },
            key,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.resource)?;
        match &self.key {
            Some(key) => write!(formatter, "{key}"),
            None => Ok(()),
        }
    }
}

/// A bracket that opens no key.
#[derive(Debug)]
pub(crate) struct NoKey;

/// What is left to read.
pub(crate) struct Reader<'a>(pub(crate) &'a str);

impl Reader<'_> {
    pub(crate) fn take(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Reads the steps of a module path, and the dot behind them where more follows.
    fn module(&mut self) -> Option<Module> {
        let mut steps = Vec::new();
        while self.take("module.") {
            let name = self.name()?;
            let key = self.key().ok()?;
            steps.push(Step { name, key });
            if !self.take(".") {
                break;
            }
        }
        Some(Module(steps.into()))
    }

    /// Reads a name: letters, digits, `_` and `-`, as HCL has them.
    fn name(&mut self) -> Option<String> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let end = self.0.find(|c| !is_part(c)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Reads a key where one stands; an error where a bracket opens and what follows is no key.
    pub(crate) fn key(&mut self) -> Result<Option<Key>, NoKey> {
        if !self.take("[") {
            return Ok(None);
        }
        self.opened_key().map(Some).ok_or(NoKey)
    }

    /// Reads a key whose bracket was read.
    fn opened_key(&mut self) -> Option<Key> {
        let key = if self.take("\"") {
            Key::Text(self.quoted()?)
        } else {
            let end = self.0.find(']')?;
            let (number, rest) = self.0.split_at(end);
            self.0 = rest;
            Key::Number(number.parse().ok()?)
        };
        self.take("]").then_some(key)
    }

    /// Reads to the closing quote, and takes the escapes of HCL's text away.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.0.chars();
        loop {
            match rest.next()? {
                '"' => {
                    self.0 = rest.as_str();
                    return Some(text);
                }
                '\\' => text.push(match rest.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => unicode(&mut rest, 4)?,
                    'U' => unicode(&mut rest, 8)?,
                    c @ ('"' | '\\') => c,
                    _ => return None,
                }),
                c @ ('$' | '%') => {
                    text.push(c);
                    // `$${` stands for `${`.
                    let mut ahead = rest.clone();
                    if ahead.next() == Some(c) && ahead.next() == Some('{') {
                        text.push('{');
                        rest = ahead;
                    }
                }
                c => text.push(c),
            }
        }
    }
}

fn unicode(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let number = rest.as_str().get(..digits)?;
    *rest = rest.as_str().get(digits..)?.chars();
    char::from_u32(u32::from_str_radix(number, 16).ok()?)
}

/// Writes text with the escapes that OpenTofu writes.
fn quote(text: &str, formatter: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\n' => formatter.write_str("\\n")?,
            '\r' => formatter.write_str("\\r")?,
            '\t' => formatter.write_str("\\t")?,
            '"' => formatter.write_str("\\\"")?,
            '\\' => formatter.write_str("\\\\")?,
            '$' | '%' if rest.as_str().starts_with('{') => {
                rest.next();
                write!(formatter, "{c}{c}{{")?;
            }
            c if c.is_control() && u32::from(c) < 0x1_0000 => {
                write!(formatter, "\\u{:04x}", u32::from(c))?;
            }
            c => formatter.write_char(c)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_may_hold_what_addresses_are_made_of() {
        let text = r#"module.a["x.y\"]z"].module.b[0].data.aws_x.y["a b"]"#;
        let address = Address::parse(text).unwrap();
        assert_eq!(
            address.resource.module.0[0].key,
            Some(Key::Text("x.y\"]z".to_owned()))
        );
        assert_eq!(address.resource.module.0[1].key, Some(Key::Number(0)));
        assert!(address.resource.is_data);
        assert_eq!(address.to_string(), text);
        assert_eq!(
            address.resource.config().to_string(),
            "module.a.module.b.data.aws_x.y"
        );
        assert_eq!(
            Address::parse(r#"a.b["$${x} %%{y} $ %"]"#).unwrap().key,
            Some(Key::Text("${x} %{y} $ %".to_owned()))
        );
        for none in [
            "",
            "a",
            "a.",
            ".b",
            "a.b[",
            "a.b[x]",
            "a.b[\"x]",
            "a.b.c",
            "module.a",
            "module..b.c",
        ] {
            assert_eq!(Address::parse(none), None, "{none}");
        }
        assert_eq!(Module::parse("").unwrap(), Module::default());
        for none in ["module.", "module.a.", "a", "module.a.b.c"] {
            assert_eq!(Module::parse(none), None, "{none}");
        }
    }

    fn key() -> impl Strategy<Value = Option<Key>> {
        prop_oneof![
            Just(None),
            any::<i64>().prop_map(|number| Some(Key::Number(number))),
            ".{0,8}".prop_map(|text| Some(Key::Text(text))),
            "[$%{\"\\\\]{0,6}".prop_map(|text| Some(Key::Text(text))),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            steps in prop::collection::vec(("[a-z][a-z0-9_-]{0,5}", key()), 0..4),
            is_data: bool,
            kind in "[a-z][a-z0-9_]{0,8}",
            name in "[a-z][a-z0-9_-]{0,8}",
            key in key(),
        ) {
            prop_assume!(kind != "module" && kind != "data");
            let steps = steps.into_iter().map(|(name, key)| Step { name, key }).collect();
            let address = Address {
                resource: ResourceAddress { module: Module(steps), is_data, kind, name },
                key,
            };
            prop_assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
    }
}
