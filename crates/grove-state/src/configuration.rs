//! The configuration of a combined root module, given to the parts that its state was split into.
//!
//! Each part gets the module calls and resources whose objects it has, as they were written: a call with
//! `for_each` becomes a call of its own, with the key in place of `each.key`; what is in no part or in
//! another one becomes a variable. Whoever uses it evaluates these once, in the old root. A module whose
//! objects went to a part's root comes with its files, and its arguments become values.

mod expressions;
mod hoisted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use grove_stack::module::{ModuleError, Place};
use hcl_edit::{
    Decorated, Ident,
    expr::Expression,
    parser,
    structure::{Block, BlockLabel, Body, Structure},
};

use crate::{Address, Key, Part, PartRecord, address::Step};
use expressions::Rewriter;
pub use hoisted::Called;

/// What stands at the root of a configuration and has objects in a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Head {
    /// `module.name["key"]`.
    Module(Step),
    /// `type.name["key"]`, or `data.type.name["key"]`.
    Resource {
        is_data: bool,
        kind: String,
        name: String,
        key: Option<Key>,
    },
}

/// The blocks of a combined root module.
#[derive(Debug)]
pub struct Configuration {
    /// By file name.
    bodies: BTreeMap<String, Body>,
}

/// The configuration of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartConfiguration {
    /// Files by their names, to be formatted.
    pub files: BTreeMap<String, String>,
    /// Variable → the expression that has its value in the old root.
    pub variables: BTreeMap<String, String>,
    /// The call whose module is the root module now: what its directory has beside `files` belongs here.
    pub hoisted: Option<String>,
    /// What could not be copied, and why, a line each.
    pub left: Vec<String>,
}

impl Configuration {
    /// Reads the files of the old root, by name.
    ///
    /// # Errors
    ///
    /// The first that is not HCL, with the place.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ModuleError> {
        let mut bodies = BTreeMap::new();
        for (name, text) in files {
            let body = parser::parse_body(text).map_err(|error| {
                let offset = error.location().offset().min(text.len());
                ModuleError {
                    message: error.message().to_owned(),
                    place: Place {
                        file: name.to_owned(),
                        bytes: offset..offset,
                    },
                }
            })?;
            bodies.insert(name.to_owned(), body);
        }
        Ok(Self { bodies })
    }

    /// The configuration of a part. `root` is the way from the part's directory to the old root's,
    /// `called` has the modules of [`hoisted_calls`] by the names of their calls.
    pub fn part(
        &self,
        part: &Part<'_>,
        record: &PartRecord,
        root: &str,
        called: &BTreeMap<String, Called>,
    ) -> PartConfiguration {
        let heads = heads(part, record);
        let mut made = PartConfiguration::default();
        let mut blocks = Vec::new();
        let known: BTreeMap<&Head, &Head> = heads
            .iter()
            .filter_map(|(from, to)| match to {
                After::At(to) => Some((from, to)),
                After::Root | After::Deeper => None,
            })
            .collect();
        let hoisted = self.hoisted(&heads, called, &mut made);
        let taken: BTreeSet<String> = hoisted
            .into_iter()
            .flat_map(|called| called.configuration.blocks("variable"))
            .filter_map(|block| Some(label(block, 0)?.to_owned()))
            .collect();
        for (from, to) in &heads {
            let After::At(to) = to else { continue };
            match self.find(from) {
                None => made
                    .left
                    .push(format!("{from} is not declared in the old root")),
                Some(block) => {
                    let mut rewriter = Rewriter::new(&known, &mut made.variables, &taken);
                    blocks.push(moved(block, from, to, root, &mut rewriter));
                }
            }
        }
        for (name, _) in &part.state.outputs {
            let output = self
                .blocks("output")
                .find(|block| label(block, 0) == Some(name));
            if let Some(output) = output {
                let mut output = output.clone();
                Rewriter::new(&known, &mut made.variables, &taken).body(&mut output.body);
                blocks.push(output);
            }
        }
        let mut text = String::new();
        for block in self
            .shared(&known, &mut made.variables, &taken, hoisted)
            .into_iter()
            .chain(blocks)
        {
            add(&mut text, block);
        }
        for (name, expression) in &made.variables {
            if taken.contains(name) {
                // The module declares it itself.
                continue;
            }
            let declared = expression.strip_prefix("var.").and_then(|own| {
                self.blocks("variable")
                    .find(|block| label(block, 0) == Some(own))
            });
            match declared {
                Some(block) => {
                    let mut block = block.clone();
                    if let Some(own) = block.labels.first_mut() {
                        *own = BlockLabel::String(Decorated::new(name.clone()));
                    }
                    add(&mut text, block);
                }
                None => {
                    text += &["variable \"", name, "\" {}\n\n"].concat();
                }
            }
        }
        let mut file = "main.tf".to_owned();
        while made.files.contains_key(&file) {
            file.insert_str(0, "root_");
        }
        made.files.insert(file, text.trim_end().to_owned() + "\n");
        made
    }

    fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.bodies
            .values()
            .flat_map(move |body| body.get_blocks(kind))
    }

    fn find(&self, head: &Head) -> Option<&Block> {
        match head {
            Head::Module(step) => self
                .blocks("module")
                .find(|block| label(block, 0) == Some(&step.name)),
            Head::Resource {
                is_data,
                kind,
                name,
                ..
            } => self
                .blocks(if *is_data { "data" } else { "resource" })
                .find(|block| label(block, 0) == Some(kind) && label(block, 1) == Some(name)),
        }
    }

    /// What every part needs: which providers, in which versions, and how they are configured; without
    /// what a module that is the root now says itself.
    fn shared(
        &self,
        known: &BTreeMap<&Head, &Head>,
        variables: &mut BTreeMap<String, String>,
        taken: &BTreeSet<String>,
        hoisted: Option<&Called>,
    ) -> Vec<Block> {
        let mut blocks = Vec::new();
        let has_providers = hoisted.is_some_and(Called::has_providers);
        for block in self.blocks("terraform") {
            let mut block = block.clone();
            for owned in OWNED {
                block.body.remove_blocks(owned);
            }
            if has_providers {
                block.body.remove_blocks("required_providers");
            }
            if !block.body.is_empty() {
                blocks.push(block);
            }
        }
        for block in self.blocks("provider") {
            let mut block = block.clone();
            Rewriter::new(known, variables, taken).body(&mut block.body);
            blocks.push(block);
        }
        blocks
    }
}

/// Blocks of `terraform` that no part takes over.
const OWNED: [&str; 3] = ["backend", "cloud", "encryption"];

/// Where a head's objects are in a part.
enum After {
    /// At the root as before, under this name.
    At(Head),
    /// They were in a module whose content is the root now.
    Root,
    /// They were further inside.
    Deeper,
}

/// The calls whose modules become the root of a part.
pub fn hoisted_calls(part: &Part<'_>, record: &PartRecord) -> BTreeSet<String> {
    let heads = heads(part, record).into_iter();
    heads
        .filter_map(|head| match head {
            (Head::Module(step), After::Root) => Some(step.name),
            _ => None,
        })
        .collect()
}

/// The heads of a part's objects before and after.
fn heads(part: &Part<'_>, record: &PartRecord) -> BTreeMap<Head, After> {
    let before: BTreeMap<&str, &str> = record
        .moved
        .iter()
        .filter_map(|moved| Some((moved.to.as_str(), moved.from.as_deref()?)))
        .collect();
    let mut heads = BTreeMap::new();
    for resource in &part.state.resources {
        for instance in &resource.instances {
            let to = resource.address_of(instance);
            let text = to.to_string();
            let from = before
                .get(text.as_str())
                .and_then(|from| Address::parse(from));
            let from = from.unwrap_or_else(|| to.clone());
            heads.insert(head(&from), head_after(&from, &to));
        }
    }
    heads
}

fn head(address: &Address) -> Head {
    match address.resource.module.0.first() {
        Some(step) => Head::Module(step.clone()),
        None => Head::Resource {
            is_data: address.resource.is_data,
            kind: address.resource.kind.clone(),
            name: address.resource.name.clone(),
            key: address.key.clone(),
        },
    }
}

fn head_after(from: &Address, to: &Address) -> After {
    let (from, inside) = (&from.resource.module.0, &to.resource.module.0);
    if from.len() == inside.len() {
        After::At(head(to))
    } else if from.get(1..) == Some(inside) {
        After::Root
    } else {
        After::Deeper
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = match self {
            Self::Module(step) => {
                write!(formatter, "module.{}", step.name)?;
                &step.key
            }
            Self::Resource {
                is_data,
                kind,
                name,
                key,
            } => {
                let data = if *is_data { "data." } else { "" };
                write!(formatter, "{data}{kind}.{name}")?;
                key
            }
        };
        key.as_ref()
            .map_or(Ok(()), |key| write!(formatter, "{key}"))
    }
}

impl Head {
    fn key(&self) -> Option<&Key> {
        match self {
            Self::Module(step) => step.key.as_ref(),
            Self::Resource { key, .. } => key.as_ref(),
        }
    }
}

fn label(block: &Block, index: usize) -> Option<&str> {
    block.labels.get(index).map(BlockLabel::as_str)
}

/// A block under its new name, for one key of it.
fn moved(block: &Block, from: &Head, to: &Head, root: &str, rewriter: &mut Rewriter<'_>) -> Block {
    let mut block = block.clone();
    let name = match to {
        Head::Module(step) => &step.name,
        Head::Resource { name, .. } => name,
    };
    if let Some(last) = block.labels.last_mut() {
        *last = BlockLabel::String(Decorated::new(name.clone()));
    }
    if let Some(key) = from.key().filter(|_| to.key().is_none()) {
        let each = block
            .body
            .remove_attribute("for_each")
            .map(|found| found.value);
        block.body.remove_attribute("count");
        rewriter.each(key, each);
    }
    if matches!(from, Head::Module(_)) {
        seen_from(&mut block, &["./", "../"], root);
    }
    rewriter.body(&mut block.body);
    block
}

/// Names a call's source, where it begins in one of these ways, from another directory; `way` leads from
/// there to the one that it is named from.
fn seen_from(block: &mut Block, begins: &[&str], way: &str) {
    if let Some(mut source) = block.body.get_attribute_mut("source")
        && let Some(path) = source.get().value.as_str()
        && begins.iter().any(|begin| path.starts_with(begin))
    {
        let path = joined(way, path);
        *source.value_mut() = Expression::String(Decorated::new(path));
    }
}

/// A local module's path, seen from another directory.
fn joined(root: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in root.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if path.starts_with("..") {
        path
    } else {
        format!("./{path}")
    }
}

/// Adds a block with an empty line behind it.
fn add(text: &mut String, block: Block) {
    let body = Body::from_iter([Structure::Block(block)]);
    *text += body.to_string().trim();
    *text += "\n\n";
}

/// Names that become part of a variable's.
fn word(text: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    text.chars().map(plain).collect()
}

/// `var.name`.
fn variable(name: &str) -> Expression {
    use hcl_edit::expr::{Traversal, TraversalOperator};
    let name = Decorated::new(Ident::new_sanitized(name));
    let operator = Decorated::new(TraversalOperator::GetAttr(name));
    Expression::from(Traversal::new(Ident::new("var"), vec![operator]))
}
