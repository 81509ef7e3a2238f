//! Forward-only marks: what older manifests cannot take back.

use std::cmp::Ordering;

use serde::Serialize;
use std::collections::BTreeMap;

/// A mark that a rollback would take back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crossed {
    /// What was marked: `openedx`, `mysql`, …
    pub mark: String,
    /// Its value in the release that runs.
    pub from: String,
    /// Its value in the release that is to come back.
    pub to: String,
}

/// The marks that stand lower in `to` (the release to come back) than in `from` (the one that runs).
///
/// Values are compared part by part, numbers as numbers and words by the alphabet, in which Open edX
/// names its releases. A mark that only one of the two has is not crossed: the component came or went
/// with its data.
pub fn forward_only(
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) -> Vec<Crossed> {
    from.iter()
        .filter_map(|(mark, from)| Some((mark, from, to.get(mark)?)))
        .filter(|(_, from, to)| compare(to, from) == Ordering::Less)
        .map(|(mark, from, to)| Crossed {
            mark: mark.clone(),
            from: from.clone(),
            to: to.clone(),
        })
        .collect()
}

/// Compares two versions or release names.
fn compare(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (parts(one), parts(other));
    loop {
        let (left, right) = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => (left, right),
        };
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            _ => left.to_lowercase().cmp(&right.to_lowercase()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The runs of letters and the runs of digits in a text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest
            .find(|c: char| !c.is_alphanumeric() || c.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_names_are_ordered() {
        for (less, more) in [
            ("8.0.9", "8.0.10"),
            ("v1.9", "v1.12"),
            ("teak", "ulmo"),
            ("ulmo", "verawood"),
            ("verawood.1", "verawood.2"),
            ("8", "8.1"),
        ] {
            assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(compare(more, less), Ordering::Greater, "{less} {more}");
        }
        assert_eq!(compare("8.0", "8-0"), Ordering::Equal);
    }

    #[test]
    fn only_marks_that_go_back_are_crossed() {
        let marks = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        let from = marks(&[
            ("openedx", "verawood"),
            ("mysql", "8.4.0"),
            ("forum", "1"),
            ("redis", "7"),
        ]);
        let to = marks(&[
            ("openedx", "ulmo"),
            ("mysql", "8.4.0"),
            ("redis", "8"),
            ("new", "1"),
        ]);
        let crossed = forward_only(&from, &to);
        assert_eq!(
            crossed,
            [Crossed {
                mark: "openedx".into(),
                from: "verawood".into(),
                to: "ulmo".into()
            }]
        );
    }
}
