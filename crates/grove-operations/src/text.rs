//! Words that several places put together alike.

/// `1 error`, `2 errors`: a number of things whose plural takes an `s`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
