//! Reading a text from left to right up to each placeholder.

use super::Place;

/// What reads a language just well enough to know where it is.
pub(super) trait Reader {
    /// Reads the start of `rest`, which is not empty, and says how many bytes it took.
    fn step(&mut self, rest: &str) -> usize;

    /// Where it is.
    fn place(&self) -> Place;

    /// A placeholder was passed.
    fn passed(&mut self) {}
}

/// The place of each placeholder, in their order.
pub(super) fn run(text: &str, marks: &[(usize, &str)], mut reader: impl Reader) -> Vec<Place> {
    let mut places = Vec::with_capacity(marks.len());
    let mut at = 0;
    for (start, name) in marks {
        while at < *start {
            let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            at += reader.step(rest).max(1);
            while at < text.len() && !text.is_char_boundary(at) {
                at += 1;
            }
        }
        places.push(reader.place());
        reader.passed();
        at = at.max(start + name.len() + 4);
    }
    places
}

/// The bytes of the first character.
pub(super) fn first(rest: &str) -> usize {
    rest.chars().next().map_or(1, char::len_utf8)
}

/// The bytes of the first two characters: one that escapes, and what it escapes.
pub(super) fn pair(rest: &str) -> usize {
    rest.chars().take(2).map(char::len_utf8).sum()
}
