//! Blocks of HCL.

use std::collections::btree_map::Entry;

use hcl_edit::{
    Span as _,
    expr::Expression,
    parser,
    structure::{Block, Body},
};

use super::{Call, Module, ModuleError, Output, Place, Type, Variable};

/// Arguments of a `module` block that are the language's own.
pub const OWN_ARGUMENTS: [&str; 7] = [
    "count",
    "depends_on",
    "enabled",
    "for_each",
    "providers",
    "source",
    "version",
];

impl Module {
    /// Adds what one file declares.
    pub(super) fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), ModuleError> {
        let at = |bytes| Place {
            file: file.to_owned(),
            bytes,
        };
        let text = std::str::from_utf8(bytes).map_err(|error| ModuleError {
            message: "it is not UTF-8".to_owned(),
            place: at(error.valid_up_to()..error.valid_up_to()),
        })?;
        let body = parser::parse_body(text).map_err(|error| {
            let offset = error.location().offset().min(text.len());
            ModuleError {
                message: error.message().to_owned(),
                place: at(offset..offset),
            }
        })?;
        for block in body.blocks() {
            let place = at(block.ident.span().unwrap_or(0..0));
            let name = block.labels.first().map(|label| label.as_str().to_owned());
            let is_new = match (block.ident.as_str(), name) {
                ("variable", Some(name)) => fresh(self.variables.entry(name), || {
                    variable(block, place.clone())
                }),
                ("output", Some(name)) => fresh(self.outputs.entry(name), || {
                    Ok(Output {
                        is_sensitive: is_true(&block.body, "sensitive"),
                        place: place.clone(),
                    })
                }),
                ("module", Some(name)) => {
                    fresh(self.calls.entry(name), || Ok(call(block, place.clone())))
                }
                ("terraform", _) => {
                    self.own(block, file);
                    Ok(true)
                }
                _ => Ok(true),
            }?;
            if !is_new {
                return Err(ModuleError {
                    message: format!(
                        "{} {:?} is declared twice",
                        block.ident.as_str(),
                        block.labels.first().map_or("", |label| label.as_str())
                    ),
                    place,
                });
            }
        }
        Ok(())
    }

    /// Notes what Grove writes itself of a `terraform` block.
    fn own(&mut self, terraform: &Block, file: &str) {
        for block in terraform.body.blocks() {
            let kind = block.ident.as_str();
            if matches!(kind, "backend" | "cloud" | "encryption") {
                let place = Place {
                    file: file.to_owned(),
                    bytes: block.ident.span().unwrap_or(0..0),
                };
                self.owned.push((kind.to_owned(), place));
            }
        }
    }
}

/// Fills an empty entry; whether it was empty.
fn fresh<T>(
    entry: Entry<'_, String, T>,
    value: impl FnOnce() -> Result<T, ModuleError>,
) -> Result<bool, ModuleError> {
    match entry {
        Entry::Vacant(entry) => {
            entry.insert(value()?);
            Ok(true)
        }
        Entry::Occupied(_) => Ok(false),
    }
}

fn variable(block: &Block, place: Place) -> Result<Variable, ModuleError> {
    let attribute = |key: &str| block.body.get_attribute(key).map(|found| &found.value);
    let holds = match attribute("type") {
        None => Type::Any,
        Some(expression) => Type::of(expression).ok_or_else(|| ModuleError {
            message: format!("{} is no type", expression.to_string().trim()),
            place: Place {
                file: place.file.clone(),
                bytes: expression.span().unwrap_or(0..0),
            },
        })?,
    };
    Ok(Variable {
        holds,
        is_required: attribute("default").is_none(),
        is_sensitive: is_true(&block.body, "sensitive"),
        description: attribute("description")
            .and_then(Expression::as_str)
            .map(str::to_owned),
        place,
    })
}

fn call(block: &Block, place: Place) -> Call {
    let names = block.body.attributes().map(|found| found.key.as_str());
    Call {
        source: block
            .body
            .get_attribute("source")
            .and_then(|found| found.value.as_str())
            .map(str::to_owned),
        arguments: names
            .filter(|name| !OWN_ARGUMENTS.contains(name))
            .map(str::to_owned)
            .collect(),
        place,
    }
}

fn is_true(body: &Body, key: &str) -> bool {
    let value = body.get_attribute(key).map(|found| &found.value);
    value.and_then(Expression::as_bool).unwrap_or_default()
}
