//! Rules that say which object of a state belongs to which stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use grove_state::Rules;
use grove_yaml::LineIndex;

use crate::{Around, Error, Kind, Result, place::Place};

/// The name of the rules that Grove carries.
pub const BUILT_IN: &str = "legacy-grove";

/// What each name of the rules may stand for.
pub type Names = BTreeMap<String, BTreeSet<String>>;

/// The rules that Grove carries, as a file of rules.
pub fn built_in() -> &'static str {
    grove_state::LEGACY
}

/// Reads a file of rules; [`BUILT_IN`] is that of Grove.
pub(super) fn read(around: &Around, path: &Path, names: &Names) -> Result<Rules> {
    let text = if path == Path::new(BUILT_IN) {
        built_in().to_owned()
    } else {
        let place = Place::of(around, path);
        fs_err::read_to_string(&*place)
            .map_err(|error| place.named(Error::from_error(Kind::Usage, &error)))?
    };
    let index = LineIndex::new(&text);
    Rules::parse(&text, names).map_err(|error| match error {
        grove_state::Error::Rules(problems) => {
            let lines = problems.iter().map(|problem| {
                let position = index.position(problem.span.start);
                format!(
                    "{}:{}:{}: {}",
                    path.display(),
                    position.line,
                    position.column,
                    problem.message
                )
            });
            let mut error = Error::new(Kind::No, "the rules cannot be used")
                .hint("`grove state split --help` shows rules");
            error.messages.extend(lines);
            error
        }
        other => other.into(),
    })
}
