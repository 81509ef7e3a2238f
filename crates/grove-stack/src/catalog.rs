//! The stacks that Grove brings, by provider: plain HCL around pinned modules, below `stacks/`.

use include_dir::{Dir, include_dir};

/// `<provider>/<stack>/*.tf`; those that belong to instances are below `<provider>/instance/`.
static STACKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/stacks");

/// The directory of a provider with the stacks of instances.
const OF_INSTANCES: &str = "instances";

fn directory(provider: &str, of_instance: bool) -> Option<&'static Dir<'static>> {
    let provider = STACKS.get_dir(provider)?;
    if of_instance {
        provider.get_dir(provider.path().join(OF_INSTANCES))
    } else {
        Some(provider)
    }
}

/// The names of the stacks that a provider has, for clusters or for instances.
pub fn names(provider: &str, of_instance: bool) -> Vec<&'static str> {
    directory(provider, of_instance)
        .into_iter()
        .flat_map(Dir::dirs)
        .filter_map(|dir| dir.path().file_name()?.to_str())
        .filter(|name| of_instance || *name != OF_INSTANCES)
        .collect()
}

/// The files of a stack, by name; none where the provider has no such stack.
pub fn files(
    provider: &str,
    of_instance: bool,
    stack: &str,
) -> Option<impl Iterator<Item = (&'static str, &'static [u8])>> {
    let parent = directory(provider, of_instance)?;
    if !names(provider, of_instance).contains(&stack) {
        return None;
    }
    let dir = parent.get_dir(parent.path().join(stack))?;
    Some(dir.files().filter_map(|file| {
        let name = file.path().file_name()?.to_str()?;
        Some((name, file.contents()))
    }))
}

#[cfg(test)]
mod tests;
