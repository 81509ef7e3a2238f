//! A module whose objects went to a part's root: its files become the part's own.

use std::collections::BTreeMap;

use grove_stack::module::{ModuleError, OWN_ARGUMENTS};
use hcl_edit::structure::Body;

use super::{After, Configuration, Head, OWNED, PartConfiguration, expressions, label, seen_from};

/// A module that the old root calls.
#[derive(Debug)]
pub struct Called {
    pub(super) configuration: Configuration,
    /// The way from a part's directory to its own.
    way: String,
}

impl Called {
    /// Reads a module's files, by name. `way` leads from the part's directory to the module's.
    ///
    /// # Errors
    ///
    /// The first that is not HCL, with the place.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        way: String,
    ) -> Result<Self, ModuleError> {
        Ok(Self {
            configuration: Configuration::read(files)?,
            way,
        })
    }

    /// Whether it says which providers it needs: only one block of a root module may.
    pub(super) fn has_providers(&self) -> bool {
        let mut blocks = self.configuration.blocks("terraform");
        blocks.any(|block| block.body.has_blocks("required_providers"))
    }

    /// Its files as those of a root module, and its outputs, which are not among them: the state of the
    /// part has none, and its first plan shall be empty.
    fn files(&self) -> (BTreeMap<String, String>, Vec<&str>) {
        let outputs = self.configuration.blocks("output");
        let outputs = outputs.filter_map(|block| label(block, 0)).collect();
        let bodies = self.configuration.bodies.iter();
        let files = bodies
            .map(|(name, body)| (name.clone(), at_the_root(body.clone(), &self.way)))
            .collect();
        (files, outputs)
    }
}

/// The text of a module's file in a root module.
fn at_the_root(mut body: Body, way: &str) -> String {
    body.remove_blocks("output");
    for block in body.get_blocks_mut("module") {
        // What is below the module was copied with it.
        seen_from(block, &["../"], way);
    }
    for block in body.get_blocks_mut("terraform") {
        for owned in OWNED {
            block.body.remove_blocks(owned);
        }
    }
    body.to_string()
}

impl Configuration {
    /// The module that becomes the root of a part, where one does: its files, and its arguments as
    /// variables.
    pub(super) fn hoisted<'c>(
        &self,
        heads: &BTreeMap<Head, After>,
        called: &'c BTreeMap<String, Called>,
        made: &mut PartConfiguration,
    ) -> Option<&'c Called> {
        let mut found = None;
        for (from, to) in heads {
            let why = match (from, to) {
                (_, After::At(_)) => continue,
                (Head::Module(step), After::Root) if found.is_none() => {
                    let block = self.find(from);
                    match (block, called.get(&step.name)) {
                        (None, _) => "is not declared in the old root",
                        (Some(_), None) => {
                            "has no directory that `init` knows: write its resources here"
                        }
                        (Some(block), _) if block.body.has_attribute("providers") => {
                            "names configurations of providers: write its resources here"
                        }
                        (Some(block), Some(module)) => {
                            made.variables.extend(arguments(&block.body, from));
                            let (files, outputs) = module.files();
                            made.files = files;
                            made.hoisted = Some(step.name.clone());
                            if !outputs.is_empty() {
                                made.left.push(format!(
                                    "outputs of {from}, to be added once the part is applied: {}",
                                    outputs.join(", ")
                                ));
                            }
                            found = Some(module);
                            continue;
                        }
                    }
                }
                (_, After::Root) => {
                    "is the second module that would be the root: write its resources here"
                }
                (_, After::Deeper) => {
                    "loses more than one module around it: write its resources here"
                }
            };
            made.left.push(format!("{from} {why}"));
        }
        found
    }
}

/// The arguments of a call, and the expressions that have their values in the old root.
fn arguments(call: &Body, from: &Head) -> BTreeMap<String, String> {
    let each = call.get_attribute("for_each").map(|found| &found.value);
    let arguments = call
        .attributes()
        .filter(|found| !OWN_ARGUMENTS.contains(&found.key.as_str()));
    arguments
        .map(|found| {
            let value = expressions::alone(&found.value, from.key(), each);
            (found.key.to_string(), value)
        })
        .collect()
}
