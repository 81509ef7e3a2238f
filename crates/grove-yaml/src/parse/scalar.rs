//! What a plain scalar means in YAML 1.2's core schema.

use serde_json::Number;

use crate::Value;

/// What a plain scalar is; the second part says what is wrong with it, where it is kept as text.
pub(super) fn resolve(text: &str) -> (Value, Option<&'static str>) {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return (Value::Null, None),
        "true" | "True" | "TRUE" => return (Value::Bool(true), None),
        "false" | "False" | "FALSE" => return (Value::Bool(false), None),
        _ => {}
    }
    // Most scalars are words: a number starts with a digit, a sign or a dot.
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {}
        _ => return (Value::String(text.to_owned()), None),
    }
    match number(text) {
        Some(Ok(number)) => (Value::Number(number), None),
        Some(Err(wrong)) => (Value::String(text.to_owned()), Some(wrong)),
        None => (Value::String(text.to_owned()), None),
    }
}

/// The number that a text is; none where it is not one; an error where it cannot be kept as one.
fn number(text: &str) -> Option<Result<Number, &'static str>> {
    const TOO_LARGE: &str = "does not fit 64 bits; quote it to keep it as text";
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(
        unsigned,
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
    ) {
        return Some(Err("is no finite number; quote it to keep it as text"));
    }
    let mut rest = unsigned;
    let whole = take_digits(&mut rest);
    let mut is_integer = true;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        is_integer = false;
        rest = after;
        fraction = take_digits(&mut rest);
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        is_integer = false;
        rest = after.strip_prefix(['+', '-']).unwrap_or(after);
        if take_digits(&mut rest).is_empty() {
            return None;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    if is_integer {
        if whole.len() > 1 && whole.starts_with('0') {
            return Some(Err(
                "is octal for some readers and decimal for others; quote it to keep it as text, or drop the leading zero",
            ));
        }
        let plain = text.strip_prefix('+').unwrap_or(text);
        return Some(
            plain
                .parse::<i64>()
                .map(Number::from)
                .or_else(|_| plain.parse::<u64>().map(Number::from))
                .map_err(|_| TOO_LARGE),
        );
    }
    Some(
        text.parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .ok_or(TOO_LARGE),
    )
}

fn radix(digits: &str, radix: u32) -> Option<Result<Number, &'static str>> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    Some(
        u64::from_str_radix(digits, radix)
            .map(Number::from)
            .map_err(|_| "does not fit 64 bits; quote it to keep it as text"),
    )
}

fn take_digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits
}
