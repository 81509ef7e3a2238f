//! What somebody may have meant.

/// Longer words than this are compared with nothing.
const LONGEST: usize = 100;

/// The candidate that is most like `word`, where one is like it at all: the same but for case, or
/// at most a third of its letters away.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter_map(|candidate| {
            let distance = if candidate.eq_ignore_ascii_case(word) {
                0
            } else {
                strsim::damerau_levenshtein(word, candidate)
            };
            (distance <= allowed).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn likeness_has_a_limit() {
        let known = ["hosts", "domains", "Config"];
        assert_eq!(nearest("host", known), Some("hosts"));
        assert_eq!(nearest("CONFIG", known), Some("Config"));
        assert_eq!(nearest("domians", known), Some("domains"));
        assert_eq!(nearest("zzzzz", known), None);
        assert_eq!(nearest(&"host".repeat(1_000), known), None);
    }
}
