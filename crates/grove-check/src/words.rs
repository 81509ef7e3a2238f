//! Hints that name what may have been meant.

use grove_fleet::near::nearest;

/// A hint that names the nearest of `known` names, where one is near enough to be meant.
pub(crate) fn near<'a, N: AsRef<str> + ?Sized + 'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a N>,
) -> Option<String> {
    nearest(name, known.into_iter().map(AsRef::as_ref))
        .map(|near| format!("did you mean `{near}`?"))
}
