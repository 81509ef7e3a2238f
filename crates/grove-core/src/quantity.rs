//! Amounts of CPU, memory and storage, as Kubernetes writes them
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).

use std::{cmp::Ordering, fmt};

use grove_yaml::Value;

/// An amount: a positive decimal number with one of Kubernetes' suffixes, at most three digits behind
/// the point of its plain number.
#[derive(Clone, Debug)]
pub struct Quantity {
    text: String,
    /// In thousandths: a CPU's, or a byte's.
    thousandths: u128,
}

/// Suffixes and their thousandths. An exponent (`1e3`) is not read: nobody writes memory so.
const SUFFIXES: &[(&str, u128)] = &[
    ("m", 1),
    ("", 1000),
    ("k", 1000 * 1000),
    ("M", 1000 * 1000_u128.pow(2)),
    ("G", 1000 * 1000_u128.pow(3)),
    ("T", 1000 * 1000_u128.pow(4)),
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
];

impl Quantity {
    /// What text that is an amount looks like, as a regular expression.
    pub const PATTERN: &str = "^[0-9]{1,15}(\\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$";
    /// What an amount looks like, in words.
    pub const HINT: &str = "amounts are written like `500m`, `2`, `1.5` or `2Gi`";

    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (_, unit) = SUFFIXES.iter().find(|(known, _)| *known == suffix)?;
        let (whole, part) = match number.split_once('.') {
            Some((whole, part)) if (1..=3).contains(&part.len()) => (whole, part),
            Some(_) => return None,
            None => (number, ""),
        };
        if whole.is_empty() || whole.len() > 15 {
            return None;
        }
        let part: u128 = format!("{part:0<3}").parse().ok()?;
        let whole: u128 = whole.parse().ok()?;
        let thousandths = (whole * 1000 + part) * unit / 1000;
        Some(Self {
            text: text.to_owned(),
            thousandths,
        })
    }

    /// Reads one that a file states: text or a number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// The amount in thousandths of a CPU or of a byte.
    pub fn thousandths(&self) -> u128 {
        self.thousandths
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.thousandths == other.thousandths
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.thousandths.cmp(&other.thousandths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_across_suffixes() {
        let of = |text: &str| Quantity::parse(text).unwrap().thousandths();
        assert_eq!(of("500m"), 500);
        assert_eq!(of("0.5"), 500);
        assert_eq!(of("1Ki"), 1_024_000);
        assert_eq!(of("1.5Gi"), of("1536Mi"));
        assert!(of("1Gi") > of("1G"));
        for text in [
            "", "1.", ".5", "1.0000", "-1", "1e3", "1 Gi", "2GB", "Gi", "1.5.2", "１",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        assert_eq!(Quantity::parse(&"9".repeat(16)), None);
    }
}
